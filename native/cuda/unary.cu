/// out = op(x), element by element. Oracle: packages/ssd-core/src/ops/unary.
#include "activations.h"
#include "dense_checks.h"
#include "elementwise_map.h"
#include "kernels.h"
#include "unary_ops.h"

namespace statespace::cuda {
namespace {

template <UnaryOp kOp>
struct Value {
  __device__ __forceinline__ float operator()(float x) const {
    if constexpr (kOp == UnaryOp::kNeg) return -x;
    if constexpr (kOp == UnaryOp::kAbs) return fabsf(x);
    if constexpr (kOp == UnaryOp::kSquare) return x * x;
    if constexpr (kOp == UnaryOp::kSqrt) return sqrtf(x);
    if constexpr (kOp == UnaryOp::kRsqrt) return 1.0f / sqrtf(x);
    if constexpr (kOp == UnaryOp::kReciprocal) return 1.0f / x;
    if constexpr (kOp == UnaryOp::kExp) return expf(x);
    if constexpr (kOp == UnaryOp::kExpm1) return expm1f(x);
    if constexpr (kOp == UnaryOp::kLog) return logf(x);
    if constexpr (kOp == UnaryOp::kLog1p) return log1pf(x);
    if constexpr (kOp == UnaryOp::kSin) return sinf(x);
    if constexpr (kOp == UnaryOp::kCos) return cosf(x);
    if constexpr (kOp == UnaryOp::kTanh) return tanhf(x);
    if constexpr (kOp == UnaryOp::kSigmoid) return sigmoid(x);
    if constexpr (kOp == UnaryOp::kLogSigmoid) return -softplus(-x);
    if constexpr (kOp == UnaryOp::kSilu) return silu(x);
    if constexpr (kOp == UnaryOp::kSoftplus) return softplus(x);
    if constexpr (kOp == UnaryOp::kRelu) return x < 0.0f ? 0.0f : x;  // NaN stays NaN
    // erfc keeps the digits of the left tail.
    if constexpr (kOp == UnaryOp::kGelu) return 0.5f * x * erfcf(-0.707106781f * x);
    if constexpr (kOp == UnaryOp::kGeluTanh) {
      return 0.5f * x * (1.0f + tanhf(0.797884561f * fmaf(x * x * x, 0.044715f, x)));
    }
  }
};

}  // namespace

Status unary(const UnaryArgs& args) noexcept {
  const Status checked = check_unary(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Strides dense = contiguous_strides(args.shape);
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &dense});
  return dispatch_unary(args.op, [&](auto op) {
    using F = Value<decltype(op)::value>;
    return launch_map<1, F>({walk, {args.x}, args.out, {}});
  });
}

}  // namespace statespace::cuda
