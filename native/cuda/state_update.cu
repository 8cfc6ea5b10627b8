/// Selective state update of decoding.
///
///   Delta = clamp(softplus?(dt + dt_bias), dt_min, dt_max)    h <- exp(Delta A) h + Delta x B    out = (<C, h> + D x) silu(z)
///
/// Oracle: packages/ssd-core selectiveStateUpdateRef. Bound by the bytes of the state, read and written once: neighbouring lanes take
/// neighbouring states of a row (b, h, p), whose sum is a sum over lanes.
#include "activations.h"
#include "argument_checks.h"
#include "device_indices.h"
#include "kernels.h"
#include "launch.h"
#include "scan_value.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 128;

/// Of the entries of a batch with one row, in turn; `c` is channel (h, p).
__global__ void __launch_bounds__(kThreads)
    selective_state_update_kernel(const SelectiveStateUpdateArgs args, const RowTurns turns, const int32_t* refused,
                                  const int lanes, const int64_t row_blocks) {
  if (is_refused(refused)) return;
  const int64_t channels = args.n_heads * args.head_dim, items = args.batch * row_blocks;
  const int rows = kThreads / lanes, lane = static_cast<int>(threadIdx.x) & (lanes - 1);
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t c = item % row_blocks * rows + threadIdx.x / static_cast<unsigned>(lanes);
    const bool present = c < channels;
    const int64_t head = present ? c / args.head_dim : 0, group = head / (args.n_heads / args.n_groups);
    int64_t b = item / row_blocks;
    if (!has_first_turn(turns, b)) continue;
    for (; b >= 0; b = next_turn(turns, b)) {
      const int64_t row = row_of(turns, b);
      const bool padding = row < 0;
      float y = 0.0f, x = 0.0f;
      if (present && !padding) {
        float delta = args.dt[b * args.dt_batch_stride + (args.dt_has_head_dim ? c : head)];
        if (args.dt_bias != nullptr) delta += args.dt_bias[args.dt_bias_has_head_dim ? c : head];
        if (args.dt_softplus) delta = softplus(delta);
        delta = delta < args.dt_min ? args.dt_min : delta > args.dt_max ? args.dt_max : delta;
        x = args.x[b * args.x_batch_stride + c];
        const float* const B = args.B + b * args.b_batch_stride + group * args.d_state;
        const float* const C = args.C + b * args.c_batch_stride + group * args.d_state;
        float* const state = args.state + (row * channels + c) * args.d_state;
        const float shared_decay = args.a_has_state || args.d_state == 0 ? 0.0f : decay_of(delta, rate_of(args.A[head]));
        for (int64_t n = lane; n < args.d_state; n += lanes) {
          const float decay =
              args.a_has_state ? decay_of(delta, rate_of(args.A[c * args.d_state + n])) : shared_decay;
          const float h = decay * state[n] + delta * x * B[n];
          state[n] = h;
          y += C[n] * h;
        }
      }
      y = sum_over_lanes(y, lanes);
      if (!present || lane != 0) continue;
      if (!padding && args.D != nullptr) y += args.D[args.d_has_head_dim ? c : head] * x;
      if (!padding && args.z != nullptr) y *= silu(args.z[b * args.z_batch_stride + c]);
      args.out[b * channels + c] = y;
    }
  }
}

}  // namespace

Status selective_state_update(const SelectiveStateUpdateArgs& args) noexcept {
  const Status checked = check_state_update(args);
  if (checked != Status::kOk) return checked;
  const int64_t channels = args.n_heads * args.head_dim;
  if (args.batch == 0 || channels == 0) return Status::kOk;
  IndexCheck check;
  Status status = check.queue({{args.state_batch_indices, args.batch, INT32_MIN, args.state_rows}});
  BatchRows rows;
  if (status == Status::kOk) status = rows.queue(args.state_batch_indices, args.batch);
  if (status != Status::kOk) return status;
  int lanes = 1;
  while (lanes < kWarpSize && lanes < args.d_state) lanes *= 2;
  const int64_t row_blocks = ceil_divide<int64_t>(channels, kThreads / lanes);
  return launch(selective_state_update_kernel, {blocks_for(args.batch * row_blocks), kThreads, 0}, args, rows.turns(),
                check.refused(), lanes, row_blocks);
}

}  // namespace statespace::cuda
