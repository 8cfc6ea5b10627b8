/// RMSNorm with optional SiLU gate, forward and backward. Oracle: packages/ssd-core/src/ops/rms-norm.
///
/// With y = x SiLU(gate) or x, r = rsqrt(mean(y^2) + eps) over a group of size n, and g the gradient with respect to
/// y r weight:   dweight = sum g y r,   dy = r (g weight - y r^2 mean(g weight y)).
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "row_sums.h"
#include "scratch.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Rows whose weight gradients are added up before they join the others: cut by shape, so the order is fixed.
constexpr int64_t kWeightRows = 64;

/// y of one vector: x, or x SiLU(gate) where the gate comes first.
STATESPACE_INLINE Floats gated(const float* x, const float* gate, int64_t i, int64_t count) {
  const Floats v = load_some(x + i, count);
  return gate == nullptr ? v : v * silu(load_some(gate + i, count));
}

/// rsqrt(mean(y^2) + eps) of one group.
STATESPACE_INLINE float inverse_rms(Floats squares, int64_t n, float eps) {
  return 1.0f / sqrtf(reduce_add(squares) / static_cast<float>(n) + eps);
}

void forward_group(const float* x, const float* weight, const float* before, const float* after, int64_t n, float eps,
                   float* out) noexcept {
  Floats squares = {};
  for_vectors(n, [&](int64_t i, int64_t count) {
    const Floats y = gated(x, before, i, count);
    squares = fma(y, y, squares);
    if (before != nullptr) store_some(out + i, y, count);
  });
  const Floats r = broadcast(inverse_rms(squares, n, eps));
  const float* y = before != nullptr ? out : x;
  for_vectors(n, [&](int64_t i, int64_t count) {
    Floats value = load_some(y + i, count) * r * load_some(weight + i, count);
    if (after != nullptr) value *= silu(load_some(after + i, count));
    store_some(out + i, value, count);
  });
}

/// One group's rows of pointers in the backward pass; gradients that are null are not wanted.
struct BackwardGroup {
  const float* x;
  const float* weight;
  const float* before;
  const float* after;
  const float* grad_out;
  float* grad_x;
  float* grad_gate;
  /// Added to.
  float* grad_weight;
};

void backward_group(const BackwardGroup& p, int64_t n, float eps) noexcept {
  Floats squares = {};
  Floats products = {};
  for_vectors(n, [&](int64_t i, int64_t count) {
    const Floats y = gated(p.x, p.before, i, count);
    Floats g = load_some(p.grad_out + i, count);
    if (p.after != nullptr) g *= silu(load_some(p.after + i, count));
    squares = fma(y, y, squares);
    products = fma(g * load_some(p.weight + i, count), y, products);
  });
  const float inverse = inverse_rms(squares, n, eps);
  const Floats r = broadcast(inverse);
  const Floats pull = broadcast(inverse * inverse * (reduce_add(products) / static_cast<float>(n)));
  for_vectors(n, [&](int64_t i, int64_t count) {
    const Floats x = load_some(p.x + i, count);
    const Floats weight = load_some(p.weight + i, count);
    const Floats upstream = load_some(p.grad_out + i, count);
    SiluPair gate_before = {broadcast(1.0f), broadcast(0.0f)};
    if (p.before != nullptr) gate_before = silu_pair(load_some(p.before + i, count));
    const Floats y = x * gate_before.value;
    Floats g = upstream;
    if (p.after != nullptr) {
      const SiluPair gate_after = silu_pair(load_some(p.after + i, count));
      g *= gate_after.value;
      if (p.grad_gate != nullptr) store_some(p.grad_gate + i, upstream * y * r * weight * gate_after.derivative, count);
    }
    const Floats grad_y = r * (g * weight - y * pull);
    if (p.grad_x != nullptr) store_some(p.grad_x + i, grad_y * gate_before.value, count);
    if (p.before != nullptr && p.grad_gate != nullptr) {
      store_some(p.grad_gate + i, grad_y * x * gate_before.derivative, count);
    }
    if (p.grad_weight != nullptr) store_some(p.grad_weight + i, fma(g * y, r, load_some(p.grad_weight + i, count)), count);
  });
}

const float* gate_row(const RmsNormInputs& in, int64_t row, bool after) noexcept {
  return in.gate == nullptr || in.gate_after_norm != after ? nullptr : in.gate + row * in.gate_row_stride;
}

const float* shifted(const float* p, int64_t by) noexcept { return p == nullptr ? nullptr : p + by; }
float* shifted(float* p, int64_t by) noexcept { return p == nullptr ? nullptr : p + by; }

}  // namespace

Status rms_norm(const RmsNormArgs& args) noexcept {
  const RmsNormInputs& in = args.inputs;
  const Status checked = check_rms_norm(args);
  if (checked != Status::kOk || in.rows == 0 || in.dim == 0) return checked;
  for_ranges(in.rows, larger<int64_t>(1, kElementGrain / 4 / in.dim), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const float* before = gate_row(in, row, false);
      const float* after = gate_row(in, row, true);
      for (int64_t at = 0; at < in.dim; at += in.group_size) {
        forward_group(in.x + row * in.x_row_stride + at, in.weight + at, shifted(before, at), shifted(after, at),
                      in.group_size, in.eps, args.out + row * in.dim + at);
      }
    }
  });
  return Status::kOk;
}

Status rms_norm_backward(const RmsNormBackwardArgs& args) noexcept {
  const RmsNormInputs& in = args.inputs;
  const Status checked = check_rms_norm_backward(args);
  if (checked != Status::kOk || in.dim == 0) return checked;
  const int64_t blocks = ceil_div(in.rows, kWeightRows);
  Scratch scratch(args.grad_weight == nullptr ? 0 : blocks * in.dim);
  if (!scratch.ok()) return Status::kOutOfMemory;
  for_chunks(blocks, worker_limit(), [&](int64_t block, int32_t) noexcept {
    float* partial = args.grad_weight == nullptr ? nullptr : scratch.data() + block * in.dim;
    for (int64_t i = 0; partial != nullptr && i < in.dim; ++i) partial[i] = 0;
    const int64_t end = smaller((block + 1) * kWeightRows, in.rows);
    for (int64_t row = block * kWeightRows; row < end; ++row) {
      for (int64_t at = 0; at < in.dim; at += in.group_size) {
        const int64_t place = row * in.dim + at;
        backward_group({in.x + row * in.x_row_stride + at, in.weight + at, shifted(gate_row(in, row, false), at),
                        shifted(gate_row(in, row, true), at), args.grad_out + place, shifted(args.grad_x, place),
                        shifted(args.grad_gate, place), shifted(partial, at)},
                       in.group_size, in.eps);
      }
    }
  });
  if (args.grad_weight != nullptr) add_partials(scratch.data(), blocks, in.dim, args.grad_weight);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
