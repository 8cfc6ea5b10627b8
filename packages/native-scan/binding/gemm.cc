// Numbers: batch, m, n, k, transposeA, transposeB, accumulate, activation.
// Arrays: a (batch and row stride), b (batch and row stride), out (batch and row stride), bias?.
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value Gemm(Call& call) {
  GemmArgs a;
  a.batch = call.Size();
  a.m = call.Size();
  a.n = call.Size();
  a.k = call.Size();
  a.transpose_a = call.Flag();
  a.transpose_b = call.Flag();
  a.accumulate = call.Flag();
  a.activation = static_cast<Activation>(call.Choice(2));
  call.Product({a.batch, a.m, a.n});
  call.Product({a.m, a.n, a.k});
  a.a = call.Matrices(Role::kRead, a.batch, a.transpose_a ? a.k : a.m, a.transpose_a ? a.m : a.k,
                      &a.a_batch_stride, &a.a_row_stride);
  a.b = call.Matrices(Role::kRead, a.batch, a.transpose_b ? a.n : a.k, a.transpose_b ? a.k : a.n,
                      &a.b_batch_stride, &a.b_row_stride);
  a.out = call.Matrices(a.accumulate ? Role::kUpdate : Role::kWrite, a.batch, a.m, a.n, &a.out_batch_stride,
                        &a.out_row_stride);
  a.bias = call.OptionalIn(a.n);
  return call.Run(a, cpu_kernels()->gemm);
}

constexpr Method kMethods[] = {{"gemm", Sync<Gemm>}};

}  // namespace

std::span<const Method> MatrixMethods() { return kMethods; }

}  // namespace statespace::binding
