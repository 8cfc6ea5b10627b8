/// OpenBLAS under this project's thread pool: it runs single-threaded on the strips that our threads take, as any
/// library would have to.
#pragma once

#include "statespace/gemm.h"

namespace statespace::bench {

/// The product of `args` without epilogue, batch 1.
void openblas_gemm(const GemmArgs& args);

}  // namespace statespace::bench
