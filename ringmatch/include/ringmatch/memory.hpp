// The one block of memory an index lives in: anonymous pages while building, a mapped file after opening.
#pragma once

#include <cstddef>
#include <string>

namespace ringmatch {

class Memory {
  public:
    // Zeroed pages; large ones where the system gives them, since a search touches lines all over the tables.
    static Memory allocate(std::size_t bytes);
    // Throws std::system_error when the file cannot be opened or mapped. The file must not shrink while it is mapped.
    static Memory map_file(const std::string& path);

    Memory() = default;
    Memory(Memory&& other) noexcept;
    Memory& operator=(Memory&& other) noexcept;
    ~Memory();

    std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }

  private:
    Memory(std::byte* data, std::size_t size, std::size_t mapped) : data_(data), size_(size), mapped_(mapped) {}

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;
};

}  // namespace ringmatch
