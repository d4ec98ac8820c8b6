// An immutable index over 256-bit hashes that answers "what is within T bits of this" exactly, for T up to 31.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ringmatch/image.hpp"
#include "ringmatch/kernel.hpp"
#include "ringmatch/memory.hpp"
#include "ringmatch/permutation.hpp"

namespace ringmatch {

struct Match {
    std::uint32_t query;
    std::uint32_t distance;
    std::uint64_t id;

    friend auto operator<=>(const Match&, const Match&) = default;
};

// Below this many different hashes a scan beats the tables, which alone take 4 MiB.
constexpr std::uint64_t kRingFromEntries = 8192;

// How a batch of queries meets the tables. Both give the same answers.
enum class Plan {
    automatic,
    per_query,  // each query looks up its keys
    join,       // every table is gone through once with all queries
};

class Index {
  public:
    // hashes: count x 32 bytes; ids: count numbers. The ring layout is used from ring_from different hashes.
    // threads: 0 means every core. Throws std::length_error from 2^32 - 1 hashes.
    static Index build(const std::uint8_t* hashes, const std::uint64_t* ids, std::uint64_t count, int threads,
                       std::uint64_t ring_from = kRingFromEntries, Form form = Form::plain);

    // Maps the file and checks all of it. Throws std::system_error or DamagedImage.
    static Index open(const std::string& path, int threads);

    // The same from the bytes of a file, which are copied.
    static Index load(const std::byte* image, std::size_t bytes, int threads);

    // queries: count x 32 bytes. Sorted by query, then distance, then id. max_distance: 0 to 31.
    std::vector<Match> search(const std::uint8_t* queries, std::uint32_t count, int max_distance, int threads,
                              Plan plan = Plan::automatic) const;

    // Everything that was put in, in stored order. hashes: room for ids x 32 bytes; ids: room for ids numbers.
    void copy_rows(std::uint8_t* hashes, std::uint64_t* ids, int threads) const;

    // How many rows each of these ids has. wanted: ascending, without repeats.
    std::vector<std::uint64_t> count_rows(const std::uint64_t* wanted, std::size_t count) const;

    // The bytes of a file that `open` accepts. Computes the checksums when that was not done yet; safe beside searches.
    const std::byte* sealed_image(int threads);
    std::size_t image_bytes() const { return memory_.size(); }

    const Counts& counts() const { return counts_; }

  private:
    Index(Memory memory, const Counts& counts, bool sealed);

    Memory memory_;
    Counts counts_;
    IndexView view_;
    PackedNumbers ids_{};
    const std::uint64_t* repeated_ = nullptr;  // null when every entry has exactly one id
    const std::uint32_t* extra_ids_ = nullptr;
    bool sealed_ = false;
    std::unique_ptr<std::mutex> sealing_ = std::make_unique<std::mutex>();

    struct Collector;
    static void collect(void* context, std::uint32_t query, std::uint32_t entry, std::uint32_t distance);

    std::uint64_t first_id(std::uint64_t entry) const;
    std::uint64_t id_at(std::uint64_t position) const { return counts_.smallest_id + packed_at(ids_, position); }
    std::vector<Match> search_each(const HashWords* queries, std::uint32_t count, int max_distance, int threads) const;
    std::vector<Match> join(const HashWords* queries, std::uint32_t count, int max_distance, int threads) const;
    void append_ids(std::uint32_t query, std::uint32_t entry, std::uint32_t distance, std::vector<Match>& out) const;
};

}  // namespace ringmatch
