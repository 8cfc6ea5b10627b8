/// grad_x = grad_out * op'(x), element by element. Oracle: packages/ssd-core/src/ops/unary.
#include "activations.h"
#include "dense_checks.h"
#include "elementwise_map.h"
#include "kernels.h"
#include "unary_ops.h"

namespace statespace::cuda {
namespace {

/// 1 - tanh^2 = 4 s (1 - s), s = sigmoid(2 x): no cancellation for large |x|.
__device__ __forceinline__ float tanh_slope(float x) {
  const float size = 2.0f * fabsf(x);
  return 4.0f * sigmoid(size) * sigmoid(-size);
}

/// Phi(x) + x phi(x).
__device__ __forceinline__ float gelu_slope(float x) {
  return 0.5f * erfcf(-0.707106781f * x) + 0.398942280f * x * expf(-0.5f * x * x);
}

__device__ __forceinline__ float gelu_tanh_slope(float x) {
  const float x2 = x * x;
  const float inner = 0.797884561f * x * fmaf(x2, 0.044715f, 1.0f);
  const float slope = 0.797884561f * fmaf(x2, 0.134145f, 1.0f);
  return 0.5f * (1.0f + tanhf(inner)) + 0.5f * x * tanh_slope(inner) * slope;
}

template <UnaryOp kOp>
struct Gradient {
  __device__ __forceinline__ float operator()(float x, float grad) const { return grad * slope(x); }

  static __device__ __forceinline__ float slope(float x) {
    if constexpr (kOp == UnaryOp::kNeg) return -1.0f;
    if constexpr (kOp == UnaryOp::kAbs) return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : 0.0f * x;  // NaN stays NaN
    if constexpr (kOp == UnaryOp::kSquare) return x + x;
    if constexpr (kOp == UnaryOp::kSqrt) return 0.5f / sqrtf(x);
    if constexpr (kOp == UnaryOp::kRsqrt) return -0.5f / (x * sqrtf(x));
    if constexpr (kOp == UnaryOp::kReciprocal) return -1.0f / (x * x);
    if constexpr (kOp == UnaryOp::kExp || kOp == UnaryOp::kExpm1) return expf(x);
    if constexpr (kOp == UnaryOp::kLog) return 1.0f / x;
    if constexpr (kOp == UnaryOp::kLog1p) return 1.0f / (1.0f + x);
    if constexpr (kOp == UnaryOp::kSin) return cosf(x);
    if constexpr (kOp == UnaryOp::kCos) return -sinf(x);
    if constexpr (kOp == UnaryOp::kTanh) return tanh_slope(x);
    if constexpr (kOp == UnaryOp::kSigmoid) return sigmoid(x) * sigmoid(-x);
    if constexpr (kOp == UnaryOp::kLogSigmoid) return sigmoid(-x);
    if constexpr (kOp == UnaryOp::kSilu) return silu_slope(x);
    if constexpr (kOp == UnaryOp::kSoftplus) return softplus_slope(x);
    if constexpr (kOp == UnaryOp::kRelu) return x > 0.0f ? 1.0f : 0.0f;
    if constexpr (kOp == UnaryOp::kGelu) return gelu_slope(x);
    if constexpr (kOp == UnaryOp::kGeluTanh) return gelu_tanh_slope(x);
  }
};

}  // namespace

Status unary_backward(const UnaryBackwardArgs& args) noexcept {
  const Status checked = check_unary_backward(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Strides dense = contiguous_strides(args.shape);
  const Walk<3> walk = collapse<3>(args.shape, {&args.x_strides, &dense, &dense});
  return dispatch_unary(args.op, [&](auto op) {
    using F = Gradient<decltype(op)::value>;
    return launch_map<2, F>({walk, {args.x, args.grad_out}, args.grad_x, {}});
  });
}

}  // namespace statespace::cuda
