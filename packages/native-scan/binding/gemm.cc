// Numbers: batch, m, n, k, transposeA, transposeB, accumulate, activation.
// Arrays: a (batch and row stride), b (batch and row stride), out (batch and row stride), bias?.
#include "../arguments/gemm.h"

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
  arguments::ReadGemm(call, a);
  return call.Run(a, cpu_kernels()->gemm);
}

constexpr Method kMethods[] = {{"gemm", Sync<Gemm>}};

}  // namespace

std::span<const Method> MatrixMethods() { return kMethods; }

}  // namespace statespace::binding
