// The functions that exist once per instruction set, and the plain views they work on.
//
// A kernel file is compiled for one instruction set. Anything with external linkage that it shares with other files
// (an instantiated std::vector member, an inline function) could be merged by the linker into the copy that uses
// AVX-512, and then crash on a machine without it. So kernels take raw pointers and report matches through a callback.
#pragma once

#include <cstdint>

#include "ringmatch/packed.hpp"

namespace ringmatch {

constexpr int kHashBytes = 32;
constexpr int kHashWords = 4;
constexpr int kBlockCount = 16;
constexpr std::uint32_t kKeyCount = 65536;  // a block has 16 bits
constexpr int kMaxDistance = 31;            // the probes of the ring method below are complete up to here

// How the tables say which entry is at a position. Table 0 does not: hashes are stored in the order of their block 0.
enum class Form : std::uint32_t {
    plain = 0,    // the number itself, in as many bits as the largest needs
    compact = 1,  // about 18 bits whatever the size of the list, a little slower to read; see compact.hpp
};

// Table t lists the entries by the value of their block t: those with key k are at [starts[k], starts[k + 1]), in
// ascending order.
struct TableView {
    const std::uint32_t* starts;       // kKeyCount + 1 numbers
    const std::uint16_t* next_blocks;  // block (t + 1) mod 16 of the same entry; readable for 64 bytes past the end
    PackedNumbers entries;             // plain form only
    const std::uint16_t* low_bits;     // compact form only
    const std::uint64_t* high_bits;    // compact form only
};

struct IndexView {
    std::uint64_t entry_count;
    Form form;
    const std::uint64_t* hashes;  // kHashWords words each, bits already permuted
    TableView tables[kBlockCount];
};

struct QueryRange {
    const std::uint64_t* hashes;  // all queries, bits already permuted
    std::uint32_t first;
    std::uint32_t last;  // one past the end
};

// All queries in the order of one of their blocks, for joining a batch with that table.
struct QueryTable {
    const std::uint64_t* hashes;  // all queries, bits already permuted
    const std::uint32_t* starts;  // kKeyCount + 1 numbers
    const std::uint32_t* queries;
    const std::uint16_t* next_blocks;
};

struct KeyRange {
    std::uint32_t table;
    std::uint32_t first;
    std::uint32_t last;  // one past the end
};

using MatchSink = void (*)(void* context, std::uint32_t query, std::uint32_t entry, std::uint32_t distance);

// Sparse weights that shrink one axis of a picture to 64. Output o is the sum over k of
// weights[starts[o] + k] * in[first[o] + k].
struct AxisView {
    const std::int32_t* first;   // 64 numbers
    const std::int32_t* starts;  // 65 numbers
    const float* weights;
};

struct PixelView {
    const std::uint8_t* pixels;
    std::int64_t rows;
    std::int64_t columns;
    std::int64_t row_bytes;
    int channels;  // 1 (luma) or 3 (red, green, blue)
};

struct Kernel {
    const char* name;

    // Every entry within max_distance of each query, each once, in no particular order.
    void (*search_ring)(const IndexView&, const QueryRange&, int max_distance, MatchSink, void* context);
    // The same for the part of it that the keys of one table give; all keys of all tables together give everything.
    void (*join_keys)(const IndexView&, const QueryTable&, const KeyRange&, int max_distance, MatchSink, void* context);
    void (*search_flat)(const IndexView&, const QueryRange&, int max_distance, MatchSink, void* context);

    // The weights of each output of `horizontal` are filled up with zeros to a multiple of 16, and with them at most 15
    // floats after the end are read. accumulator: columns * channels + 16 floats; luma: columns + 16 floats, both zero
    // from the start; out: 64 * 64 floats.
    void (*pdq_shrink)(const PixelView&, const AxisView& vertical, const AxisView& horizontal, float* accumulator,
                       float* luma, float* out);
    // image: 64 * 64 floats; matrix: 16 * 64 cosines; out: 16 * 16 floats.
    void (*pdq_transform)(const float* image, const float* matrix, float* out);
};

}  // namespace ringmatch
