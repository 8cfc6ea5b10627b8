/// LayerNorm over the last axis, forward and backward. Oracle: packages/ssd-core/src/ops/layer-norm.
///
/// With n = (x - mean) r, r = rsqrt(var + eps), and h = grad_out weight:
///   dx = r (h - mean(h) - n mean(h n)),   dweight = sum grad_out n,   dbias = sum grad_out.
///
/// A team of threads takes one row. Gradients of weight and bias are sums over columns, with the moments that the rows left.
#include "column_sums.h"
#include "dense_checks.h"
#include "kernels.h"

namespace statespace::cuda {
namespace {

/// Mean in two parts (their sum is more exact than a float), and rsqrt(var + eps).
struct Moments {
  float mean;
  float rest;
  float inverse;

  __device__ float normalised(float x) const { return ((x - mean) - rest) * inverse; }
};

/// The second pass works on the centred row, which keeps the digits that a difference of squares would lose.
template <bool kLong>
__device__ __forceinline__ Moments moments_of(RowTeam<kLong>& team, const float* x, int64_t n, float eps) {
  const auto size = static_cast<double>(n);
  double sum = 0;
  team.for_entries(n, [&](int64_t i) { sum += static_cast<double>(x[i]); });
  const double exact = team.sum(sum) / size;
  const auto mean = static_cast<float>(exact);
  const auto rest = static_cast<float>(exact - static_cast<double>(mean));
  float squares = 0;
  team.for_entries(n, [&](int64_t i) {
    const float centred = (x[i] - mean) - rest;
    squares = fmaf(centred, centred, squares);
  });
  return {mean, rest, 1.0f / sqrtf(static_cast<float>(team.sum(squares) / size) + eps)};
}

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads) layer_norm_kernel(const LayerNormArgs args) {
  RowTeam<kLong> team;
  const LayerNormInputs& in = args.inputs;
  team.for_rows(in.rows, [&](int64_t row) {
    const float* const x = in.x + row * in.x_row_stride;
    const Moments moments = moments_of(team, x, in.dim, in.eps);
    team.for_entries(in.dim, [&](int64_t i) {
      float value = moments.normalised(x[i]);
      if (in.weight != nullptr) value *= in.weight[i];
      if (in.bias != nullptr) value += in.bias[i];
      args.out[row * in.dim + i] = value;
    });
  });
}

/// Also leaves the moments of each row in `all_moments`.
template <bool kLong>
__global__ void __launch_bounds__(kRowThreads)
    layer_norm_backward_kernel(const LayerNormBackwardArgs args, Moments* all_moments) {
  RowTeam<kLong> team;
  const LayerNormInputs& in = args.inputs;
  team.for_rows(in.rows, [&](int64_t row) {
    const float* const x = in.x + row * in.x_row_stride;
    const float* const grad_out = args.grad_out + row * in.dim;
    const Moments moments = moments_of(team, x, in.dim, in.eps);
    if (team.index() == 0 && all_moments != nullptr) all_moments[row] = moments;
    if (args.grad_x == nullptr) return;
    const auto scaled = [&](int64_t i) { return in.weight == nullptr ? grad_out[i] : grad_out[i] * in.weight[i]; };
    float sum = 0, products = 0;
    team.for_entries(in.dim, [&](int64_t i) {
      const float h = scaled(i);
      sum += h;
      products = fmaf(h, moments.normalised(x[i]), products);
    });
    const auto size = static_cast<double>(in.dim);
    const auto mean_h = static_cast<float>(team.sum(sum) / size);
    const auto mean_hn = static_cast<float>(team.sum(products) / size);
    team.for_entries(in.dim, [&](int64_t i) {
      args.grad_x[row * in.dim + i] = moments.inverse * (scaled(i) - mean_h - moments.normalised(x[i]) * mean_hn);
    });
  });
}

__global__ void __launch_bounds__(kSumThreads)
    layer_norm_weight_kernel(const LayerNormBackwardArgs args, const ColumnPieces matrix,
                             const ColumnPartials<2> partials, const Moments* all_moments) {
  const LayerNormInputs& in = args.inputs;
  sum_columns(matrix, partials, [&](int64_t column) {
    return [&in, &args, all_moments, column](int64_t row) {
      const float grad = args.grad_out[row * in.dim + column];
      const float normal =
          all_moments == nullptr ? 0.0f : all_moments[row].normalised(in.x[row * in.x_row_stride + column]);
      return Addends<2>{{grad * normal, grad}};
    };
  });
}

}  // namespace

Status layer_norm(const LayerNormArgs& args) noexcept {
  const Status checked = check_layer_norm(args);
  const LayerNormInputs& in = args.inputs;
  if (checked != Status::kOk || in.rows == 0 || in.dim == 0) return checked;
  return launch_rows([](auto is_long) { return layer_norm_kernel<decltype(is_long)::value>; }, in.rows, in.dim, args);
}

Status layer_norm_backward(const LayerNormBackwardArgs& args) noexcept {
  const Status checked = check_layer_norm_backward(args);
  const LayerNormInputs& in = args.inputs;
  if (checked != Status::kOk || in.dim == 0) return checked;
  const ColumnPieces matrix(in.rows, in.dim);
  DeviceScratch scratch;
  auto* moments = scratch.take<Moments>(args.grad_weight == nullptr ? 0 : in.rows);
  Status status = scratch.status();
  if (status == Status::kOk) {
    status = launch_rows([](auto is_long) { return layer_norm_backward_kernel<decltype(is_long)::value>; }, in.rows,
                         in.dim, args, moments);
  }
  if (status != Status::kOk) return status;
  return column_sums<2>(matrix, {args.grad_weight, args.grad_bias},
                        [&](const GridShape& grid, const ColumnPartials<2>& partials) {
                          return launch(layer_norm_weight_kernel, grid, args, matrix, partials, moments);
                        });
}

}  // namespace statespace::cuda
