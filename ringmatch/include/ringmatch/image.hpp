// The image of an index: one run of bytes that is the same in memory and on disk, so that saving is writing and
// opening is mapping.
//
//   header     4096 bytes: magic, version, byte order, counts, checksums
//   ids        id_count numbers of id_bytes each, grouped by entry and ascending inside one
//   id_starts  entry_count + 1 x u32, only when some hash has several ids
//   hashes     entry_count x 32 bytes, bits permuted, ascending, without repeats
//   tables     16 x (starts, entries, next_blocks), only in the ring layout; table 0 needs no entries
//
// Sections begin on 64-byte boundaries. Numbers are in the byte order of the machine that wrote them.
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
    std::uint64_t entries = 0;  // different hashes
    std::uint64_t ids = 0;
    std::uint32_t id_bytes = 8;
    Layout layout = Layout::flat;

    bool has_id_starts() const { return ids != entries; }
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
    std::size_t id_starts = 0;
    std::size_t hashes = 0;
    std::size_t starts[kBlockCount] = {};
    std::size_t entries[kBlockCount] = {};
    std::size_t next_blocks[kBlockCount] = {};
    std::size_t total_bytes = 0;
};

constexpr std::size_t kHeaderBytes = 4096;

// Writes the header of a finished image, checksums included.
void seal_image(std::byte* image, const Counts& counts, int threads);

// Reads and checks everything; throws DamagedImage.
Counts check_image(const std::byte* image, std::size_t bytes, int threads);

}  // namespace ringmatch
