/// Selective scan, backward. With R the gradient that comes from the steps behind, from last step to first:
///
///   dy = dout silu(z)     g = kappa dy conj(C) + R     e = <g, B>     q = <g, A p>,  p = exp(Delta A) h[t-1]
///   du = D dy + Delta e   dDelta = u e + q             R = conj(exp(Delta A)) g
///   dA = sum Delta g conj(p)    dB = sum_d Delta u g   dC = sum_d kappa dy conj(h)
///
/// Oracle: packages/ssd-core selectiveScanRef. A block walks its sequence from the last tile of 16 steps to the first. It
/// restores the states of a tile from the checkpoint before it, keeps them in registers, and sweeps back. dB and dC are
/// summed over the lanes of a warp, over the warps of a block and, from scratch memory, over blocks, in that order: the same bits every time.
#include "argument_checks.h"
#include "kernels.h"
#include "launch.h"
#include "partial_sums.h"
#include "selective_scan_adjoint_tile.h"

namespace statespace::cuda {
namespace {

template <Format kFormat, typename Value, int kStates>
__global__ void __launch_bounds__(kScanThreads, (kResidentBlocks<Value, kStates>))
    selective_scan_backward_kernel(const SelectiveScanBackwardArgs args, const ScanCut cut, const float* checkpoints,
                                   const SequenceChunks chunks, const AdjointPartials partials,
                                   const int64_t items) {
  constexpr int kSteps = kKeptSteps<Value, kStates>, kOwnFloats = kStates * kParts<Value>;
  const AdjointTile tile(&shared_memory<float>(), cut, kParts<Value>);
  const OwnStates own = own_states<kStates>(cut);
  const auto d_state = static_cast<int>(args.d_state);
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int half = tile.sum_width / 2;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const ChannelBlock channels = channels_of(args, cut, item % cut.blocks);
    const int64_t sequence = item / cut.blocks;
    const SequenceSpan span = sequence_at(args, sequence);
    const bool present = own.channel < channels.count;
    const int64_t channel = channels.first + own.channel;
    const int64_t own_row = sequence * args.dim + channel;

    Value rate[kStates], b[kStates], c[kStates], back[kStates];
    Value sum_A[kStates] = {}, sum_B[kStates] = {}, sum_C[kStates] = {};
    load_own(args.A, channel, d_state, own.first, present, rate);
#pragma unroll
    for (int s = 0; s < kStates; ++s) rate[s] = rate_of(rate[s]);
    load_own(static_cast<const float*>(args.B.data), channel, d_state, own.first, present && args.b_groups == 0, b);
    load_own(static_cast<const float*>(args.C.data), channel, d_state, own.first, present && args.c_groups == 0, c);
    load_own(args.grad_last_state, span.final_row * args.dim + channel, d_state, own.first,
             present && args.grad_last_state != nullptr && span.final_row >= 0, back);
    float sum_D = 0.0f, sum_bias = 0.0f;

    for (int64_t chunk = ceil_divide<int64_t>(span.end - span.begin, kTileSteps) - 1; chunk >= 0; --chunk) {
      const int64_t begin = span.begin + chunk * kTileSteps;
      const auto steps = static_cast<int>(span.end - begin < kTileSteps ? span.end - begin : kTileSteps);
      for_each_entry(cut, channels, steps, [&](int step, int entry, bool inside) {
        const int at = tile_index(cut, step, entry);
        const int64_t t = begin + step, d = channels.first + entry;
        float delta = 0.0f, u = 0.0f, dy = 0.0f;
        if (inside) {
          delta = load_step<kFormat>(args, span.batch, t, d).delta;
          u = load_channel<kFormat>(args.u, span.batch, t, d);
          dy = load_channel<kFormat>(args.grad_out, span.batch, t, d);
          if (args.z.data != nullptr) dy *= silu(load_channel<kFormat>(args.z, span.batch, t, d));
        }
        tile.delta[at] = delta;
        tile.u[at] = u;
        tile.dy[at] = dy;
      });
      load_B_and_C<kFormat, Value>(args, channels, cut, span.batch, begin, steps, d_state, tile.B, tile.C);
      Value start[kStates];
#pragma unroll
      for (int s = 0; s < kStates; ++s) {
        const int64_t at = ((first_chunk(chunks, sequence) + chunk) * d_state + own.first + s) * args.dim + channel;
        start[s] = present && own.first + s < d_state ? value_at<Value>(checkpoints, at) : Value{};
      }
      __syncthreads();

      Value tile_A[kStates] = {}, tile_B[kStates] = {}, tile_C[kStates] = {};
      for (int first = (steps - 1) / kSteps * kSteps; first >= 0; first -= kSteps) {
        Value h[kStates], before[kSteps][kStates];
#pragma unroll
        for (int s = 0; s < kStates; ++s) h[s] = start[s];
        for (int step = 0; step < first; ++step) {
          const int at = tile_index(cut, step, own.channel);
          const float delta = tile.delta[at], input = delta * tile.u[at];
          if (args.b_groups > 0) load_tile_row(tile.B + (step * cut.padded_states + own.first) * kParts<Value>, b);
#pragma unroll
          for (int s = 0; s < kStates; ++s) h[s] = decay_of(delta, rate[s]) * h[s] + input * b[s];
        }
#pragma unroll
        for (int k = 0; k < kSteps; ++k) {
          const int step = first + k;
          if (step >= steps) break;
          const int at = tile_index(cut, step, own.channel);
          const int row = (step * cut.padded_states + own.first) * kParts<Value>;
          const float delta = tile.delta[at], input = delta * tile.u[at];
          if (args.b_groups > 0) load_tile_row(tile.B + row, b);
#pragma unroll
          for (int s = 0; s < kStates; ++s) {
            before[k][s] = h[s];
            h[s] = decay_of(delta, rate[s]) * h[s] + input * b[s];
          }
          if (args.grad_z.data == nullptr) continue;
          if (args.c_groups > 0) load_tile_row(tile.C + row, c);
          float y = 0.0f;
#pragma unroll
          for (int s = 0; s < kStates; ++s) y += output_product(c[s], h[s]);
          y = sum_over_lanes(y, cut.lanes);
          if (own.first == 0) tile.y[at] = y;
        }
#pragma unroll
        for (int k = kSteps - 1; k >= 0; --k) {
          const int step = first + k;
          if (step >= steps) continue;
          const int at = tile_index(cut, step, own.channel);
          const int row = (step * cut.padded_states + own.first) * kParts<Value>;
          const float delta = tile.delta[at], input = delta * tile.u[at], dy = tile.dy[at];
          if (args.b_groups > 0) load_tile_row(tile.B + row, b);
          if (args.c_groups > 0) load_tile_row(tile.C + row, c);
          float e = 0.0f, q = 0.0f, sums[2 * kOwnFloats];
#pragma unroll
          for (int s = 0; s < kStates; ++s) {
            const Value decay = decay_of(delta, rate[s]);
            const Value past = decay * before[k][s];
            const Value state = past + input * b[s];
            const float weight = output_factor(Value{}) * dy;
            const Value g = weight * conj(c[s]) + back[s];
            e += inner_product(g, b[s]);
            q += inner_product(g, without_log2e(rate[s]) * past);
            tile_A[s] = tile_A[s] + delta * (g * conj(past));
            back[s] = conj(decay) * g;
            const Value to_B = input * g, to_C = weight * conj(state);
            spread(to_B, sums + s * kParts<Value>);
            spread(to_C, sums + kOwnFloats + s * kParts<Value>);
            tile_B[s] = tile_B[s] + to_B;
            tile_C[s] = tile_C[s] + to_C;
          }
          e = sum_over_lanes(e, cut.lanes);
          q = sum_over_lanes(q, cut.lanes);
          if (own.first == 0) tile.e[at] = e, tile.q[at] = q;
          LaneShare share{0, 2 * kOwnFloats};
          sum_over_channels<2 * kOwnFloats, kWarpSize / 2>(sums, cut.lanes, share);
          float* const to = tile.sums + (warp * kSteps + k) * tile.sum_width + own.first * kParts<Value>;
#pragma unroll
          for (int i = 0; i < 2 * kOwnFloats; ++i) {
            const int entry = share.first + i;
            if (i < share.live && share.writes) to[entry < kOwnFloats ? entry : half + entry - kOwnFloats] = sums[i];
          }
        }
        __syncthreads();
        const int kept = steps - first < kSteps ? steps - first : kSteps;
        for (int i = static_cast<int>(threadIdx.x); i < kept * tile.sum_width; i += kScanThreads) {
          const int step = i / tile.sum_width, entry = i % tile.sum_width, n = entry % half;
          const bool is_B = entry < half;
          float* const to = is_B ? partials.B : partials.C;
          const int64_t groups = is_B ? args.b_groups : args.c_groups;
          if (to == nullptr || groups == 0 || n >= d_state * kParts<Value>) continue;
          float sum = 0.0f;
          for (int w = 0; w < kScanWarps; ++w) sum += tile.sums[(w * kSteps + step) * tile.sum_width + entry];
          const int64_t group = is_B ? channels.b_group : channels.c_group;
          const int64_t part = item % cut.blocks - group * (cut.blocks / groups);
          const int64_t row = (part * args.batch + span.batch) * args.seq_len + begin + first + step;
          to[(row * groups + group) * d_state * kParts<Value> + n] = sum;
        }
        __syncthreads();
      }
      add_own(sum_A, tile_A);
      add_own(sum_B, tile_B);
      add_own(sum_C, tile_C);

      for_each_entry(cut, channels, steps, [&](int step, int entry, bool inside) {
        if (!inside) return;
        const int at = tile_index(cut, step, entry);
        const int64_t t = begin + step, d = channels.first + entry;
        const float skip = args.D != nullptr ? args.D[d] : 0.0f;
        const float u = tile.u[at], dy = tile.dy[at], delta = tile.delta[at];
        if (args.grad_u.data != nullptr) {
          store_channel<kFormat>(args.grad_u, span.batch, t, d, skip * dy + delta * tile.e[at]);
        }
        float grad_delta = u * tile.e[at] + tile.q[at];
        if (args.delta_softplus) {
          grad_delta *= softplus_slope(load_step<kFormat>(args, span.batch, t, d).before_softplus);
        }
        if (args.grad_delta.data != nullptr) store_channel<kFormat>(args.grad_delta, span.batch, t, d, grad_delta);
        if (args.grad_z.data != nullptr) {
          const float dout = load_channel<kFormat>(args.grad_out, span.batch, t, d);
          const float z = load_channel<kFormat>(args.z, span.batch, t, d);
          store_channel<kFormat>(args.grad_z, span.batch, t, d, dout * (tile.y[at] + skip * u) * silu_slope(z));
        }
        sum_D += dy * u;
        sum_bias += grad_delta;
      });
    }
    if (args.grad_initial_state != nullptr && span.initial_row >= 0) {
      store_own(args.grad_initial_state, span.initial_row * args.dim + channel, d_state, own.first, present, back);
    }
    if (partials.A != nullptr) store_own(partials.A, own_row, d_state, own.first, present, sum_A);
    if (partials.B != nullptr && args.b_groups == 0) {
      store_own(partials.B, own_row, d_state, own.first, present, sum_B);
    }
    if (partials.C != nullptr && args.c_groups == 0) {
      store_own(partials.C, own_row, d_state, own.first, present, sum_C);
    }
    if (partials.D == nullptr && partials.delta_bias == nullptr) continue;
    // A channel's entries lie with `lanes` threads, which add up over the tile's memory: it holds more than two floats a thread.
    __syncthreads();
    float* const sums_D = tile.delta;
    float* const sums_bias = sums_D + kScanThreads;
    sums_D[threadIdx.x] = sum_D;
    sums_bias[threadIdx.x] = sum_bias;
    __syncthreads();
    const auto entry = static_cast<int>(threadIdx.x);
    if (entry < channels.count) {
      float of_D = 0.0f, of_bias = 0.0f;
      for (int i = entry; i < kScanThreads; i += cut.channels) of_D += sums_D[i], of_bias += sums_bias[i];
      const int64_t to = sequence * args.dim + channels.first + entry;
      if (partials.D != nullptr) partials.D[to] = of_D;
      if (partials.delta_bias != nullptr) partials.delta_bias[to] = of_bias;
    }
    __syncthreads();
  }
}

template <typename Value, int kStates>
Status run(const SelectiveScanBackwardArgs& args, const ScanCut& cut, Format format, const float* checkpoints,
           const DeviceSequences& sequences, const AdjointPartials& partials) {
  const int64_t items = sequences.count() * cut.blocks;
  const GridShape grid = {blocks_for(items), kScanThreads,
                          AdjointTile::bytes(cut, kParts<Value>, kKeptSteps<Value, kStates>)};
  return dispatch_format(format, [&](auto constant) {
    return launch(selective_scan_backward_kernel<decltype(constant)::value, Value, kStates>, grid, args, cut,
                  checkpoints, sequences.chunks(), partials, items);
  });
}

template <typename Value>
Status scan_backward(const SelectiveScanBackwardArgs& given) noexcept {
  const Status checked = check_selective_scan(given);
  if (checked != Status::kOk) return checked;
  SelectiveScanBackwardArgs args = given;
  const int64_t batch = args.batch, seq_len = args.seq_len, dim = args.dim;
  const bool empty = batch * seq_len * dim == 0;
  if (!empty && args.grad_out.data == nullptr) return Status::kBadArgument;
  if (!empty && args.grad_z.data != nullptr && args.z.data == nullptr) return Status::kBadArgument;
  const FormatOf formats(args.u, args.delta, args.z, args.grad_out, args.b_groups > 0 ? args.B : args.u,
                         args.c_groups > 0 ? args.C : args.u, args.grad_u, args.grad_delta, args.grad_z);
  const FormatOf summed(args.grad_B, args.grad_C);
  if (!formats.known() || !summed.known()) return Status::kBadArgument;
  const int64_t width = args.d_state * kParts<Value>;
  args.B = with_outer_stride(args.B, args.d_state);
  args.C = with_outer_stride(args.C, args.d_state);

  DeviceSequences sequences;
  Status status = sequences.place(args, kTileSteps);
  if (status != Status::kOk) return status;
  const int64_t count = sequences.count(), own = count * dim;
  const bool wide = args.d_state > 128;
  const ScanCut cut = cut_channels(args, wide ? 8 : 4);
  const bool constant_B = args.b_groups == 0, constant_C = args.c_groups == 0;
  const int64_t parts_B = constant_B ? count : cut.blocks / args.b_groups;
  const int64_t parts_C = constant_C ? count : cut.blocks / args.c_groups;
  const int64_t size_B = constant_B ? dim * width : batch * seq_len * args.b_groups * width;
  const int64_t size_C = constant_C ? dim * width : batch * seq_len * args.c_groups * width;

  DeviceScratch memory[6];
  AdjointPartials partials;
  if (args.grad_A != nullptr) partials.A = memory[0].take<float>(own * width);
  if (args.grad_B.data != nullptr) partials.B = memory[1].take<float>(parts_B * size_B);
  if (args.grad_C.data != nullptr) partials.C = memory[2].take<float>(parts_C * size_C);
  if (args.grad_D != nullptr) partials.D = memory[3].take<float>(own);
  if (args.grad_delta_bias != nullptr) partials.delta_bias = memory[4].take<float>(own);
  const float* checkpoints = kParts<Value> == 1 ? args.checkpoints : nullptr;
  if (checkpoints == nullptr) {
    float* written = memory[5].take<float>(selective_scan_checkpoint_size(given) * kParts<Value>);
    if (memory[5].status() == Status::kOk) status = write_checkpoints(given, Value{}, written);
    checkpoints = written;
  }
  for (const DeviceScratch& scratch : memory) {
    if (scratch.status() != Status::kOk) return scratch.status();
  }
  if (status == Status::kOk && given.sequences.padding_count > 0) {
    // No block writes the rows of padding.
    if (partials.B != nullptr) status = clear_device(partials.B, static_cast<size_t>(parts_B * size_B) * sizeof(float));
    if (partials.C != nullptr && status == Status::kOk) {
      status = clear_device(partials.C, static_cast<size_t>(parts_C * size_C) * sizeof(float));
    }
  }
  if (status == Status::kOk && own > 0) {
    status = wide ? run<Value, 8>(args, cut, formats.common(), checkpoints, sequences, partials)
                  : run<Value, 4>(args, cut, formats.common(), checkpoints, sequences, partials);
  }
  if (status != Status::kOk) return status;
  const auto sum_weights = [&](const float* from, int64_t parts, int64_t groups, const SequenceTarget& to) {
    return groups == 0 ? sum_partials(from, parts, dim * width, static_cast<float*>(to.data))
                       : sum_partials(from, parts, batch, seq_len, groups, args.d_state, to, kParts<Value>);
  };
  return in_order([&] { return sum_partials(partials.A, count, dim * width, args.grad_A); },
                  [&] { return sum_weights(partials.B, parts_B, args.b_groups, args.grad_B); },
                  [&] { return sum_weights(partials.C, parts_C, args.c_groups, args.grad_C); },
                  [&] { return sum_partials(partials.D, count, dim, args.grad_D); },
                  [&] { return sum_partials(partials.delta_bias, count, dim, args.grad_delta_bias); },
                  [&] { return sequences.clear_padding(args.grad_u, 1, dim); },
                  [&] { return sequences.clear_padding(args.grad_delta, 1, dim); },
                  [&] { return sequences.clear_padding(args.grad_z, 1, dim); });
}

}  // namespace

Status selective_scan_backward(const SelectiveScanBackwardArgs& args) noexcept { return scan_backward<float>(args); }

Status selective_scan_backward_c64(const SelectiveScanBackwardArgs& args) noexcept {
  return scan_backward<Complex>(args);
}

}  // namespace statespace::cuda
