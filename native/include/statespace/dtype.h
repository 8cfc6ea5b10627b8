/// Storage formats of tensors.
#pragma once

#include <cstdint>

namespace statespace {

/// IEEE floats of 32, 64 and 16 bits, bfloat16, 32-bit integers and bytes. A complex tensor is a real one with a last
/// axis of 2.
enum class DType : int32_t { kF32, kF64, kF16, kBf16, kI32, kU8 };

}  // namespace statespace
