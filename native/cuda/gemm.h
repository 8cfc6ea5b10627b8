/// Matrix products that wait for a check of indices.
#pragma once

#include "statespace/gemm.h"
#include "statespace/status.h"

namespace statespace::cuda {

/// gemm(args), which changes nothing where *refused is not 0 (IndexCheck); `refused` may be null. The factors must be
/// finite then too.
Status gemm_unless(const int32_t* refused, const GemmArgs& args) noexcept;

}  // namespace statespace::cuda
