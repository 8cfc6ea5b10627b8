/// Arithmetic of two operands with broadcasting, and its one-operand relatives. Oracle:
/// packages/ssd-core/src/ops/elementwise.
#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "strided_walk.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

template <typename F>
Status run(const BinaryArgs& args, const F& f) noexcept {
  const Strides dense = contiguous_strides(args.shape);
  const Walk<3> walk = collapse<3>(args.shape, {&args.a_strides, &args.b_strides, &dense});
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      map_run(n, args.a + offset[0], walk.inner_step(0), args.b + offset[1], walk.inner_step(1),
              args.out + offset[2], f);
    });
  });
  return Status::kOk;
}

}  // namespace

Status binary(const BinaryArgs& args) noexcept {
  const Status checked = check_binary(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  switch (args.op) {
    case BinaryOp::kAdd:
      return run(args, [](Floats a, Floats b) { return a + b; });
    case BinaryOp::kSub:
      return run(args, [](Floats a, Floats b) { return a - b; });
    case BinaryOp::kMul:
      return run(args, [](Floats a, Floats b) { return a * b; });
    case BinaryOp::kDiv:
      return run(args, [](Floats a, Floats b) { return a / b; });
    // max and min answer b when either operand is NaN; a NaN in a must win too.
    case BinaryOp::kMaximum:
      return run(args, [](Floats a, Floats b) { return select(a == a, max(a, b), a); });
    case BinaryOp::kMinimum:
      return run(args, [](Floats a, Floats b) { return select(a == a, min(a, b), a); });
  }
  return Status::kBadArgument;
}

Status affine(const AffineArgs& args) noexcept {
  const Status checked = check_affine(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Strides dense = contiguous_strides(args.shape);
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &dense});
  const Floats alpha = broadcast(args.alpha);
  const Floats beta = broadcast(args.beta);
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      map_run(n, args.x + offset[0], walk.inner_step(0), args.out + offset[1],
              [&](Floats x) { return fma(alpha, x, beta); });
    });
  });
  return Status::kOk;
}

Status accumulate(const AccumulateArgs& args) noexcept {
  const Status checked = check_accumulate(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &args.out_strides});
  const int64_t x_step = walk.inner_step(0);
  const int64_t out_step = walk.inner_step(1);
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      const float* x = args.x + offset[0];
      float* out = args.out + offset[1];
      if (out_step == 1) {
        map_run(n, x, x_step, out, 1, out, [](Floats a, Floats b) { return a + b; });
      } else {
        for (int64_t i = 0; i < n; ++i) out[i * out_step] += x[i * x_step];
      }
    });
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
