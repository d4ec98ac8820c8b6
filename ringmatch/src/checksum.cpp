#include "ringmatch/checksum.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "parallel.hpp"

namespace ringmatch {
namespace {

constexpr std::uint64_t kPrime1 = 0x9e3779b185ebca87u;
constexpr std::uint64_t kPrime2 = 0xc2b2ae3d27d4eb4fu;
constexpr std::uint64_t kPrime3 = 0x165667b19e3779f9u;
constexpr std::uint64_t kPrime4 = 0x85ebca77c2b2ae63u;
constexpr std::uint64_t kPrime5 = 0x27d4eb2f165667c5u;
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

// The specification reads little-endian; files of the other byte order are refused, so native loads are enough.
template <class Word>
Word load(const unsigned char* p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

std::uint64_t mix(std::uint64_t lane, std::uint64_t word) { return std::rotl(lane + word * kPrime2, 31) * kPrime1; }

std::uint64_t merge(std::uint64_t hash, std::uint64_t lane) { return (hash ^ mix(0, lane)) * kPrime1 + kPrime4; }

}  // namespace

std::uint64_t xxh64(const void* data, std::size_t bytes, std::uint64_t seed) {
    const auto* p = static_cast<const unsigned char*>(data);
    const unsigned char* const end = p + bytes;
    std::uint64_t hash = seed + kPrime5;
    if (bytes >= 32) {
        std::uint64_t a = seed + kPrime1 + kPrime2, b = seed + kPrime2, c = seed, d = seed - kPrime1;
        for (; p + 32 <= end; p += 32) {
            a = mix(a, load<std::uint64_t>(p));
            b = mix(b, load<std::uint64_t>(p + 8));
            c = mix(c, load<std::uint64_t>(p + 16));
            d = mix(d, load<std::uint64_t>(p + 24));
        }
        hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
        hash = merge(merge(merge(merge(hash, a), b), c), d);
    }
    hash += bytes;
    for (; p + 8 <= end; p += 8) hash = std::rotl(hash ^ mix(0, load<std::uint64_t>(p)), 27) * kPrime1 + kPrime4;
    if (p + 4 <= end) {
        hash = std::rotl(hash ^ (load<std::uint32_t>(p) * kPrime1), 23) * kPrime2 + kPrime3;
        p += 4;
    }
    for (; p < end; ++p) hash = std::rotl(hash ^ (*p * kPrime5), 11) * kPrime1;
    hash = (hash ^ (hash >> 33)) * kPrime2;
    hash = (hash ^ (hash >> 29)) * kPrime3;
    return hash ^ (hash >> 32);
}

std::uint64_t piecewise_checksum(const void* data, std::size_t bytes, int threads) {
    const auto* base = static_cast<const unsigned char*>(data);
    std::vector<std::uint64_t> pieces((bytes + kPieceBytes - 1) / kPieceBytes);
    parallel_for(pieces.size(), threads, [&](std::size_t piece) {
        const std::size_t begin = piece * kPieceBytes;
        pieces[piece] = xxh64(base + begin, std::min(kPieceBytes, bytes - begin));
    });
    return xxh64(pieces.data(), pieces.size() * sizeof(std::uint64_t));
}

}  // namespace ringmatch
