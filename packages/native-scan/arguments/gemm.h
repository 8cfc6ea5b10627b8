/// Arrays of the matrix product, in order: a, b, out, bias?.
#pragma once

#include "extent.h"
#include "shapes.h"
#include "statespace/gemm.h"

namespace statespace::arguments {

/// `a` has its sizes and options.
template <typename Source>
void ReadGemm(Source& source, GemmArgs& a) {
  source.Product({a.batch, a.m, a.n});
  source.Product({a.m, a.n, a.k});
  a.a = source.Matrices(Role::kRead, a.batch, a.transpose_a ? a.k : a.m, a.transpose_a ? a.m : a.k,
                        &a.a_batch_stride, &a.a_row_stride);
  a.b = source.Matrices(Role::kRead, a.batch, a.transpose_b ? a.n : a.k, a.transpose_b ? a.k : a.n,
                        &a.b_batch_stride, &a.b_row_stride);
  a.out = source.Matrices(a.accumulate ? Role::kUpdate : Role::kWrite, a.batch, a.m, a.n, &a.out_batch_stride,
                          &a.out_row_stride);
  a.bias = source.OptionalIn(Dense(source, {a.n}));
}

}  // namespace statespace::arguments
