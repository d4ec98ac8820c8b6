#include "ringmatch/image.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>

#include "parallel.hpp"
#include "ringmatch/checksum.hpp"
#include "ringmatch/compact.hpp"
#include "ringmatch/permutation.hpp"

namespace ringmatch {
namespace {

constexpr char kMagic[8] = {'R', 'I', 'N', 'G', 'M', 'T', 'C', 'H'};
constexpr std::uint32_t kVersion = 2;
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
    std::uint64_t repeated;
    std::uint64_t smallest_id;
    std::uint32_t id_bits;
    std::uint32_t layout;
    std::uint32_t form;
    std::uint32_t permutation;
    std::uint64_t body_checksum;
    std::uint64_t header_checksum;  // over the header with this field zero
};
static_assert(sizeof(Header) == 88);

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

// True when each line says how many ones come before it, `ones` in all, and none of them at or after bit `bits`.
bool is_ranked(const std::uint64_t* lines, std::uint64_t bits, std::uint64_t ones) {
    std::uint64_t found = 0;
    for (std::size_t line = 0; line < ranked_lines(bits); ++line) {
        const std::uint64_t* words = lines + line * kLineWords;
        if (words[0] != found) return false;
        for (std::uint64_t k = 1; k < kLineWords; ++k) found += static_cast<std::uint64_t>(std::popcount(words[k]));
    }
    for (std::uint64_t bit = bits; bit % kLineBits != 0; ++bit) {
        if (ranked_bit(lines, bit)) return false;
    }
    return found == ones;
}

// A checksum is no proof of good will: anyone can compute one. These checks keep a forged file from reading outside,
// together with the bound on every entry that a search follows.
void check_references(const std::byte* image, const Counts& counts, const ImageMap& map, int threads) {
    if (counts.repeated != 0 &&
        !(is_ranked(section<std::uint64_t>(image, map.repeated), counts.entries, counts.repeated) &&
          is_partition(section<std::uint32_t>(image, map.extra_ids), counts.repeated, counts.ids - counts.entries))) {
        throw DamagedImage("the id ranges of the index overlap or leave the file");
    }
    if (counts.layout != Layout::ring) return;
    std::atomic<bool> sound{true};
    parallel_for(kBlockCount, threads, [&](std::size_t table) {
        bool good = is_partition(section<std::uint32_t>(image, map.starts[table]), kKeyCount, counts.entries);
        if (table != 0 && counts.form == Form::compact) {
            const auto* high_bits = section<std::uint64_t>(image, map.high_bits[table]);
            good = good && is_ranked(high_bits, compact_high_bits(counts.entries), counts.entries);
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
    const auto place_lines = [&](std::uint64_t bits) {
        return place(ranked_lines(bits) * kLineWords * sizeof(std::uint64_t));
    };
    ids = place(packed_bytes(counts.ids, counts.id_bits));
    if (counts.repeated != 0) {
        repeated = place_lines(counts.entries);
        extra_ids = place((counts.repeated + 1) * sizeof(std::uint32_t));
    }
    hashes = place(counts.entries * kHashBytes);
    if (counts.layout == Layout::ring) {
        for (int table = 0; table < kBlockCount; ++table) {
            starts[table] = place((std::size_t{kKeyCount} + 1) * sizeof(std::uint32_t));
            if (table != 0 && counts.form == Form::plain) {
                entries[table] = place(packed_bytes(counts.entries, counts.entry_bits()));
            } else if (table != 0) {
                low_bits[table] = place(counts.entries * sizeof(std::uint16_t));
                high_bits[table] = place_lines(compact_high_bits(counts.entries));
            }
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
    header.repeated = counts.repeated;
    header.smallest_id = counts.smallest_id;
    header.id_bits = counts.id_bits;
    header.layout = static_cast<std::uint32_t>(counts.layout);
    header.form = static_cast<std::uint32_t>(counts.form);
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
    Counts counts{.entries = header.entries,
                  .ids = header.ids,
                  .repeated = header.repeated,
                  .smallest_id = header.smallest_id,
                  .id_bits = header.id_bits,
                  .layout = static_cast<Layout>(header.layout),
                  .form = static_cast<Form>(header.form)};
    const bool known = header.layout <= 1 && header.form <= 1 && (header.id_bits <= 56 || header.id_bits == 64) &&
                       header.permutation == kPermutationId && header.entries < most && header.ids < most &&
                       header.entries <= header.ids && header.repeated <= header.entries &&
                       (header.repeated == 0) == (header.entries == header.ids);
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
