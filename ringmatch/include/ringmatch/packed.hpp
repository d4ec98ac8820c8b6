// Numbers in no more bits than they need, and bits that can be counted up to any place.
//
// Every function is static: kernels compiled for other instruction sets include this file too (see kernel.hpp).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringmatch {

constexpr std::size_t kPackedSlack = 8;  // numbers are read eight bytes at a time

// Number k is at the bits [k * bits, (k + 1) * bits), lowest first. bits: 0 to 56, or 64.
struct PackedNumbers {
    const std::byte* bytes;
    std::uint64_t mask;
    unsigned bits;
};

static inline unsigned packed_bits_for(std::uint64_t largest) {
    const auto bits = static_cast<unsigned>(std::bit_width(largest));
    return bits > 56 ? 64 : bits;
}

static inline PackedNumbers packed_numbers(const std::byte* bytes, unsigned bits) {
    return {bytes, bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - bits), bits};
}

static inline std::size_t packed_bytes(std::uint64_t count, unsigned bits) {
    return static_cast<std::size_t>((count * bits + 7) / 8) + kPackedSlack;
}

static inline std::uint64_t in_little_endian(std::uint64_t word) {
    if constexpr (std::endian::native == std::endian::big) return __builtin_bswap64(word);
    return word;
}

static inline const std::byte* packed_address(const PackedNumbers& numbers, std::uint64_t position) {
    return numbers.bytes + position * numbers.bits / 8;
}

static inline std::uint64_t packed_at(const PackedNumbers& numbers, std::uint64_t position) {
    std::uint64_t word;
    std::memcpy(&word, packed_address(numbers, position), sizeof word);
    return (in_little_endian(word) >> (position * numbers.bits % 8)) & numbers.mask;
}

// The place must be zero before.
static inline void put_packed(std::byte* bytes, unsigned bits, std::uint64_t position, std::uint64_t number) {
    std::byte* address = bytes + position * bits / 8;
    std::uint64_t word;
    std::memcpy(&word, address, sizeof word);
    word |= in_little_endian(number << (position * bits % 8));
    std::memcpy(address, &word, sizeof word);
}

// A row of bits in lines of eight words: the number of ones in all lines before, then 448 bits.
constexpr std::uint64_t kLineWords = 8;
constexpr std::uint64_t kLineBits = 64 * (kLineWords - 1);

static inline std::size_t ranked_lines(std::uint64_t bits) {
    return static_cast<std::size_t>((bits + kLineBits - 1) / kLineBits);
}

static inline std::uint64_t ranked_word(std::uint64_t bit) {
    return bit / kLineBits * kLineWords + 1 + bit % kLineBits / 64;
}

static inline void set_ranked_bit(std::uint64_t* lines, std::uint64_t bit) {
    lines[ranked_word(bit)] |= std::uint64_t{1} << (bit % kLineBits % 64);
}

static inline bool ranked_bit(const std::uint64_t* lines, std::uint64_t bit) {
    return (lines[ranked_word(bit)] >> (bit % kLineBits % 64) & 1) != 0;
}

}  // namespace ringmatch
