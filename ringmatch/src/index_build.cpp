#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>
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

std::uint32_t key_block(const Row& row) { return static_cast<std::uint32_t>(row.key >> 48); }

std::vector<std::uint64_t> partition_from_counts(std::vector<std::uint64_t> counts) {
    std::exclusive_scan(counts.begin(), counts.end(), counts.begin(), std::uint64_t{0});
    return counts;
}

// Rows in the order of their hashes, equal hashes next to each other and by id.
std::vector<Row> sorted_rows(const std::uint8_t* hashes, const std::uint64_t* ids, std::uint64_t count, int threads) {
    constexpr std::uint64_t stretch = 1 << 16;
    std::vector<Row> unsorted(count);
    parallel_for((count + stretch - 1) / stretch, threads, [&](std::size_t part) {
        const std::uint64_t end = std::min(count, (part + 1) * stretch);
        for (std::uint64_t k = part * stretch; k < end; ++k) {
            const std::uint64_t word = permute(hashes + k * kHashBytes)[0];
            unsorted[k] = {(word << 48) | (word >> 16), static_cast<std::uint32_t>(k)};
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
        // Clearing a counter for every key would take longer than the sort.
        std::sort(unsorted.begin(), unsorted.end(), precedes);
        return unsorted;
    }
    std::vector<std::uint64_t> counts(kKeyCount + 1);
    for (const Row& row : unsorted) ++counts[key_block(row)];
    const std::vector<std::uint64_t> starts = partition_from_counts(std::move(counts));
    std::vector<std::uint64_t> ends = starts;
    std::vector<Row> rows(count);
    for (const Row& row : unsorted) rows[ends[key_block(row)]++] = row;
    unsorted = {};

    constexpr std::size_t keys_per_part = 256;
    parallel_for(kKeyCount / keys_per_part, threads, [&](std::size_t part) {
        for (std::size_t key = part * keys_per_part; key < (part + 1) * keys_per_part; ++key) {
            std::sort(rows.begin() + static_cast<std::ptrdiff_t>(starts[key]),
                      rows.begin() + static_cast<std::ptrdiff_t>(starts[key + 1]), precedes);
        }
    });
    return rows;
}

// Positions in `rows` at which a new hash begins, and the number of rows at the end.
std::vector<std::uint32_t> entry_starts(const std::vector<Row>& rows, const std::uint8_t* hashes) {
    std::vector<std::uint32_t> starts;
    starts.reserve(rows.size() + 1);
    for (std::size_t k = 0; k < rows.size(); ++k) {
        const bool repeats = k > 0 && rows[k].key == rows[k - 1].key &&
                             std::memcmp(hashes + std::uint64_t{rows[k].position} * kHashBytes,
                                         hashes + std::uint64_t{rows[k - 1].position} * kHashBytes, kHashBytes) == 0;
        if (!repeats) starts.push_back(static_cast<std::uint32_t>(k));
    }
    starts.push_back(static_cast<std::uint32_t>(rows.size()));
    return starts;
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

void build_table(std::byte* image, const ImageMap& map, const Counts& counts, unsigned table) {
    const auto* hashes = reinterpret_cast<const HashWords*>(image + map.hashes);
    auto* starts = reinterpret_cast<std::uint32_t*>(image + map.starts[table]);
    auto* low_bits = reinterpret_cast<std::uint16_t*>(image + map.low_bits[table]);
    auto* high_bits = reinterpret_cast<std::uint64_t*>(image + map.high_bits[table]);
    auto* next_blocks = reinterpret_cast<std::uint16_t*>(image + map.next_blocks[table]);
    const unsigned next = (table + 1) % kBlockCount;

    std::vector<std::uint32_t> heads(kKeyCount, 0);
    for (std::uint64_t k = 0; k < counts.entries; ++k) ++heads[block_of(hashes[k], table)];
    std::exclusive_scan(heads.begin(), heads.end(), heads.begin(), std::uint32_t{0});
    std::copy(heads.begin(), heads.end(), starts);
    starts[kKeyCount] = static_cast<std::uint32_t>(counts.entries);

    if (table == 0) {
        for (std::uint64_t k = 0; k < counts.entries; ++k) {
            next_blocks[k] = static_cast<std::uint16_t>(block_of(hashes[k], next));
        }
        return;
    }
    // Scattering straight into 65536 places misses the caches on every write. Scattering by the high byte first
    // writes 256 streams, and the second scatter then stays inside one of them.
    std::vector<std::uint32_t> coarse(256);
    for (std::size_t k = 0; k < coarse.size(); ++k) coarse[k] = starts[k << 8];
    std::vector<TableRow> rows(counts.entries);
    for (std::uint64_t k = 0; k < counts.entries; ++k) {
        const auto key = static_cast<std::uint16_t>(block_of(hashes[k], table));
        rows[coarse[key >> 8]++] = {static_cast<std::uint32_t>(k),
                                    static_cast<std::uint16_t>(block_of(hashes[k], next)), key};
    }
    const unsigned entry_bits = counts.entry_bits();
    for (const TableRow& row : rows) {
        const std::uint32_t place = heads[row.key]++;
        if (counts.form == Form::plain) {
            put_packed(image + map.entries[table], entry_bits, place, row.entry);
        } else {
            const std::uint64_t value = compact_value(counts.entries, row.key, row.entry);
            low_bits[place] = static_cast<std::uint16_t>(value);
            set_ranked_bit(high_bits, (value >> 16) + place);
        }
        next_blocks[place] = row.next_block;
    }
    if (counts.form == Form::compact) rank_bits(high_bits, compact_high_bits(counts.entries));
}

// Fills in what a file says about the ids: themselves, and how many each entry has.
void place_ids(std::byte* image, const ImageMap& map, const Counts& counts, const std::vector<Row>& rows,
               const std::vector<std::uint32_t>& starts, const std::uint64_t* ids) {
    for (std::uint64_t k = 0; k < counts.ids; ++k) {
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
    std::vector<Row> rows = sorted_rows(hashes, ids, count, threads);
    std::vector<std::uint32_t> starts = entry_starts(rows, hashes);

    Counts counts;
    counts.entries = starts.size() - 1;
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
    constexpr std::uint64_t stretch = 1 << 16;
    parallel_for((counts.entries + stretch - 1) / stretch, threads, [&](std::size_t part) {
        const std::uint64_t end = std::min(counts.entries, (part + 1) * stretch);
        for (std::uint64_t k = part * stretch; k < end; ++k) {
            // The input is read in sorted, hence random, order.
            constexpr std::uint64_t ahead = 16;
            if (k + ahead < end) {
                __builtin_prefetch(hashes + std::uint64_t{rows[starts[k + ahead]].position} * kHashBytes);
            }
            stored[k] = permute(hashes + std::uint64_t{rows[starts[k]].position} * kHashBytes);
        }
    });
    rows = {};
    starts = {};
    if (counts.layout == Layout::ring) {
        parallel_for(kBlockCount, threads,
                     [&](std::size_t table) { build_table(image, map, counts, static_cast<unsigned>(table)); });
    }
    return Index(std::move(memory), counts, false);
}

}  // namespace ringmatch
