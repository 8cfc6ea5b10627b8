/// Chunked SSD scan, backward; ssd_adjoint_tile.h has the equations of a tile.
///
/// Oracle: packages/ssd-core ssdChunkScanRef. A forward pass leaves the state before each tile. Then a block walks over its
/// sequence from the last tile to the first with the gradient of the state in its registers:
///   Gamma <- exp(alpha_T) Gamma + sum_l exp(alpha_l) dy_l C_l'
/// dB and dC are sums over heads: blocks leave theirs in scratch memory, so many heads at a time as fit there, and each round
/// is added to the ones before.
#include "argument_checks.h"
#include "kernels.h"
#include "launch.h"
#include "ssd_adjoint_tile.h"
#include "ssd_gradients.h"

namespace statespace::cuda {
namespace {

/// Heads of one launch: in each group those from `first` on, `count` of them.
struct HeadRound {
  int64_t first;
  int64_t count;
};

template <Format kFormat, int kStates>
__global__ void __launch_bounds__(kSsdThreads)
    ssd_chunk_scan_backward_kernel(const SsdChunkScanBackwardArgs args, const SsdPass pass, const HeadRound round,
                                   const SsdPartials partials, const int64_t items) {
  constexpr int kRows = 8, kColumns = kStates * kSsdRows / kSsdThreads / kRows;
  const SsdCut& cut = pass.cut;
  SsdAdjointTile<kStates>& tile = shared_memory<SsdAdjointTile<kStates>>();
  const int own_p = static_cast<int>(threadIdx.x) % (kSsdRows / kRows) * kRows;
  const int own_n = static_cast<int>(threadIdx.x) / (kSsdRows / kRows) * kColumns;
  const int64_t heads_of_group = args.n_heads / args.n_groups;
  const int64_t state_size = args.n_heads * args.head_dim * args.d_state;
  for (int64_t index = blockIdx.x; index < items; index += gridDim.x) {
    const int64_t slice = index % cut.slices, row_tile = index / cut.slices % cut.row_tiles;
    const int64_t rest = index / (cut.slices * cut.row_tiles), in_round = rest % round.count;
    const int64_t group = rest / round.count % args.n_groups, sequence = rest / (round.count * args.n_groups);
    const int64_t head = group * heads_of_group + round.first + in_round;
    const SsdItem item = {sequence, head, group, row_tile * kSsdRows, slice * kStates, slice};
    const SequenceSpan span = sequence_at(args, sequence);
    float gamma[kRows][kColumns];
    const auto for_own = [&](auto&& visit) {
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
#pragma unroll
        for (int j = 0; j < kColumns; ++j) {
          const int64_t p = item.row + own_p + i, n = item.state + own_n + j;
          visit(gamma[i][j], (head * args.head_dim + p) * args.d_state + n, p < args.head_dim && n < args.d_state);
        }
      }
    };
    for_own([&](float& value, int64_t at, bool inside) {
      const bool given = inside && args.grad_final_states != nullptr && span.final_row >= 0;
      value = given ? args.grad_final_states[span.final_row * state_size + at] : 0.0f;
    });
    float grad_A = 0.0f, grad_bias = 0.0f, grad_D = 0.0f;
    const int64_t chunks = ceil_divide<int64_t>(span.end - span.begin, cut.steps);
    for (int64_t chunk = chunks - 1; chunk >= 0; --chunk) {
      const int64_t begin = span.begin + chunk * cut.steps;
      const auto count = static_cast<int>(span.end - begin < cut.steps ? span.end - begin : cut.steps);
      load_ssd_rows<kFormat>(args.x, span.batch, begin, count, item, args.head_dim, tile.x);
      load_grad_rows<kFormat>(args, span.batch, begin, count, item, tile.dy);
      load_ssd_states<kFormat, kStates>(args.B, span.batch, begin, count, item, args.d_state, tile.B);
      load_ssd_states<kFormat, kStates>(args.C, span.batch, begin, count, item, args.d_state, tile.C);
      prepare_adjoint_steps<kFormat>(args, item, span.batch, begin, count, tile);
      const float* const states = pass.states + (first_chunk(pass.chunks, sequence) + chunk) * state_size;
      for (int i = static_cast<int>(threadIdx.x); i < kStates * kSsdRows; i += kSsdThreads) {
        const int64_t p = item.row + i / kStates, n = item.state + i % kStates;
        const bool inside = p < args.head_dim && n < args.d_state;
        tile.state[i % kStates * kSsdRowPitch + i / kStates] =
            inside ? states[(head * args.head_dim + p) * args.d_state + n] : 0.0f;
      }
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
#pragma unroll
        for (int j = 0; j < kColumns; ++j) tile.gamma[(own_n + j) * kSsdRowPitch + own_p + i] = gamma[i][j];
      }
      __syncthreads();
      mix_adjoint_steps(tile);
      multiply_pi(tile);
      __syncthreads();
      {
        OwnProduct q;
        multiply_q(tile, q);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            const int t = q.row + i;
            const int64_t p = item.row + q.column + j;
            if (t >= count || p >= args.head_dim || partials.x == nullptr) continue;
            const int64_t row = (slice * args.batch + span.batch) * args.seq_len + begin + t;
            partials.x[(row * args.n_heads + head) * args.head_dim + p] = tile.delta[t] * q.value[i][j];
          }
        }
      }
      const auto store_states = [&](const OwnProduct& own, float* to) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int j = 0; j < kStates / OwnProduct::kLanes; ++j) {
            const int t = own.row + i;
            const int64_t n = item.state + own.column + j;
            if (t >= count || n >= args.d_state || to == nullptr) continue;
            const int64_t part = in_round * cut.row_tiles + row_tile;
            const int64_t row = (part * args.batch + span.batch) * args.seq_len + begin + t;
            to[(row * args.n_groups + group) * args.d_state + n] = own.value[i][j];
          }
        }
      };
      {
        OwnProduct grad_C;
        multiply_states<false>(tile, grad_C);
        store_states(grad_C, partials.C);
      }
      {
        OwnProduct grad_B;
        multiply_states<true>(tile, grad_B);
        store_states(grad_B, partials.B);
      }
      const float kept = tile.O[count - 1];
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
#pragma unroll
        for (int j = 0; j < kColumns; ++j) gamma[i][j] *= kept;
      }
      for (int l = 0; l < count; ++l) {
#pragma unroll
        for (int i = 0; i < kRows; ++i) {
          const float dy = tile.O[l] * tile.dy[l * kSsdRows + own_p + i];
#pragma unroll
          for (int j = 0; j < kColumns; ++j) gamma[i][j] += dy * tile.C[(own_n + j) * kSsdPitch + l];
        }
      }
      __syncthreads();
      if (static_cast<int>(threadIdx.x) < count) {
        const auto t = static_cast<int>(threadIdx.x);
        const float da = grad_log_decay(tile, t, count);
        const int64_t part = slice * cut.row_tiles + row_tile;
        const int64_t row = (part * args.batch + span.batch) * args.seq_len + begin + t;
        const float grad = (tile.xq[t] + args.A[head] * da) *
                           ssd_delta_slope<kFormat>(args, span.batch, begin + t, head);
        partials.delta[row * args.n_heads + head] = grad;
        grad_A += tile.delta[t] * da;
        grad_bias += grad;
      }
      if (threadIdx.x < kSsdRows) {
        for (int t = 0; t < count; ++t) grad_D += tile.dy[t * kSsdRows + threadIdx.x] * tile.x[t * kSsdRows + threadIdx.x];
      }
      __syncthreads();
    }
    if (threadIdx.x < kSsdSteps) {
      const float of_A = sum_over_lanes(grad_A, kWarpSize), of_bias = sum_over_lanes(grad_bias, kWarpSize);
      const int64_t part = (sequence * cut.row_tiles + row_tile) * cut.slices + slice;
      if (threadIdx.x == 0 && partials.A != nullptr) partials.A[part * args.n_heads + head] = of_A;
      if (threadIdx.x == 0 && partials.bias != nullptr) partials.bias[part * args.n_heads + head] = of_bias;
    }
    const int64_t p = item.row + threadIdx.x;
    if (threadIdx.x < kSsdRows && p < args.head_dim && slice == 0 && partials.D != nullptr) {
      partials.D[(sequence * args.n_heads + head) * args.head_dim + p] = grad_D;
    }
    if (args.grad_initial_states == nullptr || span.initial_row < 0) continue;
    for_own([&](float value, int64_t at, bool inside) {
      if (inside) args.grad_initial_states[span.initial_row * state_size + at] = value;
    });
  }
}

template <int kStates>
Status run_backward(const SsdChunkScanBackwardArgs& args, Format format, const DeviceSequences& sequences,
                    const SsdPass& pass, const HeadRound& round, const SsdPartials& partials) {
  const int64_t items =
      sequences.count() * args.n_groups * round.count * pass.cut.row_tiles * pass.cut.slices;
  const GridShape grid = {blocks_for(items), kSsdThreads, sizeof(SsdAdjointTile<kStates>)};
  return dispatch_format(format, [&](auto constant) {
    return launch(ssd_chunk_scan_backward_kernel<decltype(constant)::value, kStates>, grid, args, pass, round, partials,
                  items);
  });
}

/// Floats that the parts of dB, and as many of dC, may take.
constexpr int64_t kMostPartFloats = int64_t{1} << 26;

}  // namespace

Status ssd_chunk_scan_backward(const SsdChunkScanBackwardArgs& given) noexcept {
  const Status checked = check_ssd(given);
  if (checked != Status::kOk) return checked;
  const int64_t rows = given.batch * given.seq_len, size = rows * given.n_heads * given.head_dim;
  if (size > 0 && given.grad_out.data == nullptr) return Status::kBadArgument;
  if (size > 0 && given.grad_z.data != nullptr && given.z.data == nullptr) return Status::kBadArgument;
  const FormatOf formats(given.x, given.dt, given.B, given.C, given.z, given.grad_out);
  const FormatOf results(given.grad_x, given.grad_dt, given.grad_B, given.grad_C, given.grad_z);
  if (!formats.known() || !results.known()) return Status::kBadArgument;
  SsdChunkScanBackwardArgs args = given;
  place_strides(args);
  args.grad_out = with_outer_stride(args.grad_out, args.head_dim);
  DeviceSequences sequences;
  Status status = sequences.place(args, tile_steps(args));
  if (status != Status::kOk) return status;

  const bool small = args.d_state <= 32;
  const SsdCut cut = cut_ssd(args, small ? 32 : 64);
  SsdGradients gradients(args, cut, sequences);
  status = gradients.restore(formats.common());
  if (status != Status::kOk) return status;
  const int64_t heads = args.n_heads / args.n_groups, coefficients = rows * args.n_groups * args.d_state;
  int64_t at_once = heads;
  while (at_once > 1 && at_once * cut.row_tiles * coefficients > kMostPartFloats) at_once = ceil_divide<int64_t>(at_once, 2);
  status = gradients.reserve_states(at_once * cut.row_tiles);
  for (int64_t first = 0; first < heads && status == Status::kOk; first += at_once) {
    const HeadRound round = {first, heads - first < at_once ? heads - first : at_once};
    status = small ? run_backward<32>(args, formats.common(), sequences, gradients.pass(), round, gradients.partials())
                   : run_backward<64>(args, formats.common(), sequences, gradients.pass(), round, gradients.partials());
    if (status == Status::kOk) status = gradients.add_round(round.count * cut.row_tiles, first == 0);
  }
  return status == Status::kOk ? gradients.finish() : status;
}

}  // namespace statespace::cuda
