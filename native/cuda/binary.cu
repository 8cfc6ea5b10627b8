/// Arithmetic of two operands with broadcasting, and its one-operand relatives. Oracle: packages/ssd-core/src/ops/elementwise.
#include "dense_checks.h"
#include "elementwise_map.h"
#include "kernels.h"

namespace statespace::cuda {
namespace {

template <BinaryOp kOp>
struct Value {
  __device__ __forceinline__ float operator()(float a, float b) const {
    if constexpr (kOp == BinaryOp::kAdd) return a + b;
    if constexpr (kOp == BinaryOp::kSub) return a - b;
    if constexpr (kOp == BinaryOp::kMul) return a * b;
    if constexpr (kOp == BinaryOp::kDiv) return a / b;
    // A NaN of either operand wins.
    if constexpr (kOp == BinaryOp::kMaximum) return a > b || a != a ? a : b;
    if constexpr (kOp == BinaryOp::kMinimum) return a < b || a != a ? a : b;
  }
};

struct Affine {
  float alpha;
  float beta;
  __device__ __forceinline__ float operator()(float x) const { return fmaf(alpha, x, beta); }
};

template <BinaryOp kOp>
Status run(const BinaryArgs& args) {
  const Strides dense = contiguous_strides(args.shape);
  const Walk<3> walk = collapse<3>(args.shape, {&args.a_strides, &args.b_strides, &dense});
  return launch_map<2, Value<kOp>>({walk, {args.a, args.b}, args.out, {}});
}

}  // namespace

Status binary(const BinaryArgs& args) noexcept {
  const Status checked = check_binary(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  switch (args.op) {
    case BinaryOp::kAdd:
      return run<BinaryOp::kAdd>(args);
    case BinaryOp::kSub:
      return run<BinaryOp::kSub>(args);
    case BinaryOp::kMul:
      return run<BinaryOp::kMul>(args);
    case BinaryOp::kDiv:
      return run<BinaryOp::kDiv>(args);
    case BinaryOp::kMaximum:
      return run<BinaryOp::kMaximum>(args);
    case BinaryOp::kMinimum:
      return run<BinaryOp::kMinimum>(args);
  }
  return Status::kBadArgument;
}

Status affine(const AffineArgs& args) noexcept {
  const Status checked = check_affine(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Strides dense = contiguous_strides(args.shape);
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &dense});
  return launch_map<1, Affine>({walk, {args.x}, args.out, {args.alpha, args.beta}});
}

Status accumulate(const AccumulateArgs& args) noexcept {
  const Status checked = check_accumulate(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Walk<3> walk = collapse<3>(args.shape, {&args.x_strides, &args.out_strides, &args.out_strides});
  return launch_map<2, Value<BinaryOp::kAdd>>({walk, {args.x, args.out}, args.out, {}});
}

}  // namespace statespace::cuda
