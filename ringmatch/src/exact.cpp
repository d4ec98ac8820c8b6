#include "ringmatch/exact.hpp"

#include <algorithm>
#include <cstring>

namespace ringmatch {
namespace {

// The first eight bytes as a number that sorts like the bytes.
std::uint64_t leading_number(const std::uint8_t* row) {
    std::uint64_t number = 0;
    for (int k = 0; k < 8; ++k) number = (number << 8) | row[k];
    return number;
}

// First row for which `is_before` is false; rows for which it is true come first.
template <class IsBefore>
std::uint64_t partition_point(std::uint64_t begin, std::uint64_t end, IsBefore is_before) {
    while (begin < end) {
        const std::uint64_t middle = begin + (end - begin) / 2;
        if (is_before(middle)) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

}  // namespace

std::vector<std::uint64_t> ascending_order(const DigestRows& rows, const std::uint64_t* ids) {
    struct Item {
        std::uint64_t leading;
        std::uint64_t row;
    };
    std::vector<Item> items(rows.count);
    for (std::uint64_t k = 0; k < rows.count; ++k) items[k] = {leading_number(rows.row(k)), k};
    // Digests nearly always differ in their first bytes, so the rows themselves are rarely touched.
    std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
        if (a.leading != b.leading) return a.leading < b.leading;
        const int order = std::memcmp(rows.row(a.row), rows.row(b.row), rows.width);
        return order != 0 ? order < 0 : ids[a.row] < ids[b.row];
    });
    std::vector<std::uint64_t> order(rows.count);
    std::transform(items.begin(), items.end(), order.begin(), [](const Item& item) { return item.row; });
    return order;
}

bool is_ascending(const DigestRows& rows) {
    for (std::uint64_t k = 1; k < rows.count; ++k) {
        if (std::memcmp(rows.row(k - 1), rows.row(k), rows.width) > 0) return false;
    }
    return true;
}

std::pair<std::uint64_t, std::uint64_t> equal_range(const DigestRows& rows, const std::uint8_t* wanted) {
    const auto compare = [&](std::uint64_t k) { return std::memcmp(rows.row(k), wanted, rows.width); };
    const std::uint64_t first = partition_point(0, rows.count, [&](std::uint64_t k) { return compare(k) < 0; });
    const std::uint64_t last = partition_point(first, rows.count, [&](std::uint64_t k) { return compare(k) == 0; });
    return {first, last};
}

}  // namespace ringmatch
