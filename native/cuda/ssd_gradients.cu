#include "ssd_gradients.h"

#include "launch.h"
#include "partial_sums.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

/// dx = sum over slices + D dy, and dz = grad_out o silu'(z) with o = y + D x, which the forward pass left in `y`.
__global__ void __launch_bounds__(kThreads)
    ssd_row_gradients_kernel(const SsdChunkScanBackwardArgs args, const float* partials, const int64_t slices,
                             const float* y, const int64_t count) {
  for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < count; i += gridDim.x * int64_t{kThreads}) {
    const int64_t p = i % args.head_dim, head = i / args.head_dim % args.n_heads;
    const int64_t row = i / (args.head_dim * args.n_heads), batch = row / args.seq_len, step = row % args.seq_len;
    const auto at = [&](const auto& tensor) {
      return entry_offset(tensor, row_offset(tensor, batch, step), head, p);
    };
    const float grad = load_entry<Format::kMixed>(args.grad_out, at(args.grad_out));
    const float z = args.z.data != nullptr ? load_entry<Format::kMixed>(args.z, at(args.z)) : 0.0f;
    if (args.grad_x.data != nullptr) {
      float sum = skip_of(args, head, p) * (args.z.data != nullptr ? grad * silu(z) : grad);
      for (int64_t slice = 0; slice < slices; ++slice) sum += partials[slice * count + i];
      store_entry<Format::kMixed>(args.grad_x, at(args.grad_x), sum);
    }
    if (args.grad_z.data != nullptr) {
      store_entry<Format::kMixed>(args.grad_z, at(args.grad_z), grad * y[i] * silu_slope(z));
    }
  }
}

/// out[head] = sum over p of rows (H, P).
__global__ void __launch_bounds__(kThreads)
    sum_head_rows_kernel(const float* rows, int64_t n_heads, int64_t head_dim, float* out) {
  for (int64_t head = blockIdx.x * int64_t{kThreads} + threadIdx.x; head < n_heads;
       head += gridDim.x * int64_t{kThreads}) {
    float sum = 0.0f;
    for (int64_t p = 0; p < head_dim; ++p) sum += rows[head * head_dim + p];
    out[head] = sum;
  }
}

GridShape grid_of(int64_t count) { return {blocks_for(ceil_divide<int64_t>(count, kThreads)), kThreads, 0}; }

/// The gradients of B and C as written from their sums.
Status store_states(const SsdChunkScanBackwardArgs& args, const float* sums, const SequenceTarget& to) {
  return sum_partials(sums, 1, args.batch, args.seq_len, args.n_groups, args.d_state, to);
}

}  // namespace

/// Memory of the pass. Rows of padding, which no block writes, count as 0.
float* SsdGradients::take(int64_t count) noexcept {
  DeviceScratch& scratch = memory_[used_++];
  auto* memory = scratch.take<float>(count);
  if (status_ == Status::kOk) status_ = scratch.status();
  if (memory != nullptr && status_ == Status::kOk && args_.sequences.padding_count > 0) {
    status_ = clear_device(memory, static_cast<size_t>(count) * sizeof(float));
  }
  return memory;
}

Status SsdGradients::restore(Format format) noexcept {
  const int64_t channels = args_.n_heads * args_.head_dim, sequences = sequences_.count();
  pass_.states = take(pass_.chunks.total * channels * args_.d_state);
  partials_.delta = take(parts() * rows() * args_.n_heads);
  if (args_.grad_x.data != nullptr) partials_.x = take(pass_.cut.slices * rows() * channels);
  if (args_.grad_A != nullptr) partials_.A = take(sequences * parts() * args_.n_heads);
  if (args_.grad_dt_bias != nullptr) partials_.bias = take(sequences * parts() * args_.n_heads);
  if (args_.grad_D != nullptr) partials_.D = take(sequences * channels);
  if (args_.grad_z.data != nullptr) y_ = take(rows() * channels);
  if (status_ != Status::kOk) return status_;

  SsdChunkScanArgs forward;
  static_cast<SsdChunkScanInputs&>(forward) = args_;
  forward.z = {};
  forward.initial_states = args_.initial_states;
  if (y_ != nullptr) {
    forward.out = {y_, args_.seq_len * channels, channels, args_.head_dim, 1, DType::kF32};
    // The output is float whatever the inputs are.
    if (format != Format::kF32) format = Format::kMixed;
  }
  return run_ssd(forward, format, sequences_, pass_.states);
}

Status SsdGradients::reserve_states(int64_t parts) noexcept {
  if (args_.grad_B.data != nullptr) partials_.B = take(parts * coefficients()), sum_B_ = take(coefficients());
  if (args_.grad_C.data != nullptr) partials_.C = take(parts * coefficients()), sum_C_ = take(coefficients());
  return status_;
}

Status SsdGradients::add_round(int64_t parts, bool first) noexcept {
  return in_order([&] { return sum_partials(partials_.B, parts, coefficients(), sum_B_, !first); },
                  [&] { return sum_partials(partials_.C, parts, coefficients(), sum_C_, !first); });
}

Status SsdGradients::finish_rows() noexcept {
  if (args_.grad_x.data == nullptr && args_.grad_z.data == nullptr) return Status::kOk;
  SsdChunkScanBackwardArgs args = args_;
  args.grad_x = with_outer_stride(args.grad_x, args.head_dim);
  args.grad_z = with_outer_stride(args.grad_z, args.head_dim);
  const int64_t count = rows() * args.n_heads * args.head_dim;
  return launch(ssd_row_gradients_kernel, grid_of(count), args, static_cast<const float*>(partials_.x),
                pass_.cut.slices, static_cast<const float*>(y_), count);
}

Status SsdGradients::finish() noexcept {
  const int64_t heads = args_.n_heads, channels = heads * args_.head_dim, sequences = sequences_.count();
  const auto sum_D = [&] {
    if (args_.grad_D == nullptr || args_.d_has_head_dim) return sum_partials(partials_.D, sequences, channels, args_.grad_D);
    float* const sums = take(channels);
    return in_order([&] { return status_; }, [&] { return sum_partials(partials_.D, sequences, channels, sums); },
                    [&] {
                      return launch(sum_head_rows_kernel, grid_of(heads), static_cast<const float*>(sums), heads,
                                    args_.head_dim, args_.grad_D);
                    });
  };
  return in_order(
      [&] { return finish_rows(); }, [&] { return store_states(args_, sum_B_, args_.grad_B); },
      [&] { return store_states(args_, sum_C_, args_.grad_C); },
      [&] { return sum_partials(partials_.delta, parts(), args_.batch, args_.seq_len, 1, heads, args_.grad_dt); },
      [&] { return sum_partials(partials_.A, sequences * parts(), heads, args_.grad_A); },
      [&] { return sum_partials(partials_.bias, sequences * parts(), heads, args_.grad_dt_bias); }, sum_D,
      [&] { return sequences_.clear_padding(args_.grad_x, heads, args_.head_dim); },
      [&] { return sequences_.clear_padding(args_.grad_z, heads, args_.head_dim); },
      [&] { return sequences_.clear_padding(args_.grad_dt, 1, heads); });
}

}  // namespace statespace::cuda
