// The body is written in the functions of the first header.
#include "kernels/simd_portable.hpp"

#include "kernels/kernel_body.hpp"
#include "kernels/kernels.hpp"

namespace ringmatch {

const Kernel& portable_kernel() {
    static constexpr Kernel kernel = make_kernel("portable");
    return kernel;
}

}  // namespace ringmatch
