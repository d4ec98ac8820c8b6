// The body is written in the functions of the first header.
#include "kernels/simd_neon.hpp"

#include "kernels/kernel_body.hpp"
#include "kernels/kernels.hpp"

namespace ringmatch {

const Kernel& neon_kernel() {
    static constexpr Kernel kernel = make_kernel("neon");
    return kernel;
}

}  // namespace ringmatch
