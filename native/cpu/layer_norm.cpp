/// LayerNorm over the last axis, forward and backward. Oracle: packages/ssd-core/src/ops/layer-norm.
///
/// With n = (x - mean) r, r = rsqrt(var + eps), and h = grad_out weight:
///   dx = r (h - mean(h) - n mean(h n)),   dweight = sum grad_out n,   dbias = sum grad_out.
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "row_sums.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

constexpr int64_t kWeightRows = 64;

/// Mean in two parts (their sum is more exact than a float), and rsqrt(var + eps).
struct Moments {
  float mean;
  float rest;
  float inverse;

  Floats normalised(Floats x) const noexcept { return ((x - mean) - rest) * inverse; }
};

/// The second pass works on the centred row, which keeps the digits that a difference of squares would lose, and
/// corrects the rounding of the mean.
Moments moments_of(const float* x, int64_t n, float eps) noexcept {
  const float size = static_cast<float>(n);
  Floats sum = {};
  for_vectors(n, [&](int64_t i, int64_t count) { sum += load_some(x + i, count); });
  const float mean = reduce_add(sum) / size;
  Floats left = {};
  Floats squares = {};
  for_vectors(n, [&](int64_t i, int64_t count) {
    const Ints inside = iota() < broadcast(static_cast<int32_t>(count));
    const Floats centred = select(inside, load_some(x + i, count) - mean, broadcast(0.0f));
    left += centred;
    squares = fma(centred, centred, squares);
  });
  const float rest = reduce_add(left) / size;
  const float variance = reduce_add(squares) / size - rest * rest;
  return {mean, rest, 1.0f / sqrtf((variance > 0 ? variance : variance * 0) + eps)};
}

void backward_row(const LayerNormInputs& in, const float* x, const float* grad_out, float* grad_x, float* grad_weight,
                  float* grad_bias) noexcept {
  const Moments moments = moments_of(x, in.dim, in.eps);
  const auto scaled = [&](int64_t i, int64_t count) {
    const Floats grad = load_some(grad_out + i, count);
    return in.weight == nullptr ? grad : grad * load_some(in.weight + i, count);
  };
  Floats sum = {};
  Floats products = {};
  for_vectors(in.dim, [&](int64_t i, int64_t count) {
    const Floats h = scaled(i, count);
    sum += h;
    products = fma(h, moments.normalised(load_some(x + i, count)), products);
  });
  const float mean_h = reduce_add(sum) / static_cast<float>(in.dim);
  const float mean_hn = reduce_add(products) / static_cast<float>(in.dim);
  for_vectors(in.dim, [&](int64_t i, int64_t count) {
    const Floats normal = moments.normalised(load_some(x + i, count));
    const Floats grad = load_some(grad_out + i, count);
    if (grad_x != nullptr) store_some(grad_x + i, moments.inverse * (scaled(i, count) - mean_h - normal * mean_hn), count);
    if (grad_weight != nullptr) store_some(grad_weight + i, fma(grad, normal, load_some(grad_weight + i, count)), count);
    if (grad_bias != nullptr) store_some(grad_bias + i, load_some(grad_bias + i, count) + grad, count);
  });
}

}  // namespace

Status layer_norm(const LayerNormArgs& args) noexcept {
  const LayerNormInputs& in = args.inputs;
  const Status checked = check_layer_norm(args);
  if (checked != Status::kOk || in.rows == 0 || in.dim == 0) return checked;
  for_ranges(in.rows, larger<int64_t>(1, kElementGrain / 4 / in.dim), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = in.x + row * in.x_row_stride;
      float* out = args.out + row * in.dim;
      const Moments moments = moments_of(x, in.dim, in.eps);
      for_vectors(in.dim, [&](int64_t i, int64_t count) {
        Floats value = moments.normalised(load_some(x + i, count));
        if (in.weight != nullptr) value *= load_some(in.weight + i, count);
        if (in.bias != nullptr) value += load_some(in.bias + i, count);
        store_some(out + i, value, count);
      });
    }
  });
  return Status::kOk;
}

Status layer_norm_backward(const LayerNormBackwardArgs& args) noexcept {
  const LayerNormInputs& in = args.inputs;
  const Status checked = check_layer_norm_backward(args);
  if (checked != Status::kOk || in.dim == 0) return checked;
  const int64_t blocks = ceil_div(in.rows, kWeightRows);
  const int64_t size = blocks * in.dim;
  Scratch scratch((args.grad_weight == nullptr ? 0 : size) + (args.grad_bias == nullptr ? 0 : size));
  if (!scratch.ok()) return Status::kOutOfMemory;
  float* weight_parts = args.grad_weight == nullptr ? nullptr : scratch.data();
  float* bias_parts = args.grad_bias == nullptr ? nullptr : scratch.data() + (weight_parts == nullptr ? 0 : size);
  for_chunks(blocks, worker_limit(), [&](int64_t block, int32_t) noexcept {
    float* grad_weight = weight_parts == nullptr ? nullptr : weight_parts + block * in.dim;
    float* grad_bias = bias_parts == nullptr ? nullptr : bias_parts + block * in.dim;
    for (int64_t i = 0; i < in.dim; ++i) {
      if (grad_weight != nullptr) grad_weight[i] = 0;
      if (grad_bias != nullptr) grad_bias[i] = 0;
    }
    const int64_t end = smaller((block + 1) * kWeightRows, in.rows);
    for (int64_t row = block * kWeightRows; row < end; ++row) {
      backward_row(in, in.x + row * in.x_row_stride, args.grad_out + row * in.dim,
                   args.grad_x == nullptr ? nullptr : args.grad_x + row * in.dim, grad_weight, grad_bias);
    }
  });
  if (weight_parts != nullptr) add_partials(weight_parts, blocks, in.dim, args.grad_weight);
  if (bias_parts != nullptr) add_partials(bias_parts, blocks, in.dim, args.grad_bias);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
