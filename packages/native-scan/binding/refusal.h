/// Why a call was refused or failed, as the integer that every bound function returns to TypeScript.
///
/// The low byte is a Refusal; the bits above hold 1 + the position of the array argument at fault, 0 where no
/// single one is. src/addon-error.ts turns the integer into an exception; keep both lists in step.
#pragma once

#include <cstdint>

#include "statespace/status.h"

namespace statespace::binding {

enum class Refusal : int32_t {
  kNone = 0,
  /// A required array is absent.
  kMissing = 1,
  /// Not a typed array of the wanted element type.
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

inline int32_t RefusalCode(Refusal reason, int32_t position) {
  return static_cast<int32_t>(reason) | ((position + 1) << 8);
}

inline int32_t StatusCode(Status status) {
  if (status == Status::kOk) return 0;
  return static_cast<int32_t>(Refusal::kKernel) + static_cast<int32_t>(status);
}

}  // namespace statespace::binding
