//   reduce: op, axis bits, shape | x (a stride per axis), out
//   argmax: rows, dim | x (row stride), out (i32)
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value Reduce(Call& call) {
  ReduceArgs a{};
  a.op = static_cast<ReduceOp>(call.Choice(static_cast<int32_t>(ReduceOp::kMax) + 1));
  a.axes = static_cast<uint32_t>(call.Choice(1 << kMaxRank));
  a.shape = call.ReadShape();
  int64_t kept = 1;
  for (int32_t axis = 0; axis < a.shape.rank; ++axis) {
    if ((a.axes >> axis & 1u) == 0) kept = call.Product({kept, a.shape.size[axis]});
  }
  a.x = call.View(a.shape, &a.x_strides);
  a.out = call.Out(kept);
  return call.Run(a, cpu_kernels()->reduce);
}

napi_value Argmax(Call& call) {
  ArgmaxArgs a{};
  a.rows = call.Size();
  a.dim = call.Size();
  if (a.dim < 1) call.Refuse(Refusal::kBadNumber);
  a.x = call.Rows(a.rows, a.dim, &a.x_row_stride);
  a.out = call.OutIndices(a.rows);
  return call.Run(a, cpu_kernels()->argmax);
}

constexpr Method kMethods[] = {{"reduce", Sync<Reduce>}, {"argmax", Sync<Argmax>}};

}  // namespace

std::span<const Method> ReduceMethods() { return kMethods; }

}  // namespace statespace::binding
