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

std::unique_ptr<const NibbleTable> make_table() {
    const auto order = shuffled_bits();
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

}  // namespace

HashWords permute(const std::uint8_t* hash) {
    static const std::unique_ptr<const NibbleTable> table = make_table();
    HashWords words{};
    for (unsigned k = 0; k < 32; ++k) {
        const HashWords& low = (*table)[2 * k][hash[k] & 15];
        const HashWords& high = (*table)[2 * k + 1][hash[k] >> 4];
        for (unsigned w = 0; w < 4; ++w) words[w] |= low[w] | high[w];
    }
    return words;
}

}  // namespace ringmatch
