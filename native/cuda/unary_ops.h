/// From the name of a function of one number to the kernel that was compiled for it.
#pragma once

#include <type_traits>

#include "statespace/elementwise.h"
#include "statespace/status.h"

namespace statespace::cuda {

/// Calls with_op(std::integral_constant<UnaryOp, ...>{}) for `op`.
template <int32_t kOp = static_cast<int32_t>(UnaryOp::kGeluTanh), typename WithOp>
Status dispatch_unary(UnaryOp op, const WithOp& with_op) {
  if (static_cast<int32_t>(op) == kOp) return with_op(std::integral_constant<UnaryOp, static_cast<UnaryOp>(kOp)>{});
  if constexpr (kOp > 0) {
    return dispatch_unary<kOp - 1>(op, with_op);
  } else {
    return Status::kBadArgument;
  }
}

}  // namespace statespace::cuda
