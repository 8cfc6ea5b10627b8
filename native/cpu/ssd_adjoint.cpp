/// Adjoint of one chunk of one head. With e the gradient of y, G that of the state after the chunk, H the state
/// before it, S the decay over the chunk, and E, R, O its decays between steps, to the end and from the start:
///
///   q[s]     = sum_{l >= s} (C[l].B[s]) E[l,s] e[l] + R[s] G B[s]      dx = dt q + D e      ddt = x . q + A da
///   V[l,s]   = E[l,s] dt[s] (e[l] . x[s])                              W = V (C B')
///   dC[l]    = sum_s V[l,s] B[s] + O[l] H' e[l]
///   dB[s]    = sum_l V[l,s] C[l] + R[s] dt[s] G' x[s]
///   da[t]    = sum_{l >= t > s} W[l,s] + sum_{l >= t} O e.(H C)[l] + sum_{s < t} R dt x.(G B)[s] + S <H, G>
///   G       <- S G + sum_l O[l] e[l] C[l]'
///
/// da adds up what crosses t and subtracts nothing. Source: Dao & Gu 2024, arXiv:2405.21060; oracle: packages/ssd-core
/// ssdChunkScanBackwardRef. Layout: states are (P, N), lanes over N; q lies transposed, lanes over the steps, so that
/// its products with x need no sums across lanes.
#include "ssd_adjoint.h"

#include "gemm_kernel.h"
#include "ssd_product.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Sums over the channels or states of each step of a chunk.
struct StepSums {
  alignas(64) float from_inputs[kMaxChunk];  // R x.(G B)
  alignas(64) float from_q[kMaxChunk];       // x.q
  float to_outputs[kMaxChunk];               // O e.(H C)
  float crossing[kMaxChunk];                 // sum_{l >= t > s} W[l,s]
  float passed;                              // S <H, G>
};

STATESPACE_INLINE const float* channels_at(const SequenceView& view, const SsdItem& item, int64_t t, int64_t offset) {
  return row_at(view, item.sequence.batch, t) + offset;
}

void load_drive(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                const ChunkSteps& steps, const AdjointSpace& space) noexcept {
  const int64_t P = pass.args.head_dim, channels = pass.sizes.channels;
  for (int64_t t = 0; t < q; ++t) {
    const float* x = channels_at(pass.args.x, item, begin + t, head * P);
    for (int64_t p = 0; p < P; p += kLanes) {
      const Floats value = load_rest(x + p, P - p) * steps.dt[t];
      store(space.drive + t * channels + p, value);
      store(space.decayed + t * channels + p, value * steps.to_end[t]);
    }
  }
}

/// e = grad_out silu(z), and O e.
void load_grad(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
               const ChunkSteps& steps, const AdjointSpace& space) noexcept {
  const SsdChunkScanBackwardArgs& args = pass.args;
  const int64_t P = args.head_dim, channels = pass.sizes.channels;
  for (int64_t t = 0; t < q; ++t) {
    const float* grad = channels_at(args.grad_out, item, begin + t, head * P);
    const float* z = args.z.data == nullptr ? nullptr : channels_at(args.z, item, begin + t, head * P);
    for (int64_t p = 0; p < P; p += kLanes) {
      Floats value = load_rest(grad + p, P - p);
      if (z != nullptr) value *= silu(load_rest(z + p, P - p));
      store(space.dy + t * channels + p, value);
      store(space.dy_decayed + t * channels + p, value * steps.from_start[t]);
    }
  }
}

/// transposed_q, and the sums over channels that it takes part in.
void compute_q(const AdjointPass& pass, int64_t q, const ChunkSteps& steps, const AdjointSpace& space,
               const float* grad_state, StepSums& sums) noexcept {
  const AdjointSizes& sizes = pass.sizes;
  const int64_t P = pass.args.head_dim, width = sizes.width;
  Product product;
  product.first = {grad_state, sizes.row, 1, space.transposed_B, width, pass.args.d_state};
  product.c = space.transposed_q, product.c_row = width;
  multiply(product, P, width);
  for (int64_t s = 0; s < width; s += kLanes) {
    const Floats to_end = load(steps.to_end + s);
    Floats sum = {};
    for (int64_t p = 0; p < P; ++p) {
      const Floats value = to_end * load(space.transposed_q + p * width + s);
      store(space.transposed_q + p * width + s, value);
      sum = fma(load(space.transposed_x + p * width + s), value, sum);
    }
    store(sums.from_inputs + s, sum);
  }
  product.from = space.transposed_q;
  product.first = {space.dy, 1, sizes.channels, space.masked, width, q};
  multiply(product, P, width);
  for (int64_t s = 0; s < width; s += kLanes) {
    Floats sum = {};
    for (int64_t p = 0; p < P; ++p) {
      sum = fma(load(space.transposed_x + p * width + s), load(space.transposed_q + p * width + s), sum);
    }
    store(sums.from_q + s, sum);
  }
}

/// dx = dt q + D e, and the sums of e x over the chunk.
void store_grad_x(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                  const ChunkSteps& steps, const AdjointSpace& space) noexcept {
  const SsdChunkScanBackwardArgs& args = pass.args;
  const int64_t P = args.head_dim, channels = pass.sizes.channels;
  transpose_into(space.transposed_q, pass.sizes.width, P, q, space.by_step, channels);
  double* const sums = pass.sums_of(item, head);
  for (int64_t p = 0; p < P; p += kLanes) {
    const int64_t rest = P - p;
    Floats skip = {}, total = {};
    if (args.D != nullptr) {
      skip = args.d_has_head_dim ? load_rest(args.D + head * P + p, rest) : broadcast(args.D[head]);
    }
    for (int64_t t = 0; t < q; ++t) {
      const Floats dy = load(space.dy + t * channels + p);
      total = fma(dy, load_rest(channels_at(args.x, item, begin + t, head * P) + p, rest), total);
      if (args.grad_x.data == nullptr) continue;
      const Floats grad = load_rest(space.by_step + t * channels + p, rest);
      store_rest(row_at(args.grad_x, item.sequence.batch, begin + t) + head * P + p,
                 fma(grad, broadcast(steps.dt[t]), skip * dy), rest);
    }
    for (int64_t i = 0; i < smaller<int64_t>(rest, kLanes); ++i) sums[p + i] += static_cast<double>(total[i]);
  }
}

/// V, added to `pair_sums`, and the rectangle sums of W.
void compute_pairs(const AdjointPass& pass, int64_t q, const ChunkSteps& steps, const AdjointSpace& space,
                   StepSums& sums) noexcept {
  const int64_t width = pass.sizes.width;
  Product product;
  product.first = {space.dy, pass.sizes.channels, 1, space.transposed_x, width, pass.args.head_dim};
  product.c = space.products, product.c_row = width, product.lower_only = true;
  multiply(product, q, width);
  alignas(64) float below[kMaxChunk] = {};  // sum over l >= t of W[l,s]
  for (int64_t t = q; t-- > 0;) {
    Floats crossing = {};
    for (int64_t s = 0; s < width; s += kLanes) {
      if (s > t) continue;
      const Ints reached = iota() <= static_cast<int32_t>(t - s);
      const Floats weight = load(space.decays + t * width + s) * load(steps.dt + s);
      const Floats value = select(reached, weight * load(space.products + t * width + s), Floats{});
      float* sums_of_heads = space.pair_sums + t * width + s;
      store(sums_of_heads, load(sums_of_heads) + value);
      const Floats w = select(reached, value * load(space.scores + t * width + s), Floats{});
      const Floats sum = load(below + s) + w;
      store(below + s, sum);
      crossing += select(iota() < static_cast<int32_t>(t - s), sum, Floats{});
    }
    sums.crossing[t] = reduce_add(crossing);
  }
}

/// Adds what goes through the states of this head to grad_B and grad_C.
void add_grad_weights(const AdjointPass& pass, int64_t q, const AdjointSpace& space, const float* state,
                      const float* grad_state, StepSums& sums) noexcept {
  const AdjointSizes& sizes = pass.sizes;
  const int64_t P = pass.args.head_dim, row = sizes.row;
  Product carried;
  carried.first = {space.dy_decayed, sizes.channels, 1, state, row, P};
  carried.c = space.carried, carried.c_row = row;
  multiply(carried, q, row);
  for (int64_t l = 0; l < q; ++l) {
    Floats sum = {};
    for (int64_t n = l * row; n < (l + 1) * row; n += kLanes) {
      const Floats value = load(space.carried + n);
      sum = fma(value, load(space.C + n), sum);
      store(space.grad_C + n, load(space.grad_C + n) + value);
    }
    sums.to_outputs[l] = reduce_add(sum);
  }
  Product grad_B;
  grad_B.first = {space.decayed, sizes.channels, 1, grad_state, row, P};
  grad_B.from = grad_B.c = space.grad_B, grad_B.c_row = row;
  multiply(grad_B, q, row);
}

/// da, then the gradients of the raw steps, of A and of dt_bias.
void store_grad_steps(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                      const ChunkSteps& steps, const StepSums& sums) noexcept {
  const SsdChunkScanBackwardArgs& args = pass.args;
  alignas(64) float slope[kMaxChunk];
  for (int64_t t = 0; t < kMaxChunk; t += kLanes) {
    const Floats raw = load(steps.raw + t);
    const Floats free = args.dt_softplus ? softplus(raw) : raw;
    const Floats curve = args.dt_softplus ? sigmoid(raw) : broadcast(1.0f);
    store(slope + t, select((free < args.dt_min) | (free > args.dt_max), Floats{}, curve));
  }
  float da[kMaxChunk];
  float leaving = 0;
  for (int64_t t = q; t-- > 0;) {
    leaving += sums.to_outputs[t];
    da[t] = sums.crossing[t] + leaving + sums.passed;
  }
  float entered = 0;
  double grad_A = 0, grad_bias = 0;
  for (int64_t t = 0; t < q; ++t) {
    da[t] += entered;
    entered += steps.dt[t] * sums.from_inputs[t];
    const float grad = slope[t] * (sums.from_q[t] + args.A[head] * da[t]);
    grad_A += static_cast<double>(steps.dt[t]) * static_cast<double>(da[t]);
    grad_bias += static_cast<double>(grad);
    if (args.grad_dt.data != nullptr) row_at(args.grad_dt, item.sequence.batch, begin + t)[head] = grad;
  }
  double* const total = pass.sums_of(item, head) + args.head_dim;
  total[0] += grad_A;
  total[1] += grad_bias;
}

/// dz = grad_out y silu'(z) with y = O H C + scores E dt x + D x, rebuilt.
void store_grad_z(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                  const ChunkSteps& steps, const AdjointSpace& space, const float* state) noexcept {
  const SsdChunkScanBackwardArgs& args = pass.args;
  const AdjointSizes& sizes = pass.sizes;
  const int64_t P = args.head_dim, channels = sizes.channels;
  Product carried;
  carried.first = {state, sizes.row, 1, space.transposed_C, sizes.width, args.d_state};
  carried.c = space.transposed_q, carried.c_row = sizes.width;
  multiply(carried, P, sizes.width);
  transpose_into(space.transposed_q, sizes.width, P, q, space.by_step, channels);
  for (int64_t t = 0; t < q; ++t) {
    for (int64_t p = P; p < channels; ++p) space.by_step[t * channels + p] = 0;
  }
  Product output;
  output.from = output.c = space.by_step, output.c_row = channels;
  output.row_scale = steps.from_start;
  output.second = {space.masked, sizes.width, 1, space.drive, channels, q};
  output.triangle = Triangle::kLower;
  multiply(output, q, channels);
  for (int64_t t = 0; t < q; ++t) {
    const float* x = channels_at(args.x, item, begin + t, head * P);
    const float* z = channels_at(args.z, item, begin + t, head * P);
    const float* grad = channels_at(args.grad_out, item, begin + t, head * P);
    float* to = row_at(args.grad_z, item.sequence.batch, begin + t) + head * P;
    for (int64_t p = 0; p < P; p += kLanes) {
      const int64_t rest = P - p;
      Floats y = load(space.by_step + t * channels + p);
      if (args.D != nullptr) {
        const Floats skip = args.d_has_head_dim ? load_rest(args.D + head * P + p, rest) : broadcast(args.D[head]);
        y = fma(skip, load_rest(x + p, rest), y);
      }
      store_rest(to + p, load_rest(grad + p, rest) * y * silu_derivative(load_rest(z + p, rest)), rest);
    }
  }
}

/// Copies q rows of B or C of the item's group, filled up with zeros to `row`.
void copy_weights(const SequenceView& view, const SsdItem& item, int64_t begin, int64_t q, int64_t d_state, int64_t row,
                  float* to) noexcept {
  for (int64_t t = 0; t < q; ++t) {
    for (int64_t n = 0; n < d_state; n += kLanes) {
      store(to + t * row + n, load_rest(channels_at(view, item, begin + t, item.group * d_state) + n, d_state - n));
    }
  }
}

}  // namespace

void load_chunk_B(const AdjointPass& pass, const SsdItem& item, int64_t begin, int64_t q,
                  const AdjointSpace& space) noexcept {
  copy_weights(pass.args.B, item, begin, q, pass.args.d_state, pass.sizes.row, space.B);
}

void load_chunk(const AdjointPass& pass, const SsdItem& item, int64_t begin, int64_t q,
                const AdjointSpace& space) noexcept {
  const int64_t d_state = pass.args.d_state, row = pass.sizes.row, width = pass.sizes.width;
  load_chunk_B(pass, item, begin, q, space);
  copy_weights(pass.args.C, item, begin, q, d_state, row, space.C);
  chunk_scores(pass.args, item.sequence, item.group, begin, q, width, space.transposed_B, space.scores);
  if (pass.args.grad_z.data != nullptr) {
    transpose_into(space.C, row, q, d_state, space.transposed_C, width);
    for (int64_t n = 0; n < d_state; ++n) fill_zero(space.transposed_C + n * width + q, width - q);
  }
  fill_zero(space.grad_B, q * row);
  fill_zero(space.grad_C, q * row);
  fill_zero(space.pair_sums, q * width);
}

void advance_state(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                   const AdjointSpace& space, const float* from, float* to) noexcept {
  ChunkSteps steps;
  load_steps(pass.args, item.sequence, head, begin, q, steps);
  load_drive(pass, item, head, begin, q, steps, space);
  Product update;
  update.first = {space.decayed, 1, pass.sizes.channels, space.B, pass.sizes.row, q};
  update.from = from, update.factor = steps.whole;
  update.c = to, update.c_row = pass.sizes.row;
  multiply(update, pass.args.head_dim, pass.sizes.row);
}

void adjoint_chunk(const AdjointPass& pass, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                   const AdjointSpace& space, const float* state, float* grad_state) noexcept {
  const SsdChunkScanBackwardArgs& args = pass.args;
  const AdjointSizes& sizes = pass.sizes;
  ChunkSteps steps;
  load_steps(args, item.sequence, head, begin, q, steps);
  mask_scores(steps, q, sizes.width, space.scores, space.decays, space.masked);
  load_drive(pass, item, head, begin, q, steps, space);
  load_grad(pass, item, head, begin, q, steps, space);
  transpose_into(channels_at(args.x, item, begin, head * args.head_dim), args.x.len_stride, q, args.head_dim,
                 space.transposed_x, sizes.width);
  for (int64_t p = 0; p < args.head_dim; ++p) fill_zero(space.transposed_x + p * sizes.width + q, sizes.width - q);

  if (args.z.data != nullptr && args.grad_z.data != nullptr) {
    store_grad_z(pass, item, head, begin, q, steps, space, state);
  }
  StepSums sums;
  compute_q(pass, q, steps, space, grad_state, sums);
  store_grad_x(pass, item, head, begin, q, steps, space);
  compute_pairs(pass, q, steps, space, sums);
  add_grad_weights(pass, q, space, state, grad_state, sums);

  Floats even = {}, odd = {};
  for (int64_t i = 0; i < sizes.state_size; i += kLanes) {
    const Floats product = load(state + i) * load(grad_state + i);
    (i / kLanes % 2 == 0 ? even : odd) += product;
  }
  sums.passed = steps.whole * reduce_add(even + odd);
  store_grad_steps(pass, item, head, begin, q, steps, sums);

  Product back;
  back.first = {space.dy_decayed, 1, sizes.channels, space.C, sizes.row, q};
  back.from = grad_state, back.factor = steps.whole;
  back.c = grad_state, back.c_row = sizes.row;
  multiply(back, args.head_dim, sizes.row);
}

void add_pair_sums(const AdjointPass& pass, int64_t q, const AdjointSpace& space) noexcept {
  const int64_t row = pass.sizes.row, width = pass.sizes.width;
  Product grad_C;
  grad_C.second = {space.pair_sums, width, 1, space.B, row, q};
  grad_C.triangle = Triangle::kLower;
  grad_C.from = grad_C.c = space.grad_C, grad_C.c_row = row;
  multiply(grad_C, q, row);
  Product grad_B;
  grad_B.second = {space.pair_sums, 1, width, space.C, row, q};
  grad_B.triangle = Triangle::kUpper;
  grad_B.from = grad_B.c = space.grad_B, grad_B.c_row = row;
  multiply(grad_B, q, row);
}

}  // namespace statespace::STATESPACE_ISA_NS
