// The kernel itself, included once per instruction set after its simd_*.hpp. Everything is in an unnamed namespace so
// that no two instruction sets share a symbol (see ringmatch/kernel.hpp).
//
// The ring method (pigeonring; Qin and Xiao, VLDB 2018, over multi-index hashing, Norouzi et al. 2012). Put the 16
// blocks of a hash on a ring. If two hashes differ in at most T bits, then from some block i onward, going round the
// ring, the first l blocks together differ in at most floor(l * T / 16) bits, for every l. For T <= 31 the first block
// then differs in at most 1 bit (17 keys to look up per table) and the first two in at most 3. So each table keeps the
// next block beside every entry, and a packed scan of those drops almost everything before the first random access.
#pragma once

#include <cstdint>

#include "ringmatch/compact.hpp"
#include "ringmatch/kernel.hpp"

namespace ringmatch {
namespace {

constexpr std::uint32_t kProbesPerTable = 17;
constexpr std::uint32_t kColumnLength = 1024;  // two columns of this many words take half of the nearest cache

constexpr std::int64_t kStepsAheadForStarts = 8;  // in (query, table) steps
constexpr std::int64_t kStepRing = 16;            // power of two above the steps ahead for buckets
constexpr std::uint32_t kFifoSize = 64;           // power of two
constexpr std::uint32_t kFifoLag = 32;            // survivors waiting for their prefetched line
constexpr std::int64_t kPrefetchedLines = 6;      // per bucket; the hardware follows longer ones by itself

// How far ahead of their scan buckets are fetched, and how near. Tables that fit the outer cache come quickest straight
// into the inner one; those that do not need more time, and would push one another out of it. Measured on Zen 4.
struct SmallTables {
    static constexpr std::int64_t steps_ahead = 4;
    static constexpr int locality = 3;
};
struct LargeTables {
    static constexpr std::int64_t steps_ahead = 8;
    static constexpr int locality = 2;
};
constexpr std::uint64_t kLargeFromEntries = 3'000'000;

struct Limits {
    std::uint32_t first_block;
    std::uint32_t first_two_blocks;
};

inline Limits limits_for(int max_distance) {
    return {static_cast<std::uint32_t>(max_distance / kBlockCount),
            static_cast<std::uint32_t>(2 * max_distance / kBlockCount)};
}

inline std::uint16_t block_of(const std::uint64_t* hash, std::uint32_t block) {
    return static_cast<std::uint16_t>(hash[block / 4] >> (16 * (block % 4)));
}

template <class Tuning>
inline void prefetch_lines(const std::uint16_t* begin, const std::uint16_t* end) {
    constexpr std::uintptr_t line = 64;
    std::uintptr_t address = reinterpret_cast<std::uintptr_t>(begin) & ~(line - 1);
    const std::uintptr_t stop = reinterpret_cast<std::uintptr_t>(end);
    for (std::int64_t k = 0; k < kPrefetchedLines && address < stop; ++k, address += line) {
        __builtin_prefetch(reinterpret_cast<const void*>(address), 0, Tuning::locality);
    }
}

// A pair within range passes the test of at least one table, often of several. It counts only in the first of them,
// which both sides can tell without remembering anything.
inline bool is_first_passing_table(const std::uint64_t* a, const std::uint64_t* b, std::uint32_t table, Limits limits) {
    for (std::uint32_t earlier = 0; earlier < table; ++earlier) {
        const std::uint32_t next = (earlier + 1) % kBlockCount;
        const std::uint32_t here = count_bits(static_cast<std::uint16_t>(block_of(a, earlier) ^ block_of(b, earlier)));
        const std::uint32_t there = count_bits(static_cast<std::uint16_t>(block_of(a, next) ^ block_of(b, next)));
        if (here <= limits.first_block && here + there <= limits.first_two_blocks) return false;
    }
    return true;
}

struct Bucket {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint16_t key;
    std::uint16_t limit;  // bits that the next block may still differ in
};

struct BucketList {
    Bucket buckets[kProbesPerTable];
    std::uint32_t count;
};

struct Survivor {
    std::uint32_t query;
    std::uint16_t table;
    std::uint16_t key;
    std::uint32_t where;  // position in the table, then the entry there
};

// How each form of a table names the entry at a position, and what to fetch before asking.
struct PlainEntries {
    static void prefetch(const IndexView&, const TableView& table, std::uint32_t, std::uint32_t position) {
        __builtin_prefetch(packed_address(table.entries, position));
    }
    static std::uint64_t at(const IndexView&, const TableView& table, std::uint32_t, std::uint32_t position) {
        return packed_at(table.entries, position);
    }
};

struct CompactEntries {
    static void prefetch(const IndexView& index, const TableView& table, std::uint32_t key, std::uint32_t position) {
        const std::uint64_t first = compact_first_bit(index.entry_count, key, position);
        const std::uint64_t last = first + (index.entry_count >> 16);
        __builtin_prefetch(table.low_bits + position);
        __builtin_prefetch(table.high_bits + first / kLineBits * kLineWords);
        __builtin_prefetch(table.high_bits + last / kLineBits * kLineWords);
    }
    static std::uint64_t at(const IndexView& index, const TableView& table, std::uint32_t key, std::uint32_t position) {
        return compact_entry(table.low_bits, table.high_bits, index.entry_count, key, position,
                             [](std::uint64_t word) { return std::uint64_t{count_bits(word)}; });
    }
};

// Survivors of the packed scan wait in two queues, first for the lines that name their entry, then for their hash.
// The queues are bounded, so a bucket of any size passes through.
template <class Entries>
class SurvivorQueue {
  public:
    SurvivorQueue(const IndexView& index, const std::uint64_t* queries, int max_distance, MatchSink sink, void* context)
        : index_(index),
          queries_(queries),
          max_distance_(static_cast<std::uint32_t>(max_distance)),
          limits_(limits_for(max_distance)),
          sink_(sink),
          context_(context) {}

    void push(std::uint32_t query, std::uint32_t table, std::uint32_t key, std::uint32_t position) {
        const Survivor survivor{query, static_cast<std::uint16_t>(table), static_cast<std::uint16_t>(key), position};
        if (table == 0) {
            push_entry(survivor);
            return;
        }
        Entries::prefetch(index_, index_.tables[table], key, position);
        positions_[positions_in_++ % kFifoSize] = survivor;
        if (positions_in_ - positions_out_ >= kFifoLag) resolve_oldest();
    }

    void drain() {
        while (positions_out_ != positions_in_) resolve_oldest();
        while (entries_out_ != entries_in_) verify_oldest();
    }

  private:
    void resolve_oldest() {
        Survivor survivor = positions_[positions_out_++ % kFifoSize];
        const std::uint64_t entry = Entries::at(index_, index_.tables[survivor.table], survivor.key, survivor.where);
        // Opening does not look at every number. Only a forged file has one beyond the end, and it must not be followed.
        if (entry >= index_.entry_count) return;
        survivor.where = static_cast<std::uint32_t>(entry);
        push_entry(survivor);
    }

    void push_entry(Survivor survivor) {
        __builtin_prefetch(index_.hashes + std::uint64_t{survivor.where} * kHashWords);
        __builtin_prefetch(queries_ + std::uint64_t{survivor.query} * kHashWords);
        entries_[entries_in_++ % kFifoSize] = survivor;
        if (entries_in_ - entries_out_ >= kFifoLag) verify_oldest();
    }

    void verify_oldest() {
        const Survivor survivor = entries_[entries_out_++ % kFifoSize];
        const std::uint64_t* query = queries_ + std::uint64_t{survivor.query} * kHashWords;
        const std::uint64_t* hash = index_.hashes + std::uint64_t{survivor.where} * kHashWords;
        const std::uint32_t distance = hash_distance(query, hash);
        if (distance <= max_distance_ && is_first_passing_table(query, hash, survivor.table, limits_)) {
            sink_(context_, survivor.query, survivor.where, distance);
        }
    }

    const IndexView& index_;
    const std::uint64_t* queries_;
    std::uint32_t max_distance_;
    Limits limits_;
    MatchSink sink_;
    void* context_;
    Survivor positions_[kFifoSize];
    Survivor entries_[kFifoSize];
    std::uint32_t positions_in_ = 0, positions_out_ = 0, entries_in_ = 0, entries_out_ = 0;
};

// Probe 0 is the key itself, probe p flips its bit p - 1.
inline std::uint32_t key_of(std::uint32_t block, std::uint32_t probe) {
    return probe == 0 ? block : block ^ (1u << (probe - 1));
}

inline std::uint32_t probes_for(Limits limits) { return limits.first_block == 0 ? 1 : kProbesPerTable; }

inline std::uint16_t next_limit(Limits limits, std::uint32_t probe) {
    return static_cast<std::uint16_t>(limits.first_two_blocks - (probe == 0 ? 0u : 1u));
}

template <class Tuning, class Entries>
void search_ring_tuned(const IndexView& index, const QueryRange& queries, int max_distance, MatchSink sink,
                       void* context) {
    static_assert(Tuning::steps_ahead < kStepRing);
    const Limits limits = limits_for(max_distance);
    const std::uint32_t probes = probes_for(limits);
    const std::int64_t steps = static_cast<std::int64_t>(queries.last - queries.first) * kBlockCount;
    BucketList lists[kStepRing];
    SurvivorQueue<Entries> survivors(index, queries.hashes, max_distance, sink, context);

    const auto query_of = [&](std::int64_t step) {
        return queries.hashes + (queries.first + static_cast<std::uint64_t>(step / kBlockCount)) * kHashWords;
    };
    const auto prefetch_starts = [&](std::int64_t step) {
        const std::uint32_t table = static_cast<std::uint32_t>(step % kBlockCount);
        const std::uint16_t block = block_of(query_of(step), table);
        const std::uint32_t* starts = index.tables[table].starts;
        __builtin_prefetch(starts + block);
        // Flips of the lowest four bits stay within the same line of sixteen numbers.
        for (std::uint32_t probe = 5; probe < probes; ++probe) __builtin_prefetch(starts + key_of(block, probe));
    };
    const auto find_buckets = [&](std::int64_t step) {
        const std::uint32_t table = static_cast<std::uint32_t>(step % kBlockCount);
        const std::uint16_t block = block_of(query_of(step), table);
        const TableView& view = index.tables[table];
        BucketList& list = lists[step % kStepRing];
        list.count = 0;
        for (std::uint32_t probe = 0; probe < probes; ++probe) {
            const std::uint32_t key = key_of(block, probe);
            const std::uint32_t begin = view.starts[key], end = view.starts[key + 1];
            list.buckets[list.count] = {begin, end, static_cast<std::uint16_t>(key), next_limit(limits, probe)};
            list.count += begin != end;
            prefetch_lines<Tuning>(view.next_blocks + begin, view.next_blocks + end);
        }
    };
    const auto scan_step = [&](std::int64_t step) {
        const std::uint32_t table = static_cast<std::uint32_t>(step % kBlockCount);
        const std::uint32_t query = queries.first + static_cast<std::uint32_t>(step / kBlockCount);
        const std::uint16_t next = block_of(query_of(step), (table + 1) % kBlockCount);
        const BucketList& list = lists[step % kStepRing];
        for (std::uint32_t k = 0; k < list.count; ++k) {
            const Bucket bucket = list.buckets[k];
            scan_blocks(index.tables[table].next_blocks, bucket.begin, bucket.end, next, bucket.limit,
                        [&](std::uint32_t position) { survivors.push(query, table, bucket.key, position); });
        }
    };

    constexpr std::int64_t lead = Tuning::steps_ahead + kStepsAheadForStarts;
    for (std::int64_t step = -lead; step < steps; ++step) {
        if (step + lead < steps) prefetch_starts(step + lead);
        const std::int64_t ahead = step + Tuning::steps_ahead;
        if (ahead >= 0 && ahead < steps) find_buckets(ahead);
        if (step >= 0) scan_step(step);
    }
    survivors.drain();
}

template <class Entries>
void search_ring_in(const IndexView& index, const QueryRange& queries, int max_distance, MatchSink sink,
                    void* context) {
    if (index.entry_count < kLargeFromEntries) {
        search_ring_tuned<SmallTables, Entries>(index, queries, max_distance, sink, context);
    } else {
        search_ring_tuned<LargeTables, Entries>(index, queries, max_distance, sink, context);
    }
}

void search_ring(const IndexView& index, const QueryRange& queries, int max_distance, MatchSink sink, void* context) {
    if (index.form == Form::compact) {
        search_ring_in<CompactEntries>(index, queries, max_distance, sink, context);
    } else {
        search_ring_in<PlainEntries>(index, queries, max_distance, sink, context);
    }
}

// The other way round for many queries: go through a table once, in order, and bring to each bucket the queries that
// probe it. The table streams in at the speed of memory, and the queries, sorted by their block, fit the inner caches.
template <class Entries>
void join_keys_in(const IndexView& index, const QueryTable& table, const KeyRange& range, int max_distance,
                  MatchSink sink, void* context) {
    constexpr std::uint64_t line_blocks = 32;
    constexpr std::uint64_t lines_ahead = 24;
    const Limits limits = limits_for(max_distance);
    const std::uint32_t probes = probes_for(limits);
    const TableView& view = index.tables[range.table];
    SurvivorQueue<Entries> survivors(index, table.hashes, max_distance, sink, context);
    for (std::uint32_t key = range.first; key < range.last; ++key) {
        const std::uint32_t begin = view.starts[key], end = view.starts[key + 1];
        if (begin == end) continue;
        for (std::uint64_t block = begin; block < end; block += line_blocks) {
            __builtin_prefetch(view.next_blocks + block + lines_ahead * line_blocks);
        }
        for (std::uint32_t probe = 0; probe < probes; ++probe) {
            // Flipping a bit is its own inverse: the queries that probe this key are those at its neighbours.
            const std::uint32_t from = key_of(key, probe);
            const std::uint32_t limit = next_limit(limits, probe);
            for (std::uint32_t k = table.starts[from]; k < table.starts[from + 1]; ++k) {
                const std::uint32_t query = table.queries[k];
                scan_blocks(view.next_blocks, begin, end, table.next_blocks[k], limit,
                            [&](std::uint32_t position) { survivors.push(query, range.table, key, position); });
            }
        }
    }
    survivors.drain();
}

void join_keys(const IndexView& index, const QueryTable& table, const KeyRange& range, int max_distance, MatchSink sink,
               void* context) {
    if (index.form == Form::compact) {
        join_keys_in<CompactEntries>(index, table, range, max_distance, sink, context);
    } else {
        join_keys_in<PlainEntries>(index, table, range, max_distance, sink, context);
    }
}

void scan_for_one(const IndexView& index, const QueryRange& queries, std::uint32_t query, int max_distance,
                  MatchSink sink, void* context) {
    scan_hashes(index.hashes, index.entry_count, queries.hashes + std::uint64_t{query} * kHashWords,
                static_cast<std::uint32_t>(max_distance),
                [&](std::uint32_t entry, std::uint32_t distance) { sink(context, query, entry, distance); });
}

// Many queries meet one stretch of hashes while it is in the nearest cache. Turned into columns, half of each hash is
// enough to drop nearly every pair: what differs in more than T of 128 bits does so in more than T of 256.
void scan_for_many(const IndexView& index, const QueryRange& queries, int max_distance, MatchSink sink, void* context) {
    alignas(64) std::uint64_t columns[2][kColumnLength];
    const auto limit = static_cast<std::uint32_t>(max_distance);
    for (std::uint64_t start = 0; start < index.entry_count; start += kColumnLength) {
        const std::uint64_t rest = index.entry_count - start;
        const auto count = static_cast<std::uint32_t>(rest < kColumnLength ? rest : kColumnLength);
        const std::uint64_t* hashes = index.hashes + start * kHashWords;
        for (std::uint32_t k = 0; k < count; ++k) {
            columns[0][k] = hashes[std::uint64_t{k} * kHashWords];
            columns[1][k] = hashes[std::uint64_t{k} * kHashWords + 1];
        }
        for (std::uint32_t k = count; k < kColumnLength; ++k) columns[0][k] = columns[1][k] = 0;
        for (std::uint32_t query = queries.first; query < queries.last; ++query) {
            const std::uint64_t* wanted = queries.hashes + std::uint64_t{query} * kHashWords;
            scan_columns(columns[0], columns[1], count, wanted, limit, [&](std::uint32_t k) {
                if (k >= count) return;
                const std::uint32_t distance = hash_distance(hashes + std::uint64_t{k} * kHashWords, wanted);
                if (distance <= limit) sink(context, query, static_cast<std::uint32_t>(start) + k, distance);
            });
        }
    }
}

void search_flat(const IndexView& index, const QueryRange& queries, int max_distance, MatchSink sink, void* context) {
    constexpr std::uint32_t columns_pay_from = 4;
    if (queries.last - queries.first >= columns_pay_from) {
        scan_for_many(index, queries, max_distance, sink, context);
        return;
    }
    for (std::uint32_t query = queries.first; query < queries.last; ++query) {
        scan_for_one(index, queries, query, max_distance, sink, context);
    }
}

// One output row is a weighted sum of input rows, taken in stretches that keep the sums in the nearest cache.
inline void sum_rows(const PixelView& image, std::int64_t first_row, const float* weights, std::int64_t count,
                     float* __restrict sums) {
    constexpr std::int64_t stretch = 2048;
    const std::int64_t width = image.columns * image.channels;
    const std::uint8_t* top = image.pixels + first_row * image.row_bytes;
    for (std::int64_t begin = 0; begin < width; begin += stretch) {
        const std::int64_t end = begin + stretch < width ? begin + stretch : width;
        for (std::int64_t j = begin; j < end; ++j) sums[j] = 0.0f;
        std::int64_t k = 0;
        for (; k + 4 <= count; k += 4) {
            const std::uint8_t* r0 = top + k * image.row_bytes;
            const std::uint8_t* r1 = r0 + image.row_bytes;
            const std::uint8_t* r2 = r1 + image.row_bytes;
            const std::uint8_t* r3 = r2 + image.row_bytes;
            const float w0 = weights[k], w1 = weights[k + 1], w2 = weights[k + 2], w3 = weights[k + 3];
            for (std::int64_t j = begin; j < end; ++j) {
                sums[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j]);
            }
        }
        for (; k < count; ++k) {
            const std::uint8_t* row = top + k * image.row_bytes;
            const float weight = weights[k];
            for (std::int64_t j = begin; j < end; ++j) sums[j] += weight * row[j];
        }
    }
}

// The sixteen partial sums are spelled out because the order of additions decides the rounding, and every path must
// round alike. count: a multiple of 16, so that they stay in registers.
inline float weighted_sum(const float* values, const float* weights, std::int64_t count) {
    float partial[16] = {};
    for (std::int64_t k = 0; k < count; k += 16) {
        for (int lane = 0; lane < 16; ++lane) partial[lane] += weights[k + lane] * values[k + lane];
    }
    for (int half = 8; half > 0; half /= 2) {
        for (int lane = 0; lane < half; ++lane) partial[lane] += partial[lane + half];
    }
    return partial[0];
}

// The blur and the decimation of PDQ are linear and separable, so each of the 64 x 64 outputs is a weighted sum with
// rows and columns weighted apart, and every input byte is read about once.
void pdq_shrink(const PixelView& image, const AxisView& vertical, const AxisView& horizontal, float* accumulator,
                float* luma, float* out) {
    for (int row = 0; row < 64; ++row) {
        const std::int32_t start = vertical.starts[row];
        sum_rows(image, vertical.first[row], vertical.weights + start, vertical.starts[row + 1] - start, accumulator);
        const float* line = accumulator;
        if (image.channels == 3) {
            for (std::int64_t j = 0; j < image.columns; ++j) {
                luma[j] =
                    0.299f * accumulator[3 * j] + 0.587f * accumulator[3 * j + 1] + 0.114f * accumulator[3 * j + 2];
            }
            line = luma;
        }
        for (int column = 0; column < 64; ++column) {
            const std::int32_t begin = horizontal.starts[column];
            out[row * 64 + column] = weighted_sum(line + horizontal.first[column], horizontal.weights + begin,
                                                  horizontal.starts[column + 1] - begin);
        }
    }
}

void pdq_transform(const float* image, const float* matrix, float* out) {
    float half_done[16][64] = {};
    for (int i = 0; i < 16; i += 4) {
        for (int k = 0; k < 64; ++k) {
            const float* row = image + k * 64;
            for (int u = 0; u < 4; ++u) {
                const float cosine = matrix[(i + u) * 64 + k];
                for (int j = 0; j < 64; ++j) half_done[i + u][j] += cosine * row[j];
            }
        }
    }
    float transposed[64][16];
    for (int i = 0; i < 16; ++i) {
        for (int k = 0; k < 64; ++k) transposed[k][i] = matrix[i * 64 + k];
    }
    for (int i = 0; i < 16; ++i) {
        float row[16] = {};
        for (int k = 0; k < 64; ++k) {
            for (int j = 0; j < 16; ++j) row[j] += half_done[i][k] * transposed[k][j];
        }
        for (int j = 0; j < 16; ++j) out[i * 16 + j] = row[j];
    }
}

constexpr Kernel make_kernel(const char* name) {
    return {name, search_ring, join_keys, search_flat, pdq_shrink, pdq_transform};
}

}  // namespace
}  // namespace ringmatch
