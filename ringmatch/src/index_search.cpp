#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "parallel.hpp"
#include "ringmatch/dispatch.hpp"
#include "ringmatch/index.hpp"
#include "ringmatch/permutation.hpp"

namespace ringmatch {
namespace {

// Queries that one thread takes at a time: enough to fill the pipeline of the kernel, few enough to share out.
constexpr std::uint32_t kQueriesPerTurn = 256;

// A join goes through all tables whatever the number of queries. Measured from 1 to 10 million entries on Zen 4, the
// two plans are even at 2,000 to 4,000 queries.
bool join_pays(std::uint64_t entries, std::uint32_t queries) { return entries >= 500'000 && queries >= 4096; }

struct SortedQueries {
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> queries;
    std::vector<std::uint16_t> next_blocks;

    QueryTable view(const HashWords* hashes) const {
        return {hashes->data(), starts.data(), queries.data(), next_blocks.data()};
    }
};

std::uint16_t block_of(const HashWords& hash, unsigned block) {
    return static_cast<std::uint16_t>(hash[block / 4] >> (16 * (block % 4)));
}

SortedQueries sort_queries(const HashWords* hashes, std::uint32_t count, unsigned table) {
    SortedQueries sorted;
    sorted.starts.assign(kKeyCount + 1, 0);
    sorted.queries.resize(count);
    sorted.next_blocks.resize(count);
    for (std::uint32_t k = 0; k < count; ++k) ++sorted.starts[block_of(hashes[k], table) + 1];
    std::inclusive_scan(sorted.starts.begin(), sorted.starts.end(), sorted.starts.begin());
    std::vector<std::uint32_t> heads = sorted.starts;
    for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t place = heads[block_of(hashes[k], table)]++;
        sorted.queries[place] = k;
        sorted.next_blocks[place] = block_of(hashes[k], (table + 1) % kBlockCount);
    }
    return sorted;
}

std::vector<Match> concatenated(std::vector<std::vector<Match>>& parts) {
    if (parts.size() == 1) return std::move(parts[0]);
    std::size_t total = 0;
    for (const auto& part : parts) total += part.size();
    std::vector<Match> all;
    all.reserve(total);
    for (auto& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
        part = {};
    }
    return all;
}

// Distributes by query first: the sorts that remain are as small as the answer to one query.
std::vector<Match> sorted_by_query(std::vector<Match> matches, std::uint32_t query_count, int threads) {
    std::vector<std::uint64_t> starts(std::size_t{query_count} + 1, 0);
    for (const Match& match : matches) ++starts[match.query + 1];
    std::inclusive_scan(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint64_t> heads = starts;
    std::vector<Match> sorted(matches.size());
    for (const Match& match : matches) sorted[heads[match.query]++] = match;
    constexpr std::uint32_t stretch = 4096;
    parallel_for((query_count + stretch - 1) / stretch, threads, [&](std::size_t part) {
        const std::size_t end = std::min<std::size_t>(query_count, (part + 1) * stretch);
        for (std::size_t query = part * stretch; query < end; ++query) {
            std::sort(sorted.begin() + static_cast<std::ptrdiff_t>(starts[query]),
                      sorted.begin() + static_cast<std::ptrdiff_t>(starts[query + 1]));
        }
    });
    return sorted;
}

}  // namespace

struct Index::Collector {
    const Index* index;
    std::vector<Match>* matches;
};

void Index::collect(void* context, std::uint32_t query, std::uint32_t entry, std::uint32_t distance) {
    const Collector& collector = *static_cast<Collector*>(context);
    collector.index->append_ids(query, entry, distance, *collector.matches);
}

Index::Index(Memory memory, const Counts& counts, bool sealed)
    : memory_(std::move(memory)), counts_(counts), view_{}, sealed_(sealed) {
    const ImageMap map(counts_);
    const std::byte* image = memory_.data();
    ids_ = packed_numbers(image + map.ids, counts_.id_bits);
    if (counts_.repeated != 0) {
        repeated_ = reinterpret_cast<const std::uint64_t*>(image + map.repeated);
        extra_ids_ = reinterpret_cast<const std::uint32_t*>(image + map.extra_ids);
    }
    view_.entry_count = counts_.entries;
    view_.form = counts_.form;
    view_.hashes = reinterpret_cast<const std::uint64_t*>(image + map.hashes);
    if (counts_.layout == Layout::flat) return;
    for (int table = 0; table < kBlockCount; ++table) {
        view_.tables[table] = {
            .starts = reinterpret_cast<const std::uint32_t*>(image + map.starts[table]),
            .next_blocks = reinterpret_cast<const std::uint16_t*>(image + map.next_blocks[table]),
            .entries = packed_numbers(image + map.entries[table], counts_.entry_bits()),
            .low_bits = reinterpret_cast<const std::uint16_t*>(image + map.low_bits[table]),
            .high_bits = reinterpret_cast<const std::uint64_t*>(image + map.high_bits[table]),
        };
    }
}

Index Index::open(const std::string& path, int threads) {
    Memory memory = Memory::map_file(path);
    const Counts counts = check_image(memory.data(), memory.size(), threads);
    return Index(std::move(memory), counts, true);
}

Index Index::load(const std::byte* image, std::size_t bytes, int threads) {
    const Counts counts = check_image(image, bytes, threads);
    Memory memory = Memory::allocate(bytes);
    std::memcpy(memory.data(), image, bytes);
    return Index(std::move(memory), counts, true);
}

void Index::copy_rows(std::uint8_t* hashes, std::uint64_t* ids, int threads) const {
    const auto* stored = reinterpret_cast<const HashWords*>(view_.hashes);
    constexpr std::uint64_t stretch = 1 << 16;
    parallel_for((counts_.entries + stretch - 1) / stretch, threads, [&](std::size_t part) {
        const std::uint64_t last = std::min(counts_.entries, (part + 1) * stretch);
        for (std::uint64_t entry = part * stretch; entry < last; ++entry) {
            std::uint8_t original[kHashBytes];
            unpermute(stored[entry], original);
            for (std::uint64_t k = first_id(entry); k < first_id(entry + 1); ++k) {
                std::memcpy(hashes + k * kHashBytes, original, kHashBytes);
                ids[k] = id_at(k);
            }
        }
    });
}

std::vector<std::uint64_t> Index::count_rows(const std::uint64_t* wanted, std::size_t count) const {
    std::vector<std::uint64_t> rows(count, 0);
    if (count == 0) return rows;
    // Most ids are not wanted: a small table of the low bits sends them away without a search.
    constexpr std::uint64_t mask = 0xffff;
    std::vector<bool> seen(mask + 1, false);
    for (std::size_t k = 0; k < count; ++k) seen[wanted[k] & mask] = true;
    for (std::uint64_t position = 0; position < counts_.ids; ++position) {
        const std::uint64_t id = id_at(position);
        if (!seen[id & mask]) continue;
        const std::uint64_t* place = std::lower_bound(wanted, wanted + count, id);
        if (place != wanted + count && *place == id) ++rows[static_cast<std::size_t>(place - wanted)];
    }
    return rows;
}

const std::byte* Index::sealed_image(int threads) {
    const std::lock_guard<std::mutex> lock(*sealing_);
    if (!sealed_) {
        seal_image(memory_.data(), counts_, threads);
        sealed_ = true;
    }
    return memory_.data();
}

std::uint64_t Index::first_id(std::uint64_t entry) const {
    if (repeated_ == nullptr) return entry;
    if (entry == counts_.entries) return counts_.ids;
    const std::uint64_t* words = repeated_ + entry / kLineBits * kLineWords;
    const std::uint64_t word = 1 + entry % kLineBits / 64;
    std::uint64_t before = words[0];
    for (std::uint64_t k = 1; k < word; ++k) before += static_cast<std::uint64_t>(std::popcount(words[k]));
    const std::uint64_t earlier_bits = (std::uint64_t{1} << (entry % kLineBits % 64)) - 1;
    before += static_cast<std::uint64_t>(std::popcount(words[word] & earlier_bits));
    return entry + extra_ids_[before];
}

void Index::append_ids(std::uint32_t query, std::uint32_t entry, std::uint32_t distance,
                       std::vector<Match>& out) const {
    for (std::uint64_t k = first_id(entry); k < first_id(std::uint64_t{entry} + 1); ++k)
        out.push_back({query, distance, id_at(k)});
}

std::vector<Match> Index::search(const std::uint8_t* queries, std::uint32_t count, int max_distance, int threads,
                                 Plan plan) const {
    if (counts_.entries == 0 || count == 0) return {};
    std::vector<HashWords> permuted(count);
    for (std::uint32_t k = 0; k < count; ++k) permuted[k] = permute(queries + std::uint64_t{k} * kHashBytes);
    if (plan == Plan::automatic) plan = join_pays(counts_.entries, count) ? Plan::join : Plan::per_query;
    if (plan == Plan::join && counts_.layout == Layout::ring) {
        return join(permuted.data(), count, max_distance, threads);
    }
    return search_each(permuted.data(), count, max_distance, threads);
}

std::vector<Match> Index::search_each(const HashWords* queries, std::uint32_t count, int max_distance,
                                      int threads) const {
    const Kernel& kernel = active_kernel();
    const auto run = counts_.layout == Layout::ring ? kernel.search_ring : kernel.search_flat;
    std::vector<std::vector<Match>> turns((count + kQueriesPerTurn - 1) / kQueriesPerTurn);
    parallel_for(turns.size(), threads, [&](std::size_t number) {
        const auto first = static_cast<std::uint32_t>(number * kQueriesPerTurn);
        const QueryRange range{queries->data(), first, std::min(count, first + kQueriesPerTurn)};
        Collector collector{this, &turns[number]};
        run(view_, range, max_distance, collect, &collector);
        std::sort(turns[number].begin(), turns[number].end());
    });
    return concatenated(turns);
}

std::vector<Match> Index::join(const HashWords* queries, std::uint32_t count, int max_distance, int threads) const {
    std::vector<SortedQueries> sorted(kBlockCount);
    parallel_for(kBlockCount, threads, [&](std::size_t table) {
        sorted[table] = sort_queries(queries, count, static_cast<unsigned>(table));
    });
    // Several parts a table, so that threads finish together.
    constexpr std::uint32_t parts_per_table = 8;
    constexpr std::uint32_t keys_per_part = kKeyCount / parts_per_table;
    std::vector<std::vector<Match>> parts(kBlockCount * parts_per_table);
    const Kernel& kernel = active_kernel();
    parallel_for(parts.size(), threads, [&](std::size_t number) {
        const auto table = static_cast<std::uint32_t>(number / parts_per_table);
        const auto first = static_cast<std::uint32_t>(number % parts_per_table) * keys_per_part;
        const QueryTable view = sorted[table].view(queries);
        Collector collector{this, &parts[number]};
        kernel.join_keys(view_, view, {table, first, first + keys_per_part}, max_distance, collect, &collector);
    });
    return sorted_by_query(concatenated(parts), count, threads);
}

}  // namespace ringmatch
