// Element-by-element kernels on views. Numbers: options, then the shape as rank and sizes; each view takes one
// stride per axis, contiguous outputs none.
//   unary: op, shape | x, out                    unaryBackward: op, shape | x, gradOut, gradX
//   binary: op, shape | a, b, out                affine: alpha, beta, shape | x, out
//   copy: xDtype, outDtype, shape | x, out       accumulate: shape | x, out
//   fill: dtype, value, shape | out
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

constexpr int32_t kUnaryOps = static_cast<int32_t>(UnaryOp::kGeluTanh) + 1;
constexpr int32_t kBinaryOps = static_cast<int32_t>(BinaryOp::kMinimum) + 1;
constexpr int32_t kDTypes = static_cast<int32_t>(DType::kU8) + 1;

int64_t Entries(Call& call, const Shape& shape) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < shape.rank; ++axis) count = call.Product({count, shape.size[axis]});
  return count;
}

napi_value Unary(Call& call) {
  UnaryArgs a{};
  a.op = static_cast<UnaryOp>(call.Choice(kUnaryOps));
  a.shape = call.ReadShape();
  a.x = call.View(a.shape, &a.x_strides);
  a.out = call.Out(Entries(call, a.shape), Sharing::kSameView);
  return call.Run(a, cpu_kernels()->unary);
}

napi_value UnaryBackward(Call& call) {
  UnaryBackwardArgs a{};
  a.op = static_cast<UnaryOp>(call.Choice(kUnaryOps));
  a.shape = call.ReadShape();
  const int64_t count = Entries(call, a.shape);
  a.x = call.View(a.shape, &a.x_strides);
  a.grad_out = call.In(count);
  a.grad_x = call.Out(count, Sharing::kSameView);
  return call.Run(a, cpu_kernels()->unary_backward);
}

napi_value Binary(Call& call) {
  BinaryArgs a{};
  a.op = static_cast<BinaryOp>(call.Choice(kBinaryOps));
  a.shape = call.ReadShape();
  a.a = call.View(a.shape, &a.a_strides);
  a.b = call.View(a.shape, &a.b_strides);
  a.out = call.Out(Entries(call, a.shape), Sharing::kSameView);
  return call.Run(a, cpu_kernels()->binary);
}

napi_value Affine(Call& call) {
  AffineArgs a{};
  a.alpha = call.Float();
  a.beta = call.Float();
  a.shape = call.ReadShape();
  a.x = call.View(a.shape, &a.x_strides);
  a.out = call.Out(Entries(call, a.shape), Sharing::kSameView);
  return call.Run(a, cpu_kernels()->affine);
}

napi_value Copy(Call& call) {
  CopyArgs a{};
  a.x_dtype = static_cast<DType>(call.Choice(kDTypes));
  a.out_dtype = static_cast<DType>(call.Choice(kDTypes));
  a.shape = call.ReadShape();
  a.x = call.TypedView(Role::kRead, a.x_dtype, a.shape, &a.x_strides, Sharing::kNone);
  a.out = call.TypedView(Role::kWrite, a.out_dtype, a.shape, &a.out_strides, Sharing::kNone);
  return call.Run(a, cpu_kernels()->copy);
}

napi_value Accumulate(Call& call) {
  AccumulateArgs a{};
  a.shape = call.ReadShape();
  a.x = call.View(a.shape, &a.x_strides);
  a.out = static_cast<float*>(
      call.TypedView(Role::kUpdate, DType::kF32, a.shape, &a.out_strides, Sharing::kSameView));
  return call.Run(a, cpu_kernels()->accumulate);
}

napi_value Fill(Call& call) {
  FillArgs a{};
  a.dtype = static_cast<DType>(call.Choice(kDTypes));
  a.value = call.Number();
  a.shape = call.ReadShape();
  a.out = call.TypedView(Role::kWrite, a.dtype, a.shape, &a.out_strides, Sharing::kNone);
  return call.Run(a, cpu_kernels()->fill);
}

constexpr Method kMethods[] = {
    {"unary", Sync<Unary>},   {"unaryBackward", Sync<UnaryBackward>}, {"binary", Sync<Binary>},
    {"affine", Sync<Affine>}, {"copy", Sync<Copy>},                   {"accumulate", Sync<Accumulate>},
    {"fill", Sync<Fill>},
};

}  // namespace

std::span<const Method> ElementwiseMethods() { return kMethods; }

}  // namespace statespace::binding
