/// Statuses of the C interface: reason, tensor and function in one number, and their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace statespace::c_interface {

/// The structures of the interface.
enum class Form : int32_t {
  kSelectiveScan,
  kSelectiveScanBackward,
  kCausalConv1d,
  kCausalConv1dBackward,
  kSsdChunkScan,
  kSsdChunkScanBackward,
  kDiagonalSsd,
  kDiagonalSsdBackward,
  kSelectiveStateUpdate,
  kCausalConv1dUpdate,
  kSgemm,
};

/// A function and the tensors of its structure, in order.
struct FormNames {
  const char* function;
  std::span<const char* const> tensors;
};

FormNames NamesOf(Form form) noexcept;

/// `position` counts tensors from 0; -1: none in particular. 0 for reason 0.
constexpr int32_t StatusOf(Form form, int32_t reason, int32_t position) noexcept {
  return reason == 0 ? 0 : reason | ((position + 1) << 8) | ((static_cast<int32_t>(form) + 1) << 16);
}

}  // namespace statespace::c_interface
