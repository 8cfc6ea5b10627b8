#include "argument_checks.h"

namespace statespace {

Status check_sequences(const SequenceSpans& sequences, int64_t batch, int64_t seq_len) noexcept {
  if (sequences.spans == nullptr) return Status::kOk;
  if (sequences.count < 0 || sequences.padding_count < 0 || sequences.state_rows < 0) return Status::kBadArgument;
  const auto inside = [&](int64_t row, int64_t begin, int64_t end) {
    return row >= 0 && row < batch && begin >= 0 && begin <= end && end <= seq_len;
  };
  bool ok = true;
  for (int64_t i = 0; i < sequences.count; ++i) {
    const SequenceSpan& span = sequences.spans[i];
    ok &= inside(span.batch, span.begin, span.end) && span.initial_row >= -1 && span.final_row >= -1 &&
          span.initial_row < sequences.state_rows && span.final_row < sequences.state_rows;
    if (i == 0) continue;
    const SequenceSpan& before = sequences.spans[i - 1];
    ok &= span.batch > before.batch || (span.batch == before.batch && span.begin >= before.end);
  }
  for (int64_t i = 0; i < sequences.padding_count; ++i) {
    ok &= inside(sequences.padding[i].batch, sequences.padding[i].begin, sequences.padding[i].end);
  }
  return ok ? Status::kOk : Status::kIndexOutOfRange;
}

template <typename Real>
Status check_selective_scan(const SelectiveScanInputsOf<Real>& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.dim < 0 || args.d_state < 0 || args.b_groups < 0 ||
      args.c_groups < 0 || args.d_state > kSelectiveScanMaxState) {
    return Status::kBadArgument;
  }
  if (args.b_groups > 0 && args.dim % args.b_groups != 0) return Status::kBadArgument;
  if (args.c_groups > 0 && args.dim % args.c_groups != 0) return Status::kBadArgument;
  const bool empty = args.batch == 0 || args.seq_len == 0 || args.dim == 0;
  if (!empty && (args.u.data == nullptr || args.delta.data == nullptr)) return Status::kBadArgument;
  if (!empty && args.d_state > 0 && (args.A == nullptr || args.B.data == nullptr || args.C.data == nullptr)) {
    return Status::kBadArgument;
  }
  return check_sequences(args.sequences, args.batch, args.seq_len);
}

template <typename Real>
Status check_causal_conv1d(const CausalConv1dInputsOf<Real>& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.dim < 0 || args.width < 1 || args.width > kCausalConv1dMaxWidth) {
    return Status::kBadArgument;
  }
  const bool empty = args.batch == 0 || args.seq_len == 0 || args.dim == 0;
  if (!empty && args.x.data == nullptr) return Status::kBadArgument;
  if (args.dim > 0 && args.weight == nullptr) return Status::kBadArgument;
  return check_sequences(args.sequences, args.batch, args.seq_len);
}

template <typename Real>
Status check_ssd(const SsdChunkScanInputsOf<Real>& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.n_heads < 0 || args.head_dim < 0 || args.d_state < 0 ||
      args.n_groups < 1 || args.n_heads % args.n_groups != 0 || args.chunk_size < 1 ||
      !(args.dt_min <= args.dt_max)) {
    return Status::kBadArgument;
  }
  if (args.batch > 0 && args.seq_len > 0 && args.n_heads > 0 && args.head_dim > 0) {
    if (args.x.data == nullptr || args.dt.data == nullptr || args.A == nullptr) return Status::kBadArgument;
    if (args.d_state > 0 && (args.B.data == nullptr || args.C.data == nullptr)) return Status::kBadArgument;
  }
  return check_sequences(args.sequences, args.batch, args.seq_len);
}

template <typename Real>
Status check_state_update(const SelectiveStateUpdateArgsOf<Real>& args) noexcept {
  if (args.batch < 0 || args.n_heads < 0 || args.head_dim < 0 || args.d_state < 0 || args.state_rows < 0 ||
      args.n_groups < 1 || args.n_heads % args.n_groups != 0 || !(args.dt_min <= args.dt_max)) {
    return Status::kBadArgument;
  }
  if (args.batch > 0 && args.n_heads > 0 && args.head_dim > 0) {
    if (args.x == nullptr || args.dt == nullptr || args.out == nullptr) return Status::kBadArgument;
    // Without states, tensors over them are empty and may have no address.
    if (args.d_state > 0 && (args.A == nullptr || args.B == nullptr || args.C == nullptr)) return Status::kBadArgument;
    if (args.d_state > 0 && args.state_rows > 0 && args.state == nullptr) return Status::kBadArgument;
  }
  return args.state_batch_indices == nullptr && args.batch > args.state_rows ? Status::kBadArgument : Status::kOk;
}

template <typename Real>
Status check_causal_conv1d_update(const CausalConv1dUpdateArgsOf<Real>& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.dim < 0 || args.width < 1 || args.width > kCausalConv1dMaxWidth ||
      args.state_len < args.width - 1 || args.state_rows < 0) {
    return Status::kBadArgument;
  }
  if (args.batch > 0 && args.dim > 0) {
    if (args.weight == nullptr || (args.state_len > 0 && args.state_rows > 0 && args.conv_state == nullptr)) {
      return Status::kBadArgument;
    }
    if (args.seq_len > 0 && (args.x.data == nullptr || args.out == nullptr)) return Status::kBadArgument;
  }
  return args.conv_state_indices == nullptr && args.batch > args.state_rows ? Status::kBadArgument : Status::kOk;
}

template Status check_selective_scan(const SelectiveScanInputsOf<float>&) noexcept;
template Status check_selective_scan(const SelectiveScanInputsOf<double>&) noexcept;
template Status check_causal_conv1d(const CausalConv1dInputsOf<float>&) noexcept;
template Status check_causal_conv1d(const CausalConv1dInputsOf<double>&) noexcept;
template Status check_ssd(const SsdChunkScanInputsOf<float>&) noexcept;
template Status check_ssd(const SsdChunkScanInputsOf<double>&) noexcept;
template Status check_state_update(const SelectiveStateUpdateArgsOf<float>&) noexcept;
template Status check_state_update(const SelectiveStateUpdateArgsOf<double>&) noexcept;
template Status check_causal_conv1d_update(const CausalConv1dUpdateArgsOf<float>&) noexcept;
template Status check_causal_conv1d_update(const CausalConv1dUpdateArgsOf<double>&) noexcept;

}  // namespace statespace
