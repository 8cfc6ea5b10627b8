/// Matrix products by cuBLASLt.
#pragma once

#include "statespace/gemm.h"
#include "statespace/status.h"

namespace statespace::cuda {

/// gemm_unless() of arguments that were checked and are not empty. kUnsupported, with nothing queued, where the library
/// is not there or does not take this product.
Status library_gemm(const int32_t* refused, const GemmArgs& args) noexcept;

}  // namespace statespace::cuda
