/// grad_x = grad_out * op'(x), element by element. Oracle: packages/ssd-core/src/ops/unary.
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "strided_walk.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

float minus_sin(float x) noexcept { return -sinf(x); }

/// Phi(x) + x phi(x).
float gelu_derivative(float x) noexcept {
  return 0.5f * erfcf(-0.707106781f * x) + 0.398942280f * x * expf(-0.5f * x * x);
}

/// 1 - tanh^2 = 4 s (1 - s), s = sigmoid(2 x): no cancellation for large |x|.
STATESPACE_INLINE Floats tanh_derivative(Floats x) {
  const Floats s = sigmoid(2.0f * abs(x));
  const Floats rest = sigmoid(-2.0f * abs(x));
  return 4.0f * s * rest;
}

STATESPACE_INLINE Floats gelu_tanh_derivative(Floats x) {
  const Floats x2 = x * x;
  const Floats inner = 0.797884561f * x * fma(x2, broadcast(0.044715f), broadcast(1.0f));
  const Floats slope = 0.797884561f * fma(x2, broadcast(0.134145f), broadcast(1.0f));
  const Floats t = tanh(inner);
  return 0.5f * (1.0f + t) + 0.5f * x * tanh_derivative(inner) * slope;
}

STATESPACE_INLINE Floats sign(Floats x) {
  const Floats zero = broadcast(0.0f);
  const Floats one = broadcast(1.0f);
  return select(x > zero, one, select(x < zero, -one, zero * x));  // NaN stays NaN
}

template <typename F>
Status run(const UnaryBackwardArgs& args, const F& derivative) noexcept {
  const Strides dense = contiguous_strides(args.shape);
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &dense});
  const auto f = [&](Floats x, Floats grad) { return grad * derivative(x); };
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      map_run(n, args.x + offset[0], walk.inner_step(0), args.grad_out + offset[1], 1, args.grad_x + offset[1], f);
    });
  });
  return Status::kOk;
}

}  // namespace

Status unary_backward(const UnaryBackwardArgs& args) noexcept {
  const Status checked = check_unary_backward(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  switch (args.op) {
    case UnaryOp::kNeg:
      return run(args, [](Floats) { return broadcast(-1.0f); });
    case UnaryOp::kAbs:
      return run(args, [](Floats x) { return sign(x); });
    case UnaryOp::kSquare:
      return run(args, [](Floats x) { return x + x; });
    case UnaryOp::kSqrt:
      return run(args, [](Floats x) { return 0.5f / sqrt(x); });
    case UnaryOp::kRsqrt:
      return run(args, [](Floats x) { return -0.5f / (x * sqrt(x)); });
    case UnaryOp::kReciprocal:
      return run(args, [](Floats x) { return -1.0f / (x * x); });
    case UnaryOp::kExp:
    case UnaryOp::kExpm1:
      return run(args, [](Floats x) { return exp(x); });
    case UnaryOp::kLog:
      return run(args, [](Floats x) { return 1.0f / x; });
    case UnaryOp::kLog1p:
      return run(args, [](Floats x) { return 1.0f / (1.0f + x); });
    case UnaryOp::kSin:
      return run(args, [](Floats x) { return per_lane(x, cosf); });
    case UnaryOp::kCos:
      return run(args, [](Floats x) { return per_lane(x, minus_sin); });
    case UnaryOp::kTanh:
      return run(args, [](Floats x) { return tanh_derivative(x); });
    case UnaryOp::kSigmoid:
      return run(args, [](Floats x) { return sigmoid(x) * sigmoid(-x); });
    case UnaryOp::kLogSigmoid:
      return run(args, [](Floats x) { return sigmoid(-x); });
    case UnaryOp::kSilu:
      return run(args, [](Floats x) { return silu_derivative(x); });
    case UnaryOp::kSoftplus:
      return run(args, [](Floats x) { return sigmoid(x); });
    case UnaryOp::kRelu:
      return run(args, [](Floats x) { return select(x > 0.0f, broadcast(1.0f), broadcast(0.0f)); });
    case UnaryOp::kGelu:
      return run(args, [](Floats x) { return per_lane(x, gelu_derivative); });
    case UnaryOp::kGeluTanh:
      return run(args, [](Floats x) { return gelu_tanh_derivative(x); });
  }
  return Status::kBadArgument;
}

}  // namespace statespace::STATESPACE_ISA_NS
