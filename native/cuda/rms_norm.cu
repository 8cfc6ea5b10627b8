/// RMSNorm with optional SiLU gate, forward and backward. Oracle: packages/ssd-core/src/ops/rms-norm.
///
/// With y = x SiLU(gate) or x, r = rsqrt(mean(y^2) + eps) over a group of size n, and g the gradient with respect to
/// y r weight:   dweight = sum g y r,   dy = r (g weight - y r^2 mean(g weight y)).
///
/// A team of threads takes one group of one row. Gradients of the weight are sums over columns, with the r that the rows
/// left behind.
#include "activations.h"
#include "column_sums.h"
#include "dense_checks.h"
#include "kernels.h"

namespace statespace::cuda {
namespace {

/// One group of one row, and its place in packed tensors.
struct Group {
  const RmsNormInputs& in;
  int64_t row;
  /// First channel.
  int64_t at;

  static __device__ Group of(const RmsNormInputs& in, int64_t index) {
    const int64_t groups = in.dim / in.group_size;
    return {in, index / groups, index % groups * in.group_size};
  }
  __device__ int64_t place() const { return row * in.dim + at; }
  __device__ float x(int64_t i) const { return in.x[row * in.x_row_stride + at + i]; }
  __device__ float weight(int64_t i) const { return in.weight[at + i]; }
  __device__ float gate(int64_t i) const { return in.gate[row * in.gate_row_stride + at + i]; }
  __device__ bool gated_before() const { return in.gate != nullptr && !in.gate_after_norm; }
  __device__ bool gated_after() const { return in.gate != nullptr && in.gate_after_norm; }
  /// x, or x SiLU(gate) where the gate comes first.
  __device__ float y(int64_t i) const { return gated_before() ? x(i) * silu(gate(i)) : x(i); }
  /// A gradient with respect to the output as one with respect to y r weight.
  __device__ float upstream(float grad, int64_t i) const { return gated_after() ? grad * silu(gate(i)) : grad; }
  __device__ float inverse_rms(double squares) const {
    return 1.0f / sqrtf(static_cast<float>(squares / static_cast<double>(in.group_size)) + in.eps);
  }
};

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads) rms_norm_kernel(const RmsNormArgs args) {
  RowTeam<kLong> team;
  const RmsNormInputs& in = args.inputs;
  team.for_rows(in.rows * (in.dim / in.group_size), [&](int64_t index) {
    const Group group = Group::of(in, index);
    float squares = 0;
    team.for_entries(in.group_size, [&](int64_t i) {
      const float y = group.y(i);
      squares = fmaf(y, y, squares);
    });
    const float r = group.inverse_rms(team.sum(squares));
    team.for_entries(in.group_size, [&](int64_t i) {
      const float normal = group.y(i) * r * group.weight(i);
      args.out[group.place() + i] = group.gated_after() ? normal * silu(group.gate(i)) : normal;
    });
  });
}

/// Gradients of one place of a group.
__device__ __forceinline__ void rms_norm_adjoint(const RmsNormBackwardArgs& args, const Group& group, int64_t i, float r,
                                                 float pull) {
  const int64_t place = group.place() + i;
  const float x = group.x(i), weight = group.weight(i), grad_out = args.grad_out[place];
  const float gate = group.in.gate != nullptr ? group.gate(i) : 0.0f;
  const float gate_before = group.gated_before() ? silu(gate) : 1.0f;
  const float y = x * gate_before;
  const float g = group.gated_after() ? grad_out * silu(gate) : grad_out;
  const float grad_y = r * (g * weight - y * pull);
  if (args.grad_gate != nullptr) {
    args.grad_gate[place] = (group.gated_after() ? grad_out * y * r * weight : grad_y * x) * silu_slope(gate);
  }
  if (args.grad_x != nullptr) args.grad_x[place] = grad_y * gate_before;
}

/// Also leaves the r of each group in `inverses`.
template <bool kLong>
__global__ void __launch_bounds__(kRowThreads)
    rms_norm_backward_kernel(const RmsNormBackwardArgs args, float* inverses) {
  RowTeam<kLong> team;
  const RmsNormInputs& in = args.inputs;
  team.for_rows(in.rows * (in.dim / in.group_size), [&](int64_t index) {
    const Group group = Group::of(in, index);
    float squares = 0, products = 0;
    team.for_entries(in.group_size, [&](int64_t i) {
      const float y = group.y(i);
      squares = fmaf(y, y, squares);
      products = fmaf(group.upstream(args.grad_out[group.place() + i], i) * group.weight(i), y, products);
    });
    const float r = group.inverse_rms(team.sum(squares));
    const double product = team.sum(products);
    const float pull = r * r * static_cast<float>(product / static_cast<double>(in.group_size));
    if (team.index() == 0 && inverses != nullptr) inverses[index] = r;
    if (args.grad_x == nullptr && args.grad_gate == nullptr) return;
    team.for_entries(in.group_size, [&](int64_t i) { rms_norm_adjoint(args, group, i, r, pull); });
  });
}

__global__ void __launch_bounds__(kSumThreads)
    rms_norm_weight_kernel(const RmsNormBackwardArgs args, const ColumnPieces matrix, const ColumnPartials<1> partials,
                           const float* inverses) {
  const RmsNormInputs& in = args.inputs;
  const int64_t groups = in.dim / in.group_size;
  sum_columns(matrix, partials, [&](int64_t column) {
    const int64_t index = column / in.group_size, i = column - index * in.group_size;
    return [&in, &args, inverses, groups, index, i](int64_t row) {
      const Group group = {in, row, index * in.group_size};
      const float g = group.upstream(args.grad_out[group.place() + i], i);
      return Addends<1>{{g * group.y(i) * inverses[row * groups + index]}};
    };
  });
}

}  // namespace

Status rms_norm(const RmsNormArgs& args) noexcept {
  const Status checked = check_rms_norm(args);
  const RmsNormInputs& in = args.inputs;
  if (checked != Status::kOk || in.rows == 0 || in.dim == 0) return checked;
  return launch_rows([](auto is_long) { return rms_norm_kernel<decltype(is_long)::value>; },
                     in.rows * (in.dim / in.group_size), in.group_size, args);
}

Status rms_norm_backward(const RmsNormBackwardArgs& args) noexcept {
  const Status checked = check_rms_norm_backward(args);
  const RmsNormInputs& in = args.inputs;
  if (checked != Status::kOk || in.dim == 0) return checked;
  const int64_t groups = in.rows == 0 ? 0 : in.rows * (in.dim / in.group_size);
  const ColumnPieces matrix(in.rows, in.dim);
  DeviceScratch scratch;
  auto* inverses = scratch.take<float>(args.grad_weight == nullptr ? 0 : groups);
  Status status = scratch.status();
  if (status == Status::kOk) {
    status = launch_rows([](auto is_long) { return rms_norm_backward_kernel<decltype(is_long)::value>; }, groups,
                         in.group_size, args, inverses);
  }
  if (status != Status::kOk) return status;
  return column_sums<1>(matrix, {args.grad_weight}, [&](const GridShape& grid, const ColumnPartials<1>& partials) {
    return launch(rms_norm_weight_kernel, grid, args, matrix, partials, inverses);
  });
}

}  // namespace statespace::cuda
