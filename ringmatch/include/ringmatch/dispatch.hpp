// Which kernel runs on this machine.
#pragma once

#include <string>
#include <vector>

#include "ringmatch/kernel.hpp"

namespace ringmatch {

// Names of the paths this machine can run, slowest first: "portable", then "neon", or "avx2" and "avx512".
std::vector<std::string> available_paths();

// The kernel in use: the fastest available one until select_path is called.
const Kernel& active_kernel();

// Returns false, and changes nothing, when the path does not exist here.
bool select_path(const std::string& name);

}  // namespace ringmatch
