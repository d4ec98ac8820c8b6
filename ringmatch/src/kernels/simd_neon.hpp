// NEON, which every 64-bit Arm processor has: bits are counted per byte, then neighbours are added up.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace ringmatch {
namespace {

// For single blocks only; whole hashes and columns stay in vectors.
inline std::uint32_t count_bits(std::uint64_t x) { return vaddv_u8(vcnt_u8(vcreate_u8(x))); }

inline std::uint32_t hash_distance(const std::uint64_t* a, const std::uint64_t* b) {
    const uint64x2_t low = veorq_u64(vld1q_u64(a), vld1q_u64(b));
    const uint64x2_t high = veorq_u64(vld1q_u64(a + 2), vld1q_u64(b + 2));
    const uint8x16_t counts = vaddq_u8(vcntq_u8(vreinterpretq_u8_u64(low)), vcntq_u8(vreinterpretq_u8_u64(high)));
    // 256 different bits are one too many for eight bits.
    return vaddlvq_u8(counts);
}

// All ones in each lane whose block differs from the wanted one in at most the limit.
inline uint16x8_t near_blocks(const std::uint16_t* blocks, uint16x8_t wanted, uint16x8_t limits) {
    const uint8x16_t difference = vreinterpretq_u8_u16(veorq_u16(vld1q_u16(blocks), wanted));
    return vcleq_u16(vpaddlq_u8(vcntq_u8(difference)), limits);
}

template <class Keep>
inline void scan_blocks(const std::uint16_t* blocks, std::uint32_t begin, std::uint32_t end, std::uint16_t block,
                        std::uint32_t limit, Keep&& keep) {
    const uint16x8_t wanted = vdupq_n_u16(block);
    const uint16x8_t limits = vdupq_n_u16(static_cast<std::uint16_t>(limit));
    // The tables are readable for 32 blocks past their end.
    for (std::uint32_t position = begin; position < end; position += 32) {
        const std::uint16_t* here = blocks + position;
        // Each lane shrinks to a byte: two vectors of them say which of the 32 are near.
        const uint8x16_t first = vcombine_u8(vmovn_u16(near_blocks(here, wanted, limits)),
                                             vmovn_u16(near_blocks(here + 8, wanted, limits)));
        const uint8x16_t second = vcombine_u8(vmovn_u16(near_blocks(here + 16, wanted, limits)),
                                              vmovn_u16(near_blocks(here + 24, wanted, limits)));
        if (vmaxvq_u32(vreinterpretq_u32_u8(vorrq_u8(first, second))) == 0) continue;
        const auto keep_each = [&](uint8x16_t near, std::uint32_t from) {
            // Four bits a lane, of which one is enough.
            const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(near), 4);
            std::uint64_t kept = vget_lane_u64(vreinterpret_u64_u8(nibbles), 0) & 0x1111111111111111u;
            for (; kept != 0; kept &= kept - 1) {
                const std::uint32_t place = from + (static_cast<std::uint32_t>(__builtin_ctzll(kept)) >> 2);
                if (place >= end) return;
                keep(place);
            }
        };
        keep_each(first, position);
        keep_each(second, position + 16);
    }
}

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
    const uint64x2_t wanted_first = vdupq_n_u64(query[0]);
    const uint64x2_t wanted_second = vdupq_n_u64(query[1]);
    const uint32x4_t limits = vdupq_n_u32(max_distance);
    const auto counts_of_two = [&](std::uint32_t k) {
        const uint8x16_t a = vcntq_u8(vreinterpretq_u8_u64(veorq_u64(vld1q_u64(first + k), wanted_first)));
        const uint8x16_t b = vcntq_u8(vreinterpretq_u8_u64(veorq_u64(vld1q_u64(second + k), wanted_second)));
        return vpaddlq_u8(vaddq_u8(a, b));
    };
    for (std::uint32_t k = 0; k < count; k += 8) {
        // Pairwise sums of neighbours: after the last one, lane j of `low` belongs to k + j, of `high` to k + 4 + j.
        const uint16x8_t p = vpaddq_u16(counts_of_two(k), counts_of_two(k + 2));
        const uint16x8_t q = vpaddq_u16(counts_of_two(k + 4), counts_of_two(k + 6));
        const uint32x4_t low = vpaddlq_u16(p), high = vpaddlq_u16(q);
        const uint16x8_t near = vcombine_u16(vmovn_u32(vcleq_u32(low, limits)), vmovn_u32(vcleq_u32(high, limits)));
        std::uint64_t kept = vget_lane_u64(vreinterpret_u64_u8(vmovn_u16(near)), 0) & 0x0101010101010101u;
        for (; kept != 0; kept &= kept - 1) keep(k + (static_cast<std::uint32_t>(__builtin_ctzll(kept)) >> 3));
    }
}

}  // namespace
}  // namespace ringmatch
