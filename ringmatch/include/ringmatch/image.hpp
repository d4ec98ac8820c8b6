// The image of an index: one run of bytes that is the same in memory and on disk, so that saving is writing and
// opening is mapping.
//
//   header      4096 bytes: magic, version, byte order, counts, checksums
//   ids         id_count numbers, less the smallest, packed; grouped by entry and ascending inside one
//   repeated    which entries have several ids (ranked bits), only when some do
//   extra_ids   for each of those and one more, how many ids beyond one the repeated entries before it have (u32)
//   hashes      entry_count x 32 bytes, bits permuted, ascending, without repeats
//   tables      16 x (starts, entries or low and high bits, next_blocks), only in the ring layout; table 0 needs no entries
//
// Sections begin on 64-byte boundaries. Numbers are in the byte order of the machine that wrote them, except for packed
// ones, which are always little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "ringmatch/kernel.hpp"

namespace ringmatch {

enum class Layout : std::uint32_t {
    flat = 0,  // hashes alone, scanned: faster and far smaller for short lists
    ring = 1,
};

struct Counts {
    std::uint64_t entries = 0;   // different hashes
    std::uint64_t ids = 0;
    std::uint64_t repeated = 0;  // entries with several ids
    std::uint64_t smallest_id = 0;
    unsigned id_bits = 0;        // of an id less the smallest
    Layout layout = Layout::flat;
    Form form = Form::plain;

    unsigned entry_bits() const { return packed_bits_for(entries == 0 ? 0 : entries - 1); }
};

// The file is not an index, or its bytes are not those that were written.
class DamagedImage : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Where everything lies in an image with these counts.
struct ImageMap {
    explicit ImageMap(const Counts& counts);

    std::size_t ids = 0;
    std::size_t repeated = 0;
    std::size_t extra_ids = 0;
    std::size_t hashes = 0;
    std::size_t starts[kBlockCount] = {};
    std::size_t entries[kBlockCount] = {};    // plain form
    std::size_t low_bits[kBlockCount] = {};   // compact form
    std::size_t high_bits[kBlockCount] = {};  // compact form
    std::size_t next_blocks[kBlockCount] = {};
    std::size_t total_bytes = 0;
};

constexpr std::size_t kHeaderBytes = 4096;

// Writes the header of a finished image, checksums included.
void seal_image(std::byte* image, const Counts& counts, int threads);

// Reads everything, compares it with its checksum, and checks what a search follows without looking: after this no
// bytes, not even forged ones, make it read outside of the image. Throws DamagedImage.
Counts check_image(const std::byte* image, std::size_t bytes, int threads);

}  // namespace ringmatch
