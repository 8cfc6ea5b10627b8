#include "../arguments/ssd_chunk_scan.h"

#include <type_traits>

#include "statespace/diagonal_ssd.h"
#include "statespace/kernels.h"
#include "tensor_source.h"

namespace statespace::c_interface {
namespace {

constexpr int64_t kDefaultChunk = 64;

template <typename Real, typename GivenArgs>
arguments::SsdForm ReadSizes(TensorSource& source, const GivenArgs& given, bool rate_per_state,
                             SsdChunkScanInputsOf<Real>& a) {
  a.dt_softplus = source.Flag(given.dt_softplus);
  double dt_min = 0, dt_max = 0;
  source.DtLimit(given.has_dt_limit, given.dt_min, given.dt_max, &dt_min, &dt_max);
  a.dt_min = static_cast<Real>(dt_min);
  a.dt_max = static_cast<Real>(dt_max);
  if (given.chunk_size < 0 || given.chunk_size > arguments::kMaxSize) source.Fault(STATESPACE_BAD_OPTION);
  a.chunk_size = given.chunk_size == 0 ? kDefaultChunk : given.chunk_size;
  const int32_t x = source.At(offsetof(GivenArgs, x)), B = source.At(offsetof(GivenArgs, B));
  arguments::SsdForm form = {rate_per_state, {}};
  form.sequences = source.Sequences(given.sequences, given.reverse, source.At(offsetof(GivenArgs, sequence_indices)));
  if (source.HasRank(x, 4, 4) && source.HasRank(B, 3, 4)) {
    a.batch = source.Batch(x);
    a.seq_len = given.x.shape[1];
    a.n_heads = given.x.shape[2];
    a.head_dim = given.x.shape[3];
    a.n_groups = given.B.rank == 4 ? given.B.shape[2] : 1;
    a.d_state = given.B.shape[given.B.rank - 1];
    a.d_has_head_dim = given.D.rank == 2;
  }
  return form;
}

/// Reads the rest into `Args`, the arguments of a forward or a backward kernel.
template <typename Real, typename GivenArgs, typename Args>
int32_t Run(TensorSource& source, const GivenArgs& given, bool rate_per_state,
            Status (*kernel)(const Args&) noexcept) {
  Args a;
  const arguments::SsdForm form = ReadSizes<Real>(source, given, rate_per_state, a);
  if (source.ok()) {
    if constexpr (std::is_same_v<GivenArgs, statespace_ssd_chunk_scan_args>) {
      arguments::ReadSsdForward<Real>(source, form, a);
    } else {
      arguments::ReadSsdBackward<Real>(source, form, a);
    }
  }
  return source.Run(a, kernel);
}

template <typename GivenArgs, typename Single, typename Double>
int32_t Scan(Form form, const GivenArgs* args, bool rate_per_state, Status (*f32)(const Single&) noexcept,
             Status (*f64)(const Double&) noexcept) {
  TensorSource source(form);
  GivenArgs given;
  if (!source.Open(args, offsetof(GivenArgs, x), &given)) return source.status();
  const bool wide = given.A.dtype == STATESPACE_F64;
  source.SetWide(wide);
  return wide ? Run<double>(source, given, rate_per_state, f64) : Run<float>(source, given, rate_per_state, f32);
}

}  // namespace

int32_t SsdChunkScan(const statespace_ssd_chunk_scan_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Scan(Form::kSsdChunkScan, args, false, k.ssd_chunk_scan, k.ssd_chunk_scan_f64);
}

int32_t SsdChunkScanBackward(const statespace_ssd_chunk_scan_backward_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Scan(Form::kSsdChunkScanBackward, args, false, k.ssd_chunk_scan_backward, k.ssd_chunk_scan_backward_f64);
}

int32_t DiagonalSsd(const statespace_ssd_chunk_scan_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Scan(Form::kDiagonalSsd, args, true, k.diagonal_ssd, k.diagonal_ssd_f64);
}

int32_t DiagonalSsdBackward(const statespace_ssd_chunk_scan_backward_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Scan(Form::kDiagonalSsdBackward, args, true, k.diagonal_ssd_backward, k.diagonal_ssd_backward_f64);
}

}  // namespace statespace::c_interface
