#include "../arguments/ssd_chunk_scan.h"

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

template <typename Real, typename Args>
int32_t Forward(TensorSource& source, const statespace_ssd_chunk_scan_args& given, bool rate_per_state,
                Status (*kernel)(const Args&) noexcept) {
  Args a;
  const arguments::SsdForm form = ReadSizes<Real>(source, given, rate_per_state, a);
  if (source.ok()) arguments::ReadSsdForward<Real>(source, form, a);
  return source.Run(a, kernel);
}

template <typename Real, typename Args>
int32_t Backward(TensorSource& source, const statespace_ssd_chunk_scan_backward_args& given, bool rate_per_state,
                 Status (*kernel)(const Args&) noexcept) {
  Args a;
  const arguments::SsdForm form = ReadSizes<Real>(source, given, rate_per_state, a);
  if (source.ok()) arguments::ReadSsdBackward<Real>(source, form, a);
  return source.Run(a, kernel);
}

}  // namespace

int32_t SsdChunkScan(const statespace_ssd_chunk_scan_args* args) noexcept {
  TensorSource source(Form::kSsdChunkScan);
  statespace_ssd_chunk_scan_args given;
  if (!source.Open(args, offsetof(statespace_ssd_chunk_scan_args, x), &given)) return source.status();
  const bool wide = given.A.dtype == STATESPACE_F64;
  source.SetWide(wide);
  return wide ? Forward<double>(source, given, false, cpu_kernels()->ssd_chunk_scan_f64)
              : Forward<float>(source, given, false, cpu_kernels()->ssd_chunk_scan);
}

int32_t SsdChunkScanBackward(const statespace_ssd_chunk_scan_backward_args* args) noexcept {
  TensorSource source(Form::kSsdChunkScanBackward);
  statespace_ssd_chunk_scan_backward_args given;
  if (!source.Open(args, offsetof(statespace_ssd_chunk_scan_backward_args, x), &given)) return source.status();
  const bool wide = given.A.dtype == STATESPACE_F64;
  source.SetWide(wide);
  return wide ? Backward<double>(source, given, false, cpu_kernels()->ssd_chunk_scan_backward_f64)
              : Backward<float>(source, given, false, cpu_kernels()->ssd_chunk_scan_backward);
}

int32_t DiagonalSsd(const statespace_ssd_chunk_scan_args* args) noexcept {
  TensorSource source(Form::kDiagonalSsd);
  statespace_ssd_chunk_scan_args given;
  if (!source.Open(args, offsetof(statespace_ssd_chunk_scan_args, x), &given)) return source.status();
  return Forward<float>(source, given, true, cpu_kernels()->diagonal_ssd);
}

int32_t DiagonalSsdBackward(const statespace_ssd_chunk_scan_backward_args* args) noexcept {
  TensorSource source(Form::kDiagonalSsdBackward);
  statespace_ssd_chunk_scan_backward_args given;
  if (!source.Open(args, offsetof(statespace_ssd_chunk_scan_backward_args, x), &given)) return source.status();
  return Backward<float>(source, given, true, cpu_kernels()->diagonal_ssd_backward);
}

}  // namespace statespace::c_interface
