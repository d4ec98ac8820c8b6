// AVX2: sixteen blocks per instruction group; bits are counted by looking up nibbles.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ringmatch {
namespace {

inline std::uint32_t count_bits(std::uint64_t x) { return static_cast<std::uint32_t>(__builtin_popcountll(x)); }

inline std::uint32_t hash_distance(const std::uint64_t* a, const std::uint64_t* b) {
    return count_bits(a[0] ^ b[0]) + count_bits(a[1] ^ b[1]) + count_bits(a[2] ^ b[2]) + count_bits(a[3] ^ b[3]);
}

inline __m256i count_bits_per_byte(__m256i x) {
    const __m256i nibble_counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                                   0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low_nibbles = _mm256_set1_epi8(15);
    const __m256i low = _mm256_shuffle_epi8(nibble_counts, _mm256_and_si256(x, low_nibbles));
    const __m256i high = _mm256_shuffle_epi8(nibble_counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), low_nibbles));
    return _mm256_add_epi8(low, high);
}

template <class Keep>
inline void scan_blocks(const std::uint16_t* blocks, std::uint32_t begin, std::uint32_t end, std::uint16_t block,
                        std::uint32_t limit, Keep&& keep) {
    const __m256i wanted = _mm256_set1_epi16(static_cast<short>(block));
    const __m256i limits = _mm256_set1_epi16(static_cast<short>(limit));
    const __m256i ones = _mm256_set1_epi8(1);
    for (std::uint32_t position = begin; position < end; position += 16) {
        const __m256i found = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(blocks + position));
        const __m256i counts = _mm256_maddubs_epi16(count_bits_per_byte(_mm256_xor_si256(found, wanted)), ones);
        // movemask gives two equal bits per block; one of them is enough.
        std::uint32_t kept = ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi16(counts, limits)));
        const std::uint32_t remaining = end - position;
        kept = _bzhi_u32(kept, remaining < 16 ? 2 * remaining : 32) & 0x55555555u;
        for (; kept != 0; kept &= kept - 1) {
            keep(position + (static_cast<std::uint32_t>(__builtin_ctz(kept)) >> 1));
        }
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
    const __m256i wanted_first = _mm256_set1_epi64x(static_cast<long long>(query[0]));
    const __m256i wanted_second = _mm256_set1_epi64x(static_cast<long long>(query[1]));
    const __m256i limits = _mm256_set1_epi64x(max_distance);
    for (std::uint32_t k = 0; k < count; k += 4) {
        const __m256i a = _mm256_load_si256(reinterpret_cast<const __m256i*>(first + k));
        const __m256i b = _mm256_load_si256(reinterpret_cast<const __m256i*>(second + k));
        const __m256i counts = _mm256_add_epi8(count_bits_per_byte(_mm256_xor_si256(a, wanted_first)),
                                               count_bits_per_byte(_mm256_xor_si256(b, wanted_second)));
        const __m256i sums = _mm256_sad_epu8(counts, _mm256_setzero_si256());
        const __m256i beyond = _mm256_cmpgt_epi64(sums, limits);
        std::uint32_t kept = ~static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(beyond))) & 15u;
        for (; kept != 0; kept &= kept - 1) keep(k + static_cast<std::uint32_t>(__builtin_ctz(kept)));
    }
}

}  // namespace
}  // namespace ringmatch
