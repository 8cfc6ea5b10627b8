/// Element-by-element kernels. Where strides are given, any view works; the pointer is the view's first element.
/// An output may be the same view as an input, but must not overlap one in any other way.
#pragma once

#include <cstdint>

#include "statespace/dtype.h"
#include "statespace/strided.h"

namespace statespace {

enum class UnaryOp : int32_t {
  kNeg,
  kAbs,
  kSquare,
  kSqrt,
  kRsqrt,
  kReciprocal,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kSin,
  kCos,
  kTanh,
  kSigmoid,
  kLogSigmoid,
  kSilu,
  /// log1p(exp(x)), and x itself above 20.
  kSoftplus,
  kRelu,
  /// x Phi(x), Phi the normal distribution function.
  kGelu,
  /// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
  kGeluTanh,
};

enum class BinaryOp : int32_t { kAdd, kSub, kMul, kDiv, kMaximum, kMinimum };

/// out = op(x); out contiguous.
struct UnaryArgs {
  UnaryOp op;
  Shape shape;
  const float* x;
  Strides x_strides;
  float* out;
};

/// grad_x = grad_out * op'(x); grad_out and grad_x contiguous. relu and abs have derivative 0 at 0.
struct UnaryBackwardArgs {
  UnaryOp op;
  Shape shape;
  const float* x;
  Strides x_strides;
  const float* grad_out;
  float* grad_x;
};

/// out = a op b with the shape of `out`, contiguous; axes along which an operand is broadcast have stride 0.
/// maximum and minimum answer NaN when either operand is NaN.
struct BinaryArgs {
  BinaryOp op;
  Shape shape;
  const float* a;
  Strides a_strides;
  const float* b;
  Strides b_strides;
  float* out;
};

/// out = alpha * x + beta; out contiguous.
struct AffineArgs {
  Shape shape;
  const float* x;
  Strides x_strides;
  float alpha;
  float beta;
  float* out;
};

/// out += x, both of any strides; no two elements of `out` may share an address.
struct AccumulateArgs {
  Shape shape;
  const float* x;
  Strides x_strides;
  float* out;
  Strides out_strides;
};

/// out = x, converted. Floats round to nearest even; a float becomes an integer by truncation toward zero,
/// saturating, NaN becoming 0; integers narrow by saturation.
struct CopyArgs {
  Shape shape;
  DType x_dtype;
  const void* x;
  Strides x_strides;
  DType out_dtype;
  void* out;
  Strides out_strides;
};

/// Every element of `out` becomes `value`, converted as CopyArgs converts a double.
struct FillArgs {
  Shape shape;
  DType dtype;
  double value;
  void* out;
  Strides out_strides;
};

}  // namespace statespace
