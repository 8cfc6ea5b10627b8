// Numbers: real (0 f32, 1 f64), complex, batch, seqLen, dim, dState, bGroups, cGroups, softplus, rows of
// checkpoints, those of sequences.h.
// Arrays: ../arguments/selective_scan.h. A constant B or C has bGroups or cGroups 0.
#include "../arguments/selective_scan.h"

#include "methods.h"
#include "sequences.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

template <typename Args>
napi_value Scan(Call& call, bool complex, Status (*kernel)(const Args&) noexcept) {
  Args a;
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.d_state = call.Choice(kSelectiveScanMaxState + 1);
  a.b_groups = call.Size();
  a.c_groups = call.Size();
  a.delta_softplus = call.Flag();
  const int64_t checkpoint_rows = call.Size();
  arguments::ReadScan(call, {complex, ReadSequencesHeader(call)}, a);
  arguments::ReadCheckpoints(call, complex, checkpoint_rows, a);
  return call.Run(a, kernel);
}

napi_value SelectiveScan(Call& call) {
  const bool wide = call.Choice(2) == 1, complex = call.Flag();
  const KernelTable& k = *cpu_kernels();
  if (wide) return Scan(call, complex, complex ? k.selective_scan_c128 : k.selective_scan_f64);
  return Scan(call, complex, complex ? k.selective_scan_c64 : k.selective_scan);
}

napi_value SelectiveScanBackward(Call& call) {
  const bool wide = call.Choice(2) == 1, complex = call.Flag();
  const KernelTable& k = *cpu_kernels();
  if (wide) {
    return Scan(call, complex, complex ? k.selective_scan_backward_c128 : k.selective_scan_backward_f64);
  }
  return Scan(call, complex, complex ? k.selective_scan_backward_c64 : k.selective_scan_backward);
}

constexpr Method kMethods[] = {
    {"selectiveScan", Sync<SelectiveScan>},
    {"selectiveScanAsync", Async<SelectiveScan>},
    {"selectiveScanBackward", Sync<SelectiveScanBackward>},
    {"selectiveScanBackwardAsync", Async<SelectiveScanBackward>},
};

}  // namespace

std::span<const Method> ScanMethods() { return kMethods; }

}  // namespace statespace::binding
