// Rows of bytes of one length, sorted, for exact look-up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ringmatch {

struct DigestRows {
    const std::uint8_t* bytes;
    std::uint64_t count;
    std::size_t width;  // bytes of one row, at least 8

    const std::uint8_t* row(std::uint64_t k) const { return bytes + k * width; }
};

// Row numbers in ascending order of the rows, equal ones by their ids.
std::vector<std::uint64_t> ascending_order(const DigestRows& rows, const std::uint64_t* ids);

// True when no row is less than the one before it.
bool is_ascending(const DigestRows& rows);

// Where rows equal to `wanted` begin and end in ascending rows.
std::pair<std::uint64_t, std::uint64_t> equal_range(const DigestRows& rows, const std::uint8_t* wanted);

}  // namespace ringmatch
