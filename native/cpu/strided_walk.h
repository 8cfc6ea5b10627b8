/// Walks over the elements of several strided operands of one shape, a run of the innermost axis at a time.
#pragma once

#include "simd.h"
#include "strided_shape.h"

namespace statespace::STATESPACE_ISA_NS {

/// Calls body(offsets, length) for the runs that make up elements [begin, end) in row-major order; offsets[i] is
/// where the run starts in operand i, counted in elements from its pointer.
template <int kOperands, typename Body>
static inline void walk_runs(const Walk<kOperands>& walk, int64_t begin, int64_t end, const Body& body) noexcept {
  if (begin >= end) return;
  int64_t index[kMaxRank] = {};
  int64_t offset[kOperands] = {};
  int64_t rest = begin;
  for (int32_t axis = walk.rank - 1; axis >= 0; --axis) {
    index[axis] = rest % walk.size[axis];
    rest /= walk.size[axis];
    for (int i = 0; i < kOperands; ++i) offset[i] += index[axis] * walk.step[axis][i];
  }
  const int32_t last = walk.rank - 1;
  int64_t left = end - begin;
  while (left > 0) {
    const int64_t run = last < 0 ? 1 : smaller(left, walk.size[last] - index[last]);
    body(offset, run);
    left -= run;
    if (left == 0) return;
    // The run ended at the end of its axis: back to its start, and one step outward.
    int32_t axis = last;
    for (int i = 0; i < kOperands; ++i) offset[i] -= index[axis] * walk.step[axis][i];
    index[axis] = 0;
    for (--axis; axis >= 0; --axis) {
      for (int i = 0; i < kOperands; ++i) offset[i] += walk.step[axis][i];
      if (++index[axis] < walk.size[axis]) break;
      for (int i = 0; i < kOperands; ++i) offset[i] -= walk.size[axis] * walk.step[axis][i];
      index[axis] = 0;
    }
  }
}

/// `count` <= kLanes values, `step` elements apart.
STATESPACE_INLINE Floats load_strided(const float* p, int64_t step, int64_t count) {
  if (step == 0) return broadcast(*p);
  Floats v = {};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i * step];
  return v;
}

STATESPACE_INLINE void store_strided(float* p, int64_t step, Floats v, int64_t count) {
  for (int64_t i = 0; i < count; ++i) p[i * step] = v[i];
}

/// out[i] = f(x[i]) for a run; `out` has unit stride.
template <typename F>
STATESPACE_INLINE void map_run(int64_t n, const float* x, int64_t x_step, float* out, const F& f) {
  if (x_step == 1) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(out + i, f(load(x + i)));
    if (i < n) store_partial(out + i, f(load_partial(x + i, n - i)), n - i);
    return;
  }
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = smaller<int64_t>(kLanes, n - i);
    store_partial(out + i, f(load_strided(x + i * x_step, x_step, count)), count);
  }
}

/// out[i] = f(a[i], b[i]) for a run; `out` has unit stride.
template <typename F>
STATESPACE_INLINE void map_run(int64_t n, const float* a, int64_t a_step, const float* b, int64_t b_step, float* out,
                               const F& f) {
  if (a_step == 1 && b_step == 1) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(out + i, f(load(a + i), load(b + i)));
    if (i < n) store_partial(out + i, f(load_partial(a + i, n - i), load_partial(b + i, n - i)), n - i);
    return;
  }
  if (a_step == 1 && b_step == 0) return map_run(n, a, 1, out, [&](Floats v) { return f(v, broadcast(*b)); });
  if (a_step == 0 && b_step == 1) return map_run(n, b, 1, out, [&](Floats v) { return f(broadcast(*a), v); });
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = smaller<int64_t>(kLanes, n - i);
    const Floats left = load_strided(a + i * a_step, a_step, count);
    const Floats right = load_strided(b + i * b_step, b_step, count);
    store_partial(out + i, f(left, right), count);
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
