#include <algorithm>
#include <cstring>
#include <utility>

#include "parallel.hpp"
#include "ringmatch/dispatch.hpp"
#include "ringmatch/index.hpp"
#include "ringmatch/permutation.hpp"

namespace ringmatch {
namespace {

// Queries that one thread takes at a time: enough to fill the pipeline of the kernel, few enough to share out.
constexpr std::uint32_t kQueriesPerTurn = 256;

}  // namespace

Index::Index(Memory memory, const Counts& counts, bool sealed)
    : memory_(std::move(memory)), counts_(counts), view_{}, sealed_(sealed) {
    const ImageMap map(counts_);
    const std::byte* image = memory_.data();
    ids_ = image + map.ids;
    if (counts_.has_id_starts()) id_starts_ = reinterpret_cast<const std::uint32_t*>(image + map.id_starts);
    view_.entry_count = counts_.entries;
    view_.hashes = reinterpret_cast<const std::uint64_t*>(image + map.hashes);
    if (counts_.layout == Layout::flat) return;
    for (int table = 0; table < kBlockCount; ++table) {
        view_.tables[table].starts = reinterpret_cast<const std::uint32_t*>(image + map.starts[table]);
        view_.tables[table].entries =
            table == 0 ? nullptr : reinterpret_cast<const std::uint32_t*>(image + map.entries[table]);
        view_.tables[table].next_blocks = reinterpret_cast<const std::uint16_t*>(image + map.next_blocks[table]);
    }
}

Index Index::open(const std::string& path, int threads) {
    Memory memory = Memory::map_file(path);
    const Counts counts = check_image(memory.data(), memory.size(), threads);
    return Index(std::move(memory), counts, true);
}

const std::byte* Index::sealed_image(int threads) {
    const std::lock_guard<std::mutex> lock(*sealing_);
    if (!sealed_) {
        seal_image(memory_.data(), counts_, threads);
        sealed_ = true;
    }
    return memory_.data();
}

std::uint64_t Index::id_at(std::uint64_t position) const {
    if (counts_.id_bytes == 8) {
        std::uint64_t id;
        std::memcpy(&id, ids_ + position * 8, 8);
        return id;
    }
    std::uint32_t id;
    std::memcpy(&id, ids_ + position * 4, 4);
    return id;
}

void Index::append_ids(std::uint32_t query, std::uint32_t entry, std::uint32_t distance,
                       std::vector<Match>& out) const {
    const std::uint64_t begin = id_starts_ == nullptr ? entry : id_starts_[entry];
    const std::uint64_t end = id_starts_ == nullptr ? std::uint64_t{entry} + 1 : id_starts_[entry + 1];
    for (std::uint64_t k = begin; k < end; ++k) out.push_back({query, distance, id_at(k)});
}

std::vector<Match> Index::search(const std::uint8_t* queries, std::uint32_t count, int max_distance,
                                 int threads) const {
    if (counts_.entries == 0 || count == 0) return {};
    std::vector<HashWords> permuted(count);
    for (std::uint32_t k = 0; k < count; ++k) permuted[k] = permute(queries + std::uint64_t{k} * kHashBytes);

    const Kernel& kernel = active_kernel();
    const auto run = counts_.layout == Layout::ring ? kernel.search_ring : kernel.search_flat;
    struct Turn {
        const Index* index;
        std::vector<Match> matches;
    };
    std::vector<Turn> turns((count + kQueriesPerTurn - 1) / kQueriesPerTurn, Turn{this, {}});
    parallel_for(turns.size(), threads, [&](std::size_t number) {
        Turn& turn = turns[number];
        const auto first = static_cast<std::uint32_t>(number * kQueriesPerTurn);
        const QueryRange range{permuted[0].data(), first, std::min(count, first + kQueriesPerTurn)};
        const MatchSink sink = [](void* context, std::uint32_t query, std::uint32_t entry, std::uint32_t distance) {
            Turn& own = *static_cast<Turn*>(context);
            own.index->append_ids(query, entry, distance, own.matches);
        };
        run(view_, range, max_distance, sink, &turn);
        std::sort(turn.matches.begin(), turn.matches.end());
    });
    if (turns.size() == 1) return std::move(turns[0].matches);
    std::vector<Match> all;
    std::size_t total = 0;
    for (const Turn& turn : turns) total += turn.matches.size();
    all.reserve(total);
    for (const Turn& turn : turns) all.insert(all.end(), turn.matches.begin(), turn.matches.end());
    return all;
}

}  // namespace ringmatch
