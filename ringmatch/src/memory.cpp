#include "ringmatch/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace ringmatch {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

struct Descriptor {
    int number;
    ~Descriptor() { ::close(number); }
};

}  // namespace

Memory Memory::allocate(std::size_t bytes) {
    const std::size_t mapped = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    if (mapped == 0 || mapped < bytes) throw std::bad_alloc();
    void* address = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    // Advice only: a refusal costs speed, not correctness.
    if (bytes >= kHugePage) ::madvise(address, mapped, MADV_HUGEPAGE);
#endif
    return Memory(static_cast<std::byte*>(address), bytes, mapped);
}

Memory Memory::map_file(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.number < 0) throw_errno();
    struct stat status{};
    if (::fstat(file.number, &status) != 0) throw_errno();
    if (!S_ISREG(status.st_mode)) throw std::system_error(EINVAL, std::generic_category());
    const auto bytes = static_cast<std::size_t>(status.st_size);
    if (bytes == 0) return Memory();
    void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.number, 0);
    if (address == MAP_FAILED) throw_errno();
#if defined(MADV_HUGEPAGE)
    ::madvise(address, bytes, MADV_HUGEPAGE);
#endif
    return Memory(static_cast<std::byte*>(address), bytes, bytes);
}

Memory::Memory(Memory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Memory& Memory::operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

Memory::~Memory() {
    if (data_ != nullptr) ::munmap(data_, mapped_);
}

}  // namespace ringmatch
