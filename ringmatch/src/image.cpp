#include "ringmatch/image.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "parallel.hpp"
#include "ringmatch/checksum.hpp"
#include "ringmatch/permutation.hpp"

namespace ringmatch {
namespace {

constexpr char kMagic[8] = {'R', 'I', 'N', 'G', 'M', 'T', 'C', 'H'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kByteOrder = 0x01020304;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kScanSlack = 64;  // a packed scan reads up to one vector past the end of a table

struct Header {
    char magic[8];
    std::uint32_t version;
    std::uint32_t byte_order;
    std::uint64_t total_bytes;
    std::uint64_t entries;
    std::uint64_t ids;
    std::uint32_t id_bytes;
    std::uint32_t layout;
    std::uint32_t permutation;
    std::uint32_t reserved;
    std::uint64_t body_checksum;
    std::uint64_t header_checksum;  // over the header with this field zero
};
static_assert(sizeof(Header) == 72);

std::uint64_t header_checksum(const std::byte* image) {
    std::byte copy[kHeaderBytes];
    std::memcpy(copy, image, kHeaderBytes);
    std::memset(copy + offsetof(Header, header_checksum), 0, sizeof(std::uint64_t));
    return xxh64(copy, kHeaderBytes);
}

template <class Number>
const Number* section(const std::byte* image, std::size_t offset) {
    return reinterpret_cast<const Number*>(image + offset);
}

// First is 0, last is `total`, and nothing decreases: then every range read through the numbers is inside its section.
bool is_partition(const std::uint32_t* starts, std::size_t count, std::uint64_t total) {
    return starts[0] == 0 && starts[count] == total && std::is_sorted(starts, starts + count + 1);
}

bool all_below(const std::uint32_t* numbers, std::size_t count, std::uint64_t bound) {
    std::uint32_t highest = 0;
    for (std::size_t k = 0; k < count; ++k) highest = std::max(highest, numbers[k]);
    return count == 0 || highest < bound;
}

// A checksum is no proof of good will: anyone can compute one. These checks keep a forged file from reading outside.
void check_references(const std::byte* image, const Counts& counts, const ImageMap& map, int threads) {
    if (counts.has_id_starts() &&
        !is_partition(section<std::uint32_t>(image, map.id_starts), counts.entries, counts.ids)) {
        throw DamagedImage("the id ranges of the index overlap or leave the file");
    }
    if (counts.layout != Layout::ring) return;
    std::atomic<bool> sound{true};
    parallel_for(kBlockCount, threads, [&](std::size_t table) {
        bool good = is_partition(section<std::uint32_t>(image, map.starts[table]), kKeyCount, counts.entries);
        if (table != 0) {
            good = good && all_below(section<std::uint32_t>(image, map.entries[table]), counts.entries, counts.entries);
        }
        if (!good) sound = false;
    });
    if (!sound) throw DamagedImage("a table of the index points outside of the file");
}

}  // namespace

ImageMap::ImageMap(const Counts& counts) {
    std::size_t end = kHeaderBytes;
    const auto place = [&](std::size_t bytes) {
        const std::size_t begin = end;
        end = (begin + bytes + kAlignment - 1) / kAlignment * kAlignment;
        return begin;
    };
    ids = place(counts.ids * counts.id_bytes);
    id_starts = place(counts.has_id_starts() ? (counts.entries + 1) * sizeof(std::uint32_t) : 0);
    hashes = place(counts.entries * kHashBytes);
    if (counts.layout == Layout::ring) {
        for (int table = 0; table < kBlockCount; ++table) {
            starts[table] = place((std::size_t{kKeyCount} + 1) * sizeof(std::uint32_t));
            entries[table] = place(table == 0 ? 0 : counts.entries * sizeof(std::uint32_t));
            next_blocks[table] = place(counts.entries * sizeof(std::uint16_t) + kScanSlack);
        }
    }
    total_bytes = end;
}

void seal_image(std::byte* image, const Counts& counts, int threads) {
    Header header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.version = kVersion;
    header.byte_order = kByteOrder;
    header.total_bytes = ImageMap(counts).total_bytes;
    header.entries = counts.entries;
    header.ids = counts.ids;
    header.id_bytes = counts.id_bytes;
    header.layout = static_cast<std::uint32_t>(counts.layout);
    header.permutation = kPermutationId;
    header.body_checksum = piecewise_checksum(image + kHeaderBytes, header.total_bytes - kHeaderBytes, threads);
    std::memset(image, 0, kHeaderBytes);
    std::memcpy(image, &header, sizeof header);
    header.header_checksum = header_checksum(image);
    std::memcpy(image, &header, sizeof header);
}

Counts check_image(const std::byte* image, std::size_t bytes, int threads) {
    if (bytes < kHeaderBytes) throw DamagedImage("the file is too short to be an index");
    Header header;
    std::memcpy(&header, image, sizeof header);
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw DamagedImage("the file is not an index");
    if (header.byte_order != kByteOrder) throw DamagedImage("the index was written with another byte order");
    if (header.version != kVersion) throw DamagedImage("the index has a version that this release does not read");
    if (header.header_checksum != header_checksum(image)) throw DamagedImage("the header of the index is damaged");
    if (header.total_bytes != bytes) throw DamagedImage("the index is cut off or has something after its end");

    // The limits also keep the arithmetic of ImageMap from wrapping.
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    Counts counts{header.entries, header.ids, header.id_bytes, static_cast<Layout>(header.layout)};
    const bool known = header.layout <= 1 && (header.id_bytes == 4 || header.id_bytes == 8) &&
                       header.permutation == kPermutationId && header.entries < most && header.ids < most &&
                       header.entries <= header.ids;
    if (!known) throw DamagedImage("the header of the index makes no sense");
    const ImageMap map(counts);
    if (map.total_bytes != bytes) throw DamagedImage("the sections of the index do not fill its file");
    if (header.body_checksum != piecewise_checksum(image + kHeaderBytes, bytes - kHeaderBytes, threads)) {
        throw DamagedImage("the contents of the index do not match their checksum");
    }
    check_references(image, counts, map, threads);
    return counts;
}

}  // namespace ringmatch
