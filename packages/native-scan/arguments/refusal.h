/// Why arguments are refused, whoever gave them: JavaScript (binding/) or another native addon (c_interface/).
#pragma once

#include <cstdint>

namespace statespace::arguments {

enum class Refusal : int32_t {
  kNone = 0,
  /// A required array is absent.
  kMissing = 1,
  /// Not an array of the wanted element type.
  kWrongType = 2,
  /// The view reaches outside its memory; a detached array has length 0 and ends here too.
  kOutOfRange = 3,
  /// A size, stride, offset or option is no number of the wanted kind.
  kBadNumber = 4,
  /// An output shares memory with another argument in a way that the kernel cannot take.
  kOverlap = 5,
  kOutOfMemory = 6,
  /// The first element is not at a multiple of the element size.
  kMisaligned = 7,
  /// An asynchronous call was cancelled before it ran.
  kCancelled = 8,
  /// An output was detached or shrunk while the asynchronous call ran.
  kOutputLost = 9,
  /// External ArrayBuffers are not allowed in this JavaScript engine.
  kNoExternalBuffers = 10,
  /// 16 + statespace::Status.
  kKernel = 16,
};

}  // namespace statespace::arguments
