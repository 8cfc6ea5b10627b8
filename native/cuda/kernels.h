/// The kernels of the CUDA backend: the contract of statespace/kernels.h with every tensor in the memory of the
/// device. Sequences lie in host memory. A kernel is queued on the stream of the calling thread (device_memory.h).
#pragma once

#include "statespace/kernels.h"

namespace statespace::cuda {

#define STATESPACE_DECLARE(name, Args) Status name(const Args& args) noexcept;
STATESPACE_DENSE_KERNELS(STATESPACE_DECLARE)
STATESPACE_SSM_KERNELS(STATESPACE_DECLARE)
#undef STATESPACE_DECLARE

/// The table of them all; null entries are kernels that this backend lacks.
const KernelTable* cuda_kernels() noexcept;

/// The same kernels, which wait until they are done and answer what became of them.
const KernelTable* waiting_cuda_kernels() noexcept;

}  // namespace statespace::cuda
