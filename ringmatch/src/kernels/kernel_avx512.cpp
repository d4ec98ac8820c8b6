// The body is written in the functions of the first header.
#include "kernels/simd_avx512.hpp"

#include "kernels/kernel_body.hpp"
#include "kernels/kernels.hpp"

namespace ringmatch {

const Kernel& avx512_kernel() {
    static constexpr Kernel kernel = make_kernel("avx512");
    return kernel;
}

}  // namespace ringmatch
