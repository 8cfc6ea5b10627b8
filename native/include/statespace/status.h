/// What a kernel answers. Kernels never throw, print or abort.
#pragma once

#include <cstdint>

namespace statespace {

enum class Status : int32_t {
  kOk = 0,
  /// A size is negative, a required pointer is null, or an option is outside its range. Nothing was written.
  kBadArgument = 1,
  /// Scratch memory could not be had. Outputs are unspecified.
  kOutOfMemory = 2,
  /// A token id, target or boundary lies outside its range. Nothing was written.
  kIndexOutOfRange = 3,
  /// The instruction set or feature that was asked for is not there.
  kUnsupported = 4,
  /// The device refused or failed, perhaps in an earlier kernel. Outputs are unspecified.
  kDeviceFailure = 5,
};

/// A short English name of `status`, for messages.
const char* status_name(Status status) noexcept;

}  // namespace statespace
