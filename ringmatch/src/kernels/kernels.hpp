#pragma once

#include "ringmatch/kernel.hpp"

namespace ringmatch {

const Kernel& portable_kernel();
const Kernel& neon_kernel();
const Kernel& avx2_kernel();
const Kernel& avx512_kernel();

}  // namespace ringmatch
