// The fixed order in which an index keeps the 256 bits of a hash.
//
// Neighbouring bits of real hashes depend on each other, and sixteen neighbours make one table key: in the natural
// order some keys would be very common. Distance does not care about the order of bits, so they are shuffled once.
#pragma once

#include <array>
#include <cstdint>

namespace ringmatch {

// Stored in the header of an index file: another order is another format.
constexpr std::uint32_t kPermutationId = 1;

using HashWords = std::array<std::uint64_t, 4>;

// hash: 32 bytes, in any alignment.
HashWords permute(const std::uint8_t* hash);

// permute(hash)[0] in a third of the time.
std::uint64_t permuted_first_word(const std::uint8_t* hash);

// The inverse; hash: room for 32 bytes.
void unpermute(const HashWords& words, std::uint8_t* hash);

}  // namespace ringmatch
