// Plain C++: four 16-bit blocks at a time inside a 64-bit word. Runs anywhere, and asks for no instruction that counts
// bits.
#pragma once

#include <cstdint>
#include <cstring>

namespace ringmatch {
namespace {

// How many bits each byte has. The builtin would call a function where there is no instruction for it.
inline std::uint64_t count_bits_per_byte(std::uint64_t x) {
    x -= (x >> 1) & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
    return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
}

// Written with shifts and not with a multiplication, so that a compiler can do several at once with whatever it has.
inline std::uint32_t sum_bytes(std::uint64_t x) {
    x = (x & 0x00ff00ff00ff00ffu) + ((x >> 8) & 0x00ff00ff00ff00ffu);
    x += x >> 16;
    x += x >> 32;
    return static_cast<std::uint32_t>(x) & 0xffffu;
}

inline std::uint32_t count_bits(std::uint64_t x) { return sum_bytes(count_bits_per_byte(x)); }

inline std::uint32_t hash_distance(const std::uint64_t* a, const std::uint64_t* b) {
    return sum_bytes(count_bits_per_byte(a[0] ^ b[0]) + count_bits_per_byte(a[1] ^ b[1]) +
                     count_bits_per_byte(a[2] ^ b[2]) + count_bits_per_byte(a[3] ^ b[3]));
}

// Calls keep(position) for every position in [begin, end) whose block differs from `block` in at most `limit` bits.
template <class Keep>
inline void scan_blocks(const std::uint16_t* blocks, std::uint32_t begin, std::uint32_t end, std::uint16_t block,
                        std::uint32_t limit, Keep&& keep) {
    constexpr std::uint64_t every_lane = 0x0001000100010001u;
    constexpr std::uint64_t top_bits = 0x8000800080008000u;
    const std::uint64_t wanted = block * every_lane;
    // With the top bit set, a lane keeps it through the subtraction exactly when its count is within the limit.
    const std::uint64_t limits = (limit * every_lane) | top_bits;
    std::uint32_t position = begin;
    for (; position + 4 <= end; position += 4) {
        std::uint64_t x;
        std::memcpy(&x, blocks + position, sizeof x);
        x ^= wanted;
        x = count_bits_per_byte(x);
        x = (x + (x >> 8)) & 0x001f001f001f001fu;
        if (((limits - x) & top_bits) == 0) continue;
        for (std::uint32_t lane = 0; lane < 4; ++lane) {
            if (count_bits(static_cast<std::uint16_t>(blocks[position + lane] ^ block)) <= limit) keep(position + lane);
        }
    }
    for (; position < end; ++position) {
        if (count_bits(static_cast<std::uint16_t>(blocks[position] ^ block)) <= limit) keep(position);
    }
}

// Calls keep(entry, distance) for every hash within max_distance of the query.
template <class Keep>
inline void scan_hashes(const std::uint64_t* hashes, std::uint64_t count, const std::uint64_t* query,
                        std::uint32_t max_distance, Keep&& keep) {
    for (std::uint64_t entry = 0; entry < count; ++entry) {
        const std::uint32_t distance = hash_distance(hashes + entry * 4, query);
        if (distance <= max_distance) keep(static_cast<std::uint32_t>(entry), distance);
    }
}

// Calls keep(k), for some k below a multiple of 32 that is at least count, among them every k below count whose two
// words differ from the first two of the query in at most max_distance bits.
template <class Keep>
inline void scan_columns(const std::uint64_t* first, const std::uint64_t* second, std::uint32_t count,
                         const std::uint64_t* query, std::uint32_t max_distance, Keep&& keep) {
    constexpr std::uint32_t turn = 32;
    for (std::uint32_t start = 0; start < count; start += turn) {
        std::uint64_t counts[turn];
        std::uint64_t least = ~std::uint64_t{0};
        for (std::uint32_t k = 0; k < turn; ++k) {
            const std::uint64_t bytes = count_bits_per_byte(first[start + k] ^ query[0]) +
                                        count_bits_per_byte(second[start + k] ^ query[1]);
            counts[k] = sum_bytes(bytes);
        }
        for (std::uint32_t k = 0; k < turn; ++k) least = counts[k] < least ? counts[k] : least;
        if (least > max_distance) continue;
        for (std::uint32_t k = 0; k < turn; ++k) {
            if (counts[k] <= max_distance) keep(start + k);
        }
    }
}

}  // namespace
}  // namespace ringmatch
