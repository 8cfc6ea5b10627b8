#include "../arguments/selective_scan.h"

#include <type_traits>

#include "statespace/kernels.h"
#include "tensor_source.h"

namespace statespace::c_interface {
namespace {

/// Groups of B or C: none where it is constant.
int64_t GroupsOf(TensorSource& source, int32_t position) {
  if (!source.HasRank(position, 2, 4)) return 0;
  const statespace_tensor& tensor = source.tensor(position);
  if (tensor.rank < 4) return tensor.rank - 2;
  if (tensor.shape[2] == 0) source.Fault(STATESPACE_WRONG_SHAPE, position);
  return tensor.shape[2];
}

template <typename Args, typename GivenArgs>
int32_t Run(TensorSource& source, const GivenArgs& given, bool complex, Status (*kernel)(const Args&) noexcept) {
  Args a;
  a.delta_softplus = source.Flag(given.delta_softplus);
  source.Zero(given.reserved);
  const int32_t u = source.At(offsetof(GivenArgs, u)), A = source.At(offsetof(GivenArgs, A));
  const auto sequences =
      source.Sequences(given.sequences, given.reverse, source.At(offsetof(GivenArgs, sequence_indices)));
  if (source.HasRank(u, 3, 3) && source.HasRank(A, 2, 2)) {
    a.batch = source.Batch(u);
    a.seq_len = given.u.shape[1];
    a.dim = given.u.shape[2];
    a.d_state = given.A.shape[1];
    if (a.d_state > kSelectiveScanMaxState) source.Fault(STATESPACE_TOO_LARGE, A);
  }
  a.b_groups = GroupsOf(source, source.At(offsetof(GivenArgs, B)));
  a.c_groups = GroupsOf(source, source.At(offsetof(GivenArgs, C)));
  const int32_t checkpoints = source.At(offsetof(GivenArgs, checkpoints));
  int64_t rows = 0;
  if (!source.absent(checkpoints)) {
    if (complex || !std::is_same_v<decltype(a.A), const float*>) source.Fault(STATESPACE_UNSUPPORTED, checkpoints);
    if (source.HasRank(checkpoints, 3, 3)) rows = given.checkpoints.shape[0];
  }
  if (source.ok()) {
    arguments::ReadScan(source, {complex, sequences}, a);
    arguments::ReadCheckpoints(source, complex, rows, a);
  }
  return source.Run(a, kernel);
}

/// The four kernels of one direction.
template <typename Single, typename Double>
struct Kernels {
  Status (*f32)(const Single&) noexcept;
  Status (*f64)(const Double&) noexcept;
  Status (*c64)(const Single&) noexcept;
  Status (*c128)(const Double&) noexcept;
};

template <typename GivenArgs, typename Single, typename Double>
int32_t Scan(Form form, const GivenArgs* caller, const Kernels<Single, Double>& kernels) {
  TensorSource source(form);
  GivenArgs given;
  if (!source.Open(caller, offsetof(GivenArgs, u), &given)) return source.status();
  const int32_t dtype = given.A.dtype;
  const bool complex = dtype == STATESPACE_C64 || dtype == STATESPACE_C128;
  const bool wide = dtype == STATESPACE_F64 || dtype == STATESPACE_C128;
  source.SetWide(wide);
  if (wide) return Run(source, given, complex, complex ? kernels.c128 : kernels.f64);
  return Run(source, given, complex, complex ? kernels.c64 : kernels.f32);
}

}  // namespace

int32_t SelectiveScan(const statespace_selective_scan_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Scan<statespace_selective_scan_args, SelectiveScanArgs, SelectiveScanArgsOf<double>>(
      Form::kSelectiveScan, args,
      {k.selective_scan, k.selective_scan_f64, k.selective_scan_c64, k.selective_scan_c128});
}

int32_t SelectiveScanBackward(const statespace_selective_scan_backward_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Scan<statespace_selective_scan_backward_args, SelectiveScanBackwardArgs, SelectiveScanBackwardArgsOf<double>>(
      Form::kSelectiveScanBackward, args,
      {k.selective_scan_backward, k.selective_scan_backward_f64, k.selective_scan_backward_c64,
       k.selective_scan_backward_c128});
}

}  // namespace statespace::c_interface
