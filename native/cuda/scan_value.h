/// The numbers of a scan's states: float, or one of each pair of complex conjugates. A, B, C, the states and their
/// gradients lie in memory as kParts floats each.
#pragma once

#include "device.h"

namespace statespace::cuda {

inline constexpr float kLog2E = 1.44269504088896341f;
inline constexpr float kLn2 = 0.693147180559945309f;

struct Complex {
  float re = 0;
  float im = 0;
};

template <typename Value>
inline constexpr int kParts = sizeof(Value) / sizeof(float);

__device__ __forceinline__ float load_value(const float* from, float) { return *from; }
__device__ __forceinline__ Complex load_value(const float* from, Complex) { return {from[0], from[1]}; }

/// Value `index` of an array in memory.
template <typename Value>
__device__ __forceinline__ Value value_at(const float* from, int64_t index) {
  return load_value(from + index * kParts<Value>, Value{});
}

__device__ __forceinline__ void put_value(float* to, float value) { *to = value; }
__device__ __forceinline__ void put_value(float* to, Complex value) { to[0] = value.re, to[1] = value.im; }

template <typename Value>
__device__ __forceinline__ void put_value_at(float* to, int64_t index, Value value) {
  put_value(to + index * kParts<Value>, value);
}

__device__ __forceinline__ Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
__device__ __forceinline__ Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
__device__ __forceinline__ Complex operator*(float a, Complex b) { return {a * b.re, a * b.im}; }

__device__ __forceinline__ float conj(float a) { return a; }
__device__ __forceinline__ Complex conj(Complex a) { return {a.re, -a.im}; }

/// kappa Re(c h): y counts both of a pair of conjugates.
__device__ __forceinline__ float output_product(float c, float h) { return c * h; }
__device__ __forceinline__ float output_product(Complex c, Complex h) { return 2.0f * (c.re * h.re - c.im * h.im); }

/// kappa.
__device__ __forceinline__ float output_factor(float) { return 1.0f; }
__device__ __forceinline__ float output_factor(Complex) { return 2.0f; }

/// Re(g conj(b)).
__device__ __forceinline__ float inner_product(float g, float b) { return g * b; }
__device__ __forceinline__ float inner_product(Complex g, Complex b) { return g.re * b.re + g.im * b.im; }

/// exp(delta a), of `rate` = log2(e) a in the real part.
__device__ __forceinline__ float decay_of(float delta, float rate) { return fast_exp2(delta * rate); }
__device__ __forceinline__ Complex decay_of(float delta, Complex rate) {
  const float size = fast_exp2(delta * rate.re);
  float sine, cosine;
  sincosf(delta * rate.im, &sine, &cosine);
  return {size * cosine, size * sine};
}

__device__ __forceinline__ float rate_of(float a) { return a * kLog2E; }
__device__ __forceinline__ Complex rate_of(Complex a) { return {a.re * kLog2E, a.im}; }

/// a, of its rate.
__device__ __forceinline__ float without_log2e(float rate) { return rate * kLn2; }
__device__ __forceinline__ Complex without_log2e(Complex rate) { return {rate.re * kLn2, rate.im}; }

}  // namespace statespace::cuda
