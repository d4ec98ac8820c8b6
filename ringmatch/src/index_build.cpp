#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "parallel.hpp"
#include "ringmatch/compact.hpp"
#include "ringmatch/index.hpp"
#include "ringmatch/permutation.hpp"

namespace ringmatch {
namespace {

std::uint32_t block_of(const HashWords& hash, unsigned block) {
    return static_cast<std::uint32_t>(hash[block / 4] >> (16 * (block % 4))) & 0xffffu;
}

// One input row. The key is the first permuted word with block 0 on top, so sorting by it groups table 0.
struct Row {
    std::uint64_t key;
    std::uint32_t position;
};

// The input is read in sorted, hence random, order: how many rows ahead it is asked for.
constexpr std::uint64_t kAhead = 24;

// Room for numbers that are written before they are read. When large, on large pages: touching small ones for the first
// time took as long as the sorting.
template <class Item>
class Scratch {
  public:
    explicit Scratch(std::uint64_t count) : count_(count) {
        constexpr std::uint64_t large = 1 << 20;
        if (count * sizeof(Item) >= large) {
            memory_ = Memory::allocate(count * sizeof(Item));
            items_ = reinterpret_cast<Item*>(memory_.data());
        } else {
            few_.resize(count);
            items_ = few_.data();
        }
    }

    Item* begin() const { return items_; }
    Item* end() const { return items_ + count_; }
    Item& operator[](std::uint64_t k) const { return items_[k]; }
    std::uint64_t size() const { return count_; }

  private:
    std::uint64_t count_;
    Memory memory_;
    std::vector<Item> few_;
    Item* items_;
};

// Scattering straight into 65536 places misses the caches on every write. One byte at a time writes 256 streams.
using ByteCounts = std::array<std::uint32_t, 256>;

// Copies the rows in the order of the byte at bit `shift` of their keys; rows of the same byte stay in their order.
void order_by_byte(const Row* from, const Row* end, Row* to, unsigned shift) {
    ByteCounts places{};
    for (const Row* row = from; row != end; ++row) ++places[(row->key >> shift) & 0xff];
    std::exclusive_scan(places.begin(), places.end(), places.begin(), std::uint32_t{0});
    for (const Row* row = from; row != end; ++row) to[places[(row->key >> shift) & 0xff]++] = *row;
}

// Rows in the order of their hashes, equal hashes next to each other and by id.
Scratch<Row> sorted_rows(const std::uint8_t* hashes, const std::uint64_t* ids, std::uint64_t count, int threads) {
    constexpr std::uint64_t stretch = 1 << 16;
    const std::uint64_t parts = (count + stretch - 1) / stretch;
    Scratch<Row> unsorted(count);
    std::vector<ByteCounts> places(parts);
    parallel_for(parts, threads, [&](std::size_t part) {
        const std::uint64_t end = std::min(count, (part + 1) * stretch);
        for (std::uint64_t k = part * stretch; k < end; ++k) {
            const std::uint64_t word = permuted_first_word(hashes + k * kHashBytes);
            unsorted[k] = {(word << 48) | (word >> 16), static_cast<std::uint32_t>(k)};
            ++places[part][unsorted[k].key >> 56];
        }
    });
    // Equal keys are compared by the original bytes: any total order will do as long as equal hashes meet.
    const auto precedes = [&](const Row& a, const Row& b) {
        if (a.key != b.key) return a.key < b.key;
        const int order = std::memcmp(hashes + std::uint64_t{a.position} * kHashBytes,
                                      hashes + std::uint64_t{b.position} * kHashBytes, kHashBytes);
        if (order != 0) return order < 0;
        return ids[a.position] < ids[b.position];
    };
    constexpr std::uint64_t short_list = 4096;
    if (count <= short_list) {
        std::sort(unsorted.begin(), unsorted.end(), precedes);
        return unsorted;
    }
    // By the first byte of the key, every part to places of its own.
    std::array<std::uint32_t, 257> starts{};
    std::uint32_t place = 0;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        starts[byte] = place;
        for (ByteCounts& part : places) place += std::exchange(part[byte], place);
    }
    starts[256] = place;
    Scratch<Row> rows(count);
    parallel_for(parts, threads, [&](std::size_t part) {
        const std::uint64_t end = std::min(count, (part + 1) * stretch);
        for (std::uint64_t k = part * stretch; k < end; ++k) rows[places[part][unsorted[k].key >> 56]++] = unsorted[k];
    });
    // By the third byte and then the second; what agrees in all three is little unless hashes repeat.
    parallel_for(256, threads, [&](std::size_t byte) {
        Row* const begin = rows.begin() + starts[byte];
        Row* const end = rows.begin() + starts[byte + 1];
        Row* const other = unsorted.begin() + starts[byte];
        order_by_byte(begin, end, other, 40);
        order_by_byte(other, other + (end - begin), begin, 48);
        for (Row* same = begin; same != end;) {
            Row* next = same + 1;
            while (next != end && next->key >> 40 == same->key >> 40) ++next;
            if (next - same > 1) std::sort(same, next, precedes);
            same = next;
        }
    });
    return rows;
}

// Positions in `rows` at which a new hash begins, and the number of rows at the end.
std::uint64_t find_entries(const Scratch<Row>& rows, const std::uint8_t* hashes, const Scratch<std::uint32_t>& starts) {
    std::uint64_t entries = 0;
    for (std::uint64_t k = 0; k < rows.size(); ++k) {
        const bool repeats = k > 0 && rows[k].key == rows[k - 1].key &&
                             std::memcmp(hashes + std::uint64_t{rows[k].position} * kHashBytes,
                                         hashes + std::uint64_t{rows[k - 1].position} * kHashBytes, kHashBytes) == 0;
        if (!repeats) starts[entries++] = static_cast<std::uint32_t>(k);
    }
    starts[entries] = static_cast<std::uint32_t>(rows.size());
    return entries;
}

struct TableRow {
    std::uint32_t entry;
    std::uint16_t next_block;
    std::uint16_t key;
};

void rank_bits(std::uint64_t* lines, std::uint64_t bits) {
    std::uint64_t ones = 0;
    for (std::size_t line = 0; line < ranked_lines(bits); ++line) {
        std::uint64_t* words = lines + line * kLineWords;
        words[0] = ones;
        for (std::uint64_t k = 1; k < kLineWords; ++k) ones += static_cast<std::uint64_t>(std::popcount(words[k]));
    }
}

// The first table has the entries in their own order, which is that of block 0.
void start_first_table(std::uint32_t* starts, const std::uint16_t* blocks, std::uint64_t entry_count) {
    std::uint32_t key = 0;
    for (std::uint64_t k = 0; k < entry_count; ++k) {
        for (; key <= blocks[k]; ++key) starts[key] = static_cast<std::uint32_t>(k);
    }
    for (; key <= kKeyCount; ++key) starts[key] = static_cast<std::uint32_t>(entry_count);
}

// keys: this table's block of every entry. The neighbour blocks come in the order of the entries and are put in order.
void build_table(std::byte* image, const ImageMap& map, const Counts& counts, unsigned table, const std::uint16_t* keys,
                 const Scratch<TableRow>& rows) {
    auto* starts = reinterpret_cast<std::uint32_t*>(image + map.starts[table]);
    auto* low_bits = reinterpret_cast<std::uint16_t*>(image + map.low_bits[table]);
    auto* high_bits = reinterpret_cast<std::uint64_t*>(image + map.high_bits[table]);
    auto* next_blocks = reinterpret_cast<std::uint16_t*>(image + map.next_blocks[table]);

    ByteCounts ends{};
    for (std::uint64_t k = 0; k < counts.entries; ++k) ++ends[keys[k] >> 8];
    std::exclusive_scan(ends.begin(), ends.end(), ends.begin(), std::uint32_t{0});
    for (std::uint64_t k = 0; k < counts.entries; ++k) {
        rows[ends[keys[k] >> 8]++] = {static_cast<std::uint32_t>(k), next_blocks[k], keys[k]};
    }
    const unsigned entry_bits = counts.entry_bits();
    std::uint32_t begin = 0;
    for (std::size_t byte = 0; byte < ends.size(); begin = ends[byte++]) {
        ByteCounts heads{};
        for (std::uint32_t k = begin; k < ends[byte]; ++k) ++heads[rows[k].key & 0xff];
        std::exclusive_scan(heads.begin(), heads.end(), heads.begin(), begin);
        std::copy(heads.begin(), heads.end(), starts + (byte << 8));
        for (std::uint32_t k = begin; k < ends[byte]; ++k) {
            const TableRow row = rows[k];
            const std::uint32_t place = heads[row.key & 0xff]++;
            if (counts.form == Form::plain) {
                put_packed(image + map.entries[table], entry_bits, place, row.entry);
            } else {
                const std::uint64_t value = compact_value(counts.entries, row.key, row.entry);
                low_bits[place] = static_cast<std::uint16_t>(value);
                set_ranked_bit(high_bits, (value >> 16) + place);
            }
            next_blocks[place] = row.next_block;
        }
    }
    starts[kKeyCount] = static_cast<std::uint32_t>(counts.entries);
    if (counts.form == Form::compact) rank_bits(high_bits, compact_high_bits(counts.entries));
}

// At first the neighbour blocks of every table are in the order of the entries, so those of one table are the keys of
// the next, and the hashes need not be read again. Going down from the last table, each is done with before it changes.
void build_tables(std::byte* image, const ImageMap& map, const Counts& counts, int threads) {
    const auto next_blocks = [&](std::size_t table) {
        return reinterpret_cast<std::uint16_t*>(image + map.next_blocks[table]);
    };
    start_first_table(reinterpret_cast<std::uint32_t*>(image + map.starts[0]), next_blocks(kBlockCount - 1),
                      counts.entries);
    constexpr std::size_t tables = kBlockCount - 1;
    const std::size_t runs = std::min(tables, static_cast<std::size_t>(resolve_threads(threads)));
    const auto first_of = [&](std::size_t run) { return 1 + run * tables / runs; };
    // The run below changes the keys of a run's first table.
    std::vector<std::vector<std::uint16_t>> kept(runs);
    for (std::size_t run = 1; run < runs; ++run) {
        const std::uint16_t* keys = next_blocks(first_of(run) - 1);
        kept[run].assign(keys, keys + counts.entries);
    }
    parallel_for(runs, threads, [&](std::size_t run) {
        const Scratch<TableRow> rows(counts.entries);
        for (std::size_t table = first_of(run + 1) - 1; table >= first_of(run); --table) {
            const bool keep = run > 0 && table == first_of(run);
            build_table(image, map, counts, static_cast<unsigned>(table),
                        keep ? kept[run].data() : next_blocks(table - 1), rows);
        }
    });
}

// Fills in what a file says about the ids: themselves, and how many each entry has.
void place_ids(std::byte* image, const ImageMap& map, const Counts& counts, const Scratch<Row>& rows,
               const Scratch<std::uint32_t>& starts, const std::uint64_t* ids) {
    for (std::uint64_t k = 0; k < counts.ids; ++k) {
        if (k + kAhead < counts.ids) __builtin_prefetch(ids + rows[k + kAhead].position);
        put_packed(image + map.ids, counts.id_bits, k, ids[rows[k].position] - counts.smallest_id);
    }
    if (counts.repeated == 0) return;
    auto* repeated = reinterpret_cast<std::uint64_t*>(image + map.repeated);
    auto* extra_ids = reinterpret_cast<std::uint32_t*>(image + map.extra_ids);
    for (std::uint64_t entry = 0; entry < counts.entries; ++entry) {
        const std::uint32_t extra = starts[entry + 1] - starts[entry] - 1;
        if (extra == 0) continue;
        set_ranked_bit(repeated, entry);
        extra_ids[1] = extra_ids[0] + extra;
        ++extra_ids;
    }
    rank_bits(repeated, counts.entries);
}

}  // namespace

Index Index::build(const std::uint8_t* hashes, const std::uint64_t* ids, std::uint64_t count, int threads,
                   std::uint64_t ring_from, Form form) {
    if (count >= std::numeric_limits<std::uint32_t>::max())
        throw std::length_error("an index holds fewer than 2^32 - 1 hashes");
    std::optional<Scratch<Row>> sorted = sorted_rows(hashes, ids, count, threads);
    const Scratch<Row>& rows = *sorted;
    std::optional<Scratch<std::uint32_t>> found(count + 1);
    const Scratch<std::uint32_t>& starts = *found;

    Counts counts;
    counts.entries = find_entries(rows, hashes, starts);
    counts.ids = count;
    for (std::uint64_t entry = 0; entry < counts.entries; ++entry) {
        counts.repeated += starts[entry + 1] - starts[entry] > 1 ? 1 : 0;
    }
    if (count > 0) {
        const auto [smallest, largest] = std::minmax_element(ids, ids + count);
        counts.smallest_id = *smallest;
        counts.id_bits = packed_bits_for(*largest - *smallest);
    }
    counts.layout = counts.entries >= ring_from && counts.entries > 0 ? Layout::ring : Layout::flat;
    counts.form = form;
    const ImageMap map(counts);
    Memory memory = Memory::allocate(map.total_bytes);
    std::byte* image = memory.data();
    place_ids(image, map, counts, rows, starts, ids);

    auto* stored = reinterpret_cast<HashWords*>(image + map.hashes);
    std::array<std::uint16_t*, kBlockCount> next_blocks;
    for (unsigned table = 0; table < kBlockCount; ++table) {
        next_blocks[table] = reinterpret_cast<std::uint16_t*>(image + map.next_blocks[table]);
    }
    // One stretch for every thread: two that touch a large page for the first time at once would both clear one.
    const auto workers = static_cast<std::uint64_t>(resolve_threads(threads));
    const std::uint64_t stretch = std::max<std::uint64_t>(1 << 16, (counts.entries + workers - 1) / workers);
    parallel_for((counts.entries + stretch - 1) / stretch, threads, [&](std::size_t part) {
        const std::uint64_t end = std::min(counts.entries, (part + 1) * stretch);
        for (std::uint64_t k = part * stretch; k < end; ++k) {
            if (k + kAhead < end) {
                __builtin_prefetch(hashes + std::uint64_t{rows[starts[k + kAhead]].position} * kHashBytes);
            }
            stored[k] = permute(hashes + std::uint64_t{rows[starts[k]].position} * kHashBytes);
            if (counts.layout == Layout::flat) continue;
            for (unsigned table = 0; table < kBlockCount; ++table) {
                next_blocks[table][k] = static_cast<std::uint16_t>(block_of(stored[k], (table + 1) % kBlockCount));
            }
        }
    });
    sorted.reset();
    found.reset();
    if (counts.layout == Layout::ring) build_tables(image, map, counts, threads);
    return Index(std::move(memory), counts, false);
}

}  // namespace ringmatch
