// The body is written in the functions of the first header.
#include "kernels/simd_avx2.hpp"

#include "kernels/kernel_body.hpp"
#include "kernels/kernels.hpp"

namespace ringmatch {

const Kernel& avx2_kernel() {
    static constexpr Kernel kernel = make_kernel("avx2");
    return kernel;
}

}  // namespace ringmatch
