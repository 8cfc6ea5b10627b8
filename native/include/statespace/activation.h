/// Activation fused into the end of a kernel.
#pragma once

#include <cstdint>

namespace statespace {

enum class Activation : int32_t { kNone = 0, kSilu = 1 };

}  // namespace statespace
