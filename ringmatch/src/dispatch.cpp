#include "ringmatch/dispatch.hpp"

#include <atomic>
#include <cstdint>

#include "kernels/kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ringmatch {
namespace {

#if defined(__x86_64__)

// __builtin_cpu_supports silently answers 0 with some clang builds, so the bits are read here.
struct CpuFeatures {
    bool avx2 = false;
    bool avx512 = false;
};

std::uint64_t register_state_the_system_saves() {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<std::uint64_t>(high) << 32) | low;
}

CpuFeatures read_cpu_features() {
    CpuFeatures features;
    std::uint32_t a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return features;
    constexpr std::uint32_t popcnt = 1u << 23, osxsave = 1u << 27;
    if ((c & popcnt) == 0 || (c & osxsave) == 0) return features;
    const std::uint64_t saved = register_state_the_system_saves();
    constexpr std::uint64_t ymm_state = 0x06, zmm_state = 0xe6;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
    constexpr std::uint32_t bmi1 = 1u << 3, avx2 = 1u << 5, bmi2 = 1u << 8;
    constexpr std::uint32_t avx512f = 1u << 16, avx512dq = 1u << 17, avx512bw = 1u << 30, avx512vl = 1u << 31;
    constexpr std::uint32_t bitalg = 1u << 12, vpopcntdq = 1u << 14;
    constexpr std::uint32_t small_set = bmi1 | avx2 | bmi2;
    constexpr std::uint32_t large_set = small_set | avx512f | avx512dq | avx512bw | avx512vl;
    features.avx2 = (saved & ymm_state) == ymm_state && (b & small_set) == small_set;
    features.avx512 = (saved & zmm_state) == zmm_state && (b & large_set) == large_set &&
                      (c & (bitalg | vpopcntdq)) == (bitalg | vpopcntdq);
    return features;
}

#endif

std::vector<const Kernel*> available_kernels() {
    std::vector<const Kernel*> kernels{&portable_kernel()};
#if defined(RINGMATCH_HAS_NEON)
    // Part of every 64-bit Arm processor that runs a common system: nothing to ask.
    kernels.push_back(&neon_kernel());
#endif
#if defined(__x86_64__)
    [[maybe_unused]] const CpuFeatures features = read_cpu_features();
#if defined(RINGMATCH_HAS_AVX2)
    if (features.avx2) kernels.push_back(&avx2_kernel());
#endif
#if defined(RINGMATCH_HAS_AVX512)
    if (features.avx512) kernels.push_back(&avx512_kernel());
#endif
#endif
    return kernels;
}

std::atomic<const Kernel*>& active() {
    static std::atomic<const Kernel*> kernel{available_kernels().back()};
    return kernel;
}

}  // namespace

std::vector<std::string> available_paths() {
    std::vector<std::string> names;
    for (const Kernel* kernel : available_kernels()) names.emplace_back(kernel->name);
    return names;
}

const Kernel& active_kernel() { return *active().load(std::memory_order_acquire); }

bool select_path(const std::string& name) {
    for (const Kernel* kernel : available_kernels()) {
        if (name == kernel->name) {
            active().store(kernel, std::memory_order_release);
            return true;
        }
    }
    return false;
}

}  // namespace ringmatch
