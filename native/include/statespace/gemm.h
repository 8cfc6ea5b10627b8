/// Matrix product of float32 matrices, row-major, with a fused epilogue.
#pragma once

#include <cstdint>

#include "statespace/activation.h"

namespace statespace {

/// out = activation(op(a) op(b) + bias), or out += op(a) op(b) + bias when `accumulate` (no activation then).
/// op(a) is (m, k), op(b) is (k, n), out is (m, n), for each of `batch` members. With k = 0 the product is 0.
struct GemmArgs {
  int64_t batch = 1;
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  /// a is stored as (k, m).
  bool transpose_a = false;
  /// b is stored as (n, k).
  bool transpose_b = false;
  const float* a = nullptr;
  /// Elements between stored rows of a.
  int64_t a_row_stride = 0;
  int64_t a_batch_stride = 0;
  const float* b = nullptr;
  int64_t b_row_stride = 0;
  /// 0: one b for the whole batch.
  int64_t b_batch_stride = 0;
  float* out = nullptr;
  int64_t out_row_stride = 0;
  int64_t out_batch_stride = 0;
  bool accumulate = false;
  /// (n), or null.
  const float* bias = nullptr;
  Activation activation = Activation::kNone;
};

}  // namespace statespace
