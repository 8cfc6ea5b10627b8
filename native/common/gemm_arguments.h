/// What every backend does with the arguments of a matrix product before it starts.
#pragma once

#include "statespace/gemm.h"
#include "statespace/status.h"

namespace statespace {

Status check_gemm(const GemmArgs& args) noexcept;

/// A batch that shares b and whose rows continue from member to member, as one taller product.
GemmArgs merge_batch(GemmArgs args) noexcept;

}  // namespace statespace
