#include "ringmatch/permutation.hpp"

#include <memory>
#include <utility>

namespace ringmatch {
namespace {

// One row per nibble value and position: 32 KiB, so it stays in the nearest cache.
using NibbleTable = std::array<std::array<HashWords, 16>, 64>;

std::array<std::uint8_t, 256> shuffled_bits() {
    std::array<std::uint8_t, 256> order{};
    for (unsigned bit = 0; bit < 256; ++bit) order[bit] = static_cast<std::uint8_t>(bit);
    // SplitMix64 and Fisher-Yates written out: a library generator could differ between standard libraries.
    std::uint64_t state = 0x72696e676d617463u;
    for (unsigned last = 255; last > 0; --last) {
        state += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        std::swap(order[last], order[z % (last + 1)]);
    }
    return order;
}

// Row [nibble][value] has the bits that these four input bits become when bit b moves to order[b].
std::unique_ptr<const NibbleTable> make_table(const std::array<std::uint8_t, 256>& order) {
    auto table = std::make_unique<NibbleTable>();
    for (unsigned nibble = 0; nibble < 64; ++nibble) {
        for (unsigned value = 0; value < 16; ++value) {
            HashWords& row = (*table)[nibble][value];
            row = {};
            for (unsigned bit = 0; bit < 4; ++bit) {
                const unsigned target = order[nibble * 4 + bit];
                if ((value >> bit) & 1) row[target / 64] |= std::uint64_t{1} << (target % 64);
            }
        }
    }
    return table;
}

std::array<std::uint8_t, 256> inverse(const std::array<std::uint8_t, 256>& order) {
    std::array<std::uint8_t, 256> back{};
    for (unsigned bit = 0; bit < 256; ++bit) back[order[bit]] = static_cast<std::uint8_t>(bit);
    return back;
}

// byte_at(k): byte k of a hash, whose bit b is bit 8 * k + b.
template <class ByteAt>
HashWords move_bits(const NibbleTable& table, ByteAt byte_at) {
    HashWords words{};
    for (unsigned k = 0; k < 32; ++k) {
        const unsigned byte = byte_at(k);
        const HashWords& low = table[2 * k][byte & 15];
        const HashWords& high = table[2 * k + 1][byte >> 4];
        for (unsigned w = 0; w < 4; ++w) words[w] |= low[w] | high[w];
    }
    return words;
}

unsigned byte_of(const HashWords& words, unsigned k) {
    return static_cast<unsigned>(words[k / 8] >> (8 * (k % 8))) & 0xffu;
}

const NibbleTable& forward_table() {
    static const std::unique_ptr<const NibbleTable> table = make_table(shuffled_bits());
    return *table;
}

// What each value of each byte brings to the first word: 64 KiB.
using FirstWordTable = std::array<std::array<std::uint64_t, 256>, 32>;

std::unique_ptr<const FirstWordTable> make_first_word_table(const NibbleTable& nibbles) {
    auto table = std::make_unique<FirstWordTable>();
    for (unsigned k = 0; k < 32; ++k) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            (*table)[k][byte] = nibbles[2 * k][byte & 15][0] | nibbles[2 * k + 1][byte >> 4][0];
        }
    }
    return table;
}

}  // namespace

HashWords permute(const std::uint8_t* hash) {
    static const NibbleTable& table = forward_table();
    return move_bits(table, [&](unsigned k) { return hash[k]; });
}

std::uint64_t permuted_first_word(const std::uint8_t* hash) {
    static const std::unique_ptr<const FirstWordTable> table = make_first_word_table(forward_table());
    std::uint64_t word = 0;
    for (unsigned k = 0; k < 32; ++k) word |= (*table)[k][hash[k]];
    return word;
}

void unpermute(const HashWords& words, std::uint8_t* hash) {
    static const std::unique_ptr<const NibbleTable> table = make_table(inverse(shuffled_bits()));
    const HashWords original = move_bits(*table, [&](unsigned k) { return byte_of(words, k); });
    for (unsigned k = 0; k < 32; ++k) hash[k] = static_cast<std::uint8_t>(byte_of(original, k));
}

}  // namespace ringmatch
