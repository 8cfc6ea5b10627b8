#include "device_memory.h"
#include "kernels.h"

/// The kernels that there are: every dense one, and of the state-space kernels these.
#define STATESPACE_CUDA_KERNELS(X)                           \
  STATESPACE_DENSE_KERNELS(X)                                \
  X(selective_scan, SelectiveScanArgs)                       \
  X(selective_scan_backward, SelectiveScanBackwardArgs)      \
  X(selective_scan_c64, SelectiveScanArgs)                   \
  X(selective_scan_backward_c64, SelectiveScanBackwardArgs)  \
  X(causal_conv1d, CausalConv1dArgs)                         \
  X(causal_conv1d_backward, CausalConv1dBackwardArgs)        \
  X(ssd_chunk_scan, SsdChunkScanArgs)                        \
  X(ssd_chunk_scan_backward, SsdChunkScanBackwardArgs)       \
  X(selective_state_update, SelectiveStateUpdateArgs)        \
  X(causal_conv1d_update, CausalConv1dUpdateArgs)

namespace statespace::cuda {
namespace {

#define STATESPACE_WAITING(name, Args)                          \
  Status waiting_##name(const Args& args) noexcept {            \
    const Status status = name(args);                           \
    return status == Status::kOk ? synchronize() : status;      \
  }
STATESPACE_CUDA_KERNELS(STATESPACE_WAITING)
#undef STATESPACE_WAITING

}  // namespace

const KernelTable* cuda_kernels() noexcept {
  static constexpr KernelTable table = [] {
    KernelTable all{};
    all.isa = "cuda";
#define STATESPACE_ENTRY(name, Args) all.name = name;
    STATESPACE_CUDA_KERNELS(STATESPACE_ENTRY)
#undef STATESPACE_ENTRY
    return all;
  }();
  return &table;
}

const KernelTable* waiting_cuda_kernels() noexcept {
  static constexpr KernelTable table = [] {
    KernelTable all{};
    all.isa = "cuda";
#define STATESPACE_ENTRY(name, Args) all.name = waiting_##name;
    STATESPACE_CUDA_KERNELS(STATESPACE_ENTRY)
#undef STATESPACE_ENTRY
    return all;
  }();
  return &table;
}

}  // namespace statespace::cuda
