/// out = op(x), element by element. Oracle: packages/ssd-core/src/ops/unary.
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "strided_walk.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// x Phi(x); erfc keeps the digits of the left tail.
float gelu(float x) noexcept { return 0.5f * x * erfcf(-0.707106781f * x); }

STATESPACE_INLINE Floats gelu_tanh(Floats x) {
  return 0.5f * x * (1.0f + tanh(0.797884561f * fma(x * x * x, broadcast(0.044715f), x)));
}

template <typename F>
Status run(const UnaryArgs& args, const F& f) noexcept {
  const Strides dense = contiguous_strides(args.shape);
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &dense});
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      map_run(n, args.x + offset[0], walk.inner_step(0), args.out + offset[1], f);
    });
  });
  return Status::kOk;
}

}  // namespace

Status unary(const UnaryArgs& args) noexcept {
  const Status checked = check_unary(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  switch (args.op) {
    case UnaryOp::kNeg:
      return run(args, [](Floats x) { return -x; });
    case UnaryOp::kAbs:
      return run(args, [](Floats x) { return abs(x); });
    case UnaryOp::kSquare:
      return run(args, [](Floats x) { return x * x; });
    case UnaryOp::kSqrt:
      return run(args, [](Floats x) { return sqrt(x); });
    case UnaryOp::kRsqrt:
      return run(args, [](Floats x) { return 1.0f / sqrt(x); });
    case UnaryOp::kReciprocal:
      return run(args, [](Floats x) { return 1.0f / x; });
    case UnaryOp::kExp:
      return run(args, [](Floats x) { return exp(x); });
    case UnaryOp::kExpm1:
      return run(args, [](Floats x) { return expm1(x); });
    case UnaryOp::kLog:
      return run(args, [](Floats x) { return log(x); });
    case UnaryOp::kLog1p:
      return run(args, [](Floats x) { return log1p(x); });
    case UnaryOp::kSin:
      return run(args, [](Floats x) { return per_lane(x, sinf); });
    case UnaryOp::kCos:
      return run(args, [](Floats x) { return per_lane(x, cosf); });
    case UnaryOp::kTanh:
      return run(args, [](Floats x) { return tanh(x); });
    case UnaryOp::kSigmoid:
      return run(args, [](Floats x) { return sigmoid(x); });
    case UnaryOp::kLogSigmoid:
      return run(args, [](Floats x) { return -softplus(-x); });
    case UnaryOp::kSilu:
      return run(args, [](Floats x) { return silu(x); });
    case UnaryOp::kSoftplus:
      return run(args, [](Floats x) { return softplus(x); });
    case UnaryOp::kRelu:
      return run(args, [](Floats x) { return max(broadcast(0.0f), x); });
    case UnaryOp::kGelu:
      return run(args, [](Floats x) { return per_lane(x, gelu); });
    case UnaryOp::kGeluTanh:
      return run(args, [](Floats x) { return gelu_tanh(x); });
  }
  return Status::kBadArgument;
}

}  // namespace statespace::STATESPACE_ISA_NS
