// XXH64 (Yann Collet's public specification), and a sum over a large range that several threads can compute.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmatch {

std::uint64_t xxh64(const void* data, std::size_t bytes, std::uint64_t seed = 0);

// XXH64 over the XXH64 of each 4 MiB piece. Any change inside one 8-byte word is certain to change the result.
std::uint64_t piecewise_checksum(const void* data, std::size_t bytes, int threads);

}  // namespace ringmatch
