#include "kernels.h"

namespace statespace::cuda {

const KernelTable* cuda_kernels() noexcept {
  static constexpr KernelTable table = [] {
    KernelTable t{};
    t.isa = "cuda";
    t.selective_scan = selective_scan;
    t.selective_scan_backward = selective_scan_backward;
    t.selective_scan_c64 = selective_scan_c64;
    t.selective_scan_backward_c64 = selective_scan_backward_c64;
    t.causal_conv1d = causal_conv1d;
    t.causal_conv1d_backward = causal_conv1d_backward;
    return t;
  }();
  return &table;
}

}  // namespace statespace::cuda
