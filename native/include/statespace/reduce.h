/// Reductions. Sums run in an order that the shape alone fixes, in blocks, so that rounding stays near that of
/// pairwise summation.
#pragma once

#include <cstdint>

#include "statespace/strided.h"

namespace statespace {

enum class ReduceOp : int32_t { kSum, kMean, kMax };

/// out = op of x over the axes whose bit is set in `axes` (bit i: axis i); out holds the other axes, in order,
/// contiguous. Over no elements the sum is 0, the mean NaN and the maximum -inf. A NaN makes the maximum NaN.
struct ReduceArgs {
  ReduceOp op;
  Shape shape;
  const float* x;
  Strides x_strides;
  uint32_t axes;
  float* out;
};

/// Index of the largest entry of each row of x (rows, dim); ties go to the lower index, NaN counts as largest.
struct ArgmaxArgs {
  int64_t rows;
  /// At least 1.
  int64_t dim;
  const float* x;
  int64_t x_row_stride;
  /// (rows)
  int32_t* out;
};

/// One gradient of GradNormArgs, contiguous.
struct GradSlot {
  const float* data;
  int64_t count;
};

/// norm = sqrt(sum of squares over all slots), summed in double; factor = min(1, max_norm / (norm + 1e-6)).
/// norm is NaN or infinite when any gradient is; a NaN norm makes the factor NaN.
struct GradNormArgs {
  int64_t slot_count;
  const GradSlot* slots;
  /// At least 0; with infinity the factor is 1 unless the norm is NaN.
  double max_norm;
  /// (1)
  float* norm;
  /// (1)
  float* factor;
};

}  // namespace statespace
