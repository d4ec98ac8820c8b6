// The compact form of a table: which entry is at a position, in 18.3 bits.
//
// Position k of a table with n entries belongs to a key, and entries ascend within a key. So v(k) = key * n + entry
// ascends over the whole table, from 0 to less than 65536 * n, and is kept as Elias and Fano did: the low 16 bits as they
// are, the high part h(k) = v(k) >> 16, which is less than n, as a one at bit h(k) + k. That takes 16 + 2 bits an entry
// whatever the data, and the counts of ones (see packed.hpp) 0.3 more.
//
// To read one, the key is known already. v(k) lies in [key * n, key * n + n), so the one of position k is among the
// n / 65536 + 1 bits after bit (key * n >> 16) + k: the count there says how many ones to skip, and the walk is short.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__BMI2__)
#include <immintrin.h>
#endif

#include "ringmatch/packed.hpp"

namespace ringmatch {

constexpr std::uint64_t kNoEntry = ~std::uint64_t{0};

static inline std::uint64_t compact_value(std::uint64_t entry_count, std::uint32_t key, std::uint64_t entry) {
    return key * entry_count + entry;
}

// Bits in the row of high parts.
static inline std::uint64_t compact_high_bits(std::uint64_t entry_count) { return 2 * entry_count; }

// Where the walk to the one of this position begins.
static inline std::uint64_t compact_first_bit(std::uint64_t entry_count, std::uint32_t key, std::uint64_t position) {
    return (key * entry_count >> 16) + position;
}

template <class CountBits>
static inline std::uint64_t compact_entry(const std::uint16_t* low_bits, const std::uint64_t* high_bits,
                                          std::uint64_t entry_count, std::uint32_t key, std::uint64_t position,
                                          CountBits count_bits) {
    const std::uint64_t first = compact_first_bit(entry_count, key, position);
    std::uint64_t line = first / kLineBits, word = 1 + first % kLineBits / 64;
    const std::uint64_t* words = high_bits + line * kLineWords;
    const std::uint64_t before = (std::uint64_t{1} << (first % kLineBits % 64)) - 1;
    std::uint64_t ones = words[0] + count_bits(words[word] & before);
    for (std::uint64_t k = 1; k < word; ++k) ones += count_bits(words[k]);
    // Only a forged file has more ones than positions so far, or none left: opening has counted them all.
    if (ones > position) return kNoEntry;
    std::uint64_t skip = position - ones;
    std::uint64_t rest = words[word] & ~before;
    for (std::uint64_t here = count_bits(rest); here <= skip; here = count_bits(rest)) {
        skip -= here;
        if (++word == kLineWords) {
            word = 1;
            words = high_bits + ++line * kLineWords;
        }
        rest = words[word];
    }
#if defined(__BMI2__)
    rest = _pdep_u64(std::uint64_t{1} << skip, rest);
#else
    for (; skip > 0; --skip) rest &= rest - 1;
#endif
    const std::uint64_t bit = line * kLineBits + (word - 1) * 64 + static_cast<std::uint64_t>(std::countr_zero(rest));
    const std::uint64_t entry = ((bit - position) << 16 | low_bits[position]) - key * entry_count;
    return entry < entry_count ? entry : kNoEntry;
}

}  // namespace ringmatch
