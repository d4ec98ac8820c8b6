// AVX-512 with BITALG and VPOPCNTDQ: thirty-two blocks, or eight whole hashes, per instruction group.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ringmatch {
namespace {

inline std::uint32_t count_bits(std::uint64_t x) { return static_cast<std::uint32_t>(__builtin_popcountll(x)); }

inline std::uint32_t hash_distance(const std::uint64_t* a, const std::uint64_t* b) {
    const __m256i difference = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)),
                                                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)));
    const __m256i counts = _mm256_popcnt_epi64(difference);
    const __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(counts), _mm256_extracti128_si256(counts, 1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1));
}

template <class Keep>
inline void scan_blocks(const std::uint16_t* blocks, std::uint32_t begin, std::uint32_t end, std::uint16_t block,
                        std::uint32_t limit, Keep&& keep) {
    const __m512i wanted = _mm512_set1_epi16(static_cast<short>(block));
    const __m512i limits = _mm512_set1_epi16(static_cast<short>(limit));
    for (std::uint32_t position = begin; position < end; position += 32) {
        const std::uint32_t remaining = end - position;
        const __mmask32 inside = _bzhi_u32(~0u, remaining < 32 ? remaining : 32);
        const __m512i counts = _mm512_popcnt_epi16(_mm512_xor_si512(_mm512_loadu_si512(blocks + position), wanted));
        std::uint32_t kept = _mm512_mask_cmple_epu16_mask(inside, counts, limits);
        for (; kept != 0; kept &= kept - 1) keep(position + static_cast<std::uint32_t>(__builtin_ctz(kept)));
    }
}

template <class Keep>
inline void scan_hashes(const std::uint64_t* hashes, std::uint64_t count, const std::uint64_t* query,
                        std::uint32_t max_distance, Keep&& keep) {
    const __m512i wanted = _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(query)));
    const auto counts_of_two = [&](const std::uint64_t* two) {
        return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(two), wanted));
    };
    const __m512i limits = _mm512_set1_epi64(max_distance);
    std::uint64_t entry = 0;
    for (; entry + 8 <= count; entry += 8) {
        const std::uint64_t* eight = hashes + entry * 4;
        const __m512i a = counts_of_two(eight), b = counts_of_two(eight + 8);
        const __m512i c = counts_of_two(eight + 16), d = counts_of_two(eight + 24);
        const __m512i ab = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
        const __m512i cd = _mm512_add_epi64(_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
        // The eight sums come out in another order than the hashes: good enough to ask whether any is in range.
        const __m512i sums = _mm512_add_epi64(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xdd));
        if (_mm512_cmple_epu64_mask(sums, limits) == 0) continue;
        for (std::uint64_t k = 0; k < 8; ++k) {
            const std::uint32_t distance = hash_distance(eight + k * 4, query);
            if (distance <= max_distance) keep(static_cast<std::uint32_t>(entry + k), distance);
        }
    }
    for (; entry < count; ++entry) {
        const std::uint32_t distance = hash_distance(hashes + entry * 4, query);
        if (distance <= max_distance) keep(static_cast<std::uint32_t>(entry), distance);
    }
}

// Calls keep(k), for some k below a multiple of 32 that is at least count, among them every k below count whose two
// words differ from the first two of the query in at most max_distance bits.
template <class Keep>
inline void scan_columns(const std::uint64_t* first, const std::uint64_t* second, std::uint32_t count,
                         const std::uint64_t* query, std::uint32_t max_distance, Keep&& keep) {
    const __m512i wanted_first = _mm512_set1_epi64(static_cast<long long>(query[0]));
    const __m512i wanted_second = _mm512_set1_epi64(static_cast<long long>(query[1]));
    const __m512i limits = _mm512_set1_epi64(max_distance);
    const auto eight_from = [&](std::uint32_t k) {
        const __m512i a = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_load_si512(first + k), wanted_first));
        const __m512i b = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_load_si512(second + k), wanted_second));
        return static_cast<std::uint32_t>(_mm512_cmple_epu64_mask(_mm512_add_epi64(a, b), limits));
    };
    for (std::uint32_t k = 0; k < count; k += 32) {
        std::uint32_t kept =
            eight_from(k) | eight_from(k + 8) << 8 | eight_from(k + 16) << 16 | eight_from(k + 24) << 24;
        for (; kept != 0; kept &= kept - 1) keep(k + static_cast<std::uint32_t>(__builtin_ctz(kept)));
    }
}

}  // namespace
}  // namespace ringmatch
