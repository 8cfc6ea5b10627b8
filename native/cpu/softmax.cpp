/// Softmax, its logarithm, and cross-entropy of given logits. Oracle: packages/ssd-core/src/ops/{softmax,cross-entropy}.
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "row_sums.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Vectors added in float before they join a double sum.
constexpr int64_t kBurst = 64;

/// Largest entry; NaN where one is.
float max_of(const float* x, int64_t n) noexcept {
  Floats best = broadcast(-__builtin_inff());
  Ints nan = {};
  for_vectors(n, [&](int64_t i, int64_t count) {
    Floats v = load_some(x + i, count);
    if (count < kLanes) v = select(iota() < broadcast(static_cast<int32_t>(count)), v, broadcast(-__builtin_inff()));
    nan |= v != v;
    best = max(v, best);
  });
  return any(nan) ? __builtin_nanf("") : reduce_max(best);
}

/// Sum over i of f(vector i), where f answers 0 in lanes behind the end: in double from burst to burst.
template <typename F>
STATESPACE_INLINE double sum_of(int64_t n, const F& f) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kBurst * kLanes) {
    Floats sum = {};
    for_vectors(smaller(kBurst * kLanes, n - begin), [&](int64_t i, int64_t count) { sum += f(begin + i, count); });
    total += static_cast<double>(reduce_add(sum));
  }
  return total;
}

STATESPACE_INLINE Floats mask_tail(Floats v, int64_t count) {
  return count == kLanes ? v : select(iota() < broadcast(static_cast<int32_t>(count)), v, broadcast(0.0f));
}

struct Normaliser {
  float largest;
  /// log sum exp(x - largest)
  double log_sum;
};

Normaliser normaliser_of(const float* x, int64_t n) noexcept {
  const float largest = max_of(x, n);
  const double sum =
      sum_of(n, [&](int64_t i, int64_t count) { return mask_tail(exp(load_some(x + i, count) - largest), count); });
  return {largest, ::log(sum)};
}

int64_t row_grain(int64_t dim) noexcept { return larger<int64_t>(1, kElementGrain / 4 / dim); }

bool targets_in_range(const CrossEntropyInputs& in) noexcept {
  for (int64_t row = 0; row < in.rows; ++row) {
    const int32_t target = in.targets[row];
    if (target != in.ignore_index && (target < 0 || target >= in.vocab)) return false;
  }
  return true;
}

}  // namespace

Status softmax(const SoftmaxArgs& args) noexcept {
  const Status checked = check_softmax(args);
  if (checked != Status::kOk || args.rows == 0 || args.dim == 0) return checked;
  for_ranges(args.rows, row_grain(args.dim), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = args.x + row * args.dim;
      float* out = args.out + row * args.dim;
      if (args.log) {
        const Normaliser total = normaliser_of(x, args.dim);
        const float rest = static_cast<float>(total.log_sum);
        for_vectors(args.dim, [&](int64_t i, int64_t count) {
          store_some(out + i, (load_some(x + i, count) - total.largest) - rest, count);
        });
        continue;
      }
      const float largest = max_of(x, args.dim);
      const double sum = sum_of(args.dim, [&](int64_t i, int64_t count) {
        const Floats e = mask_tail(exp(load_some(x + i, count) - largest), count);
        store_some(out + i, e, count);
        return e;
      });
      const Floats scale = broadcast(static_cast<float>(1 / sum));
      for_vectors(args.dim, [&](int64_t i, int64_t count) {
        store_some(out + i, load_some(out + i, count) * scale, count);
      });
    }
  });
  return Status::kOk;
}

Status softmax_backward(const SoftmaxBackwardArgs& args) noexcept {
  const Status checked = check_softmax_backward(args);
  if (checked != Status::kOk || args.rows == 0 || args.dim == 0) return checked;
  for_ranges(args.rows, row_grain(args.dim), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const float* out = args.out + row * args.dim;
      const float* grad = args.grad_out + row * args.dim;
      float* grad_x = args.grad_x + row * args.dim;
      const double sum = sum_of(args.dim, [&](int64_t i, int64_t count) {
        const Floats g = load_some(grad + i, count);
        return args.log ? g : g * load_some(out + i, count);
      });
      const Floats pull = broadcast(static_cast<float>(sum));
      for_vectors(args.dim, [&](int64_t i, int64_t count) {
        const Floats g = load_some(grad + i, count);
        const Floats y = load_some(out + i, count);
        store_some(grad_x + i, args.log ? g - exp(y) * pull : y * (g - pull), count);
      });
    }
  });
  return Status::kOk;
}

Status cross_entropy(const CrossEntropyArgs& args) noexcept {
  const CrossEntropyInputs& in = args.inputs;
  const Status checked = check_cross_entropy(args);
  if (checked != Status::kOk || in.rows == 0) return checked;
  if (!targets_in_range(in)) return Status::kIndexOutOfRange;
  const double smoothing = static_cast<double>(in.label_smoothing);
  for_ranges(in.rows, row_grain(in.vocab), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const int32_t target = in.targets[row];
      if (target == in.ignore_index) {
        args.losses[row] = 0;
        continue;
      }
      const float* x = in.logits + row * in.vocab;
      const Normaliser total = normaliser_of(x, in.vocab);
      double loss =
          (1 - smoothing) * (total.log_sum - (static_cast<double>(x[target]) - static_cast<double>(total.largest)));
      if (smoothing > 0) {
        const double below = sum_of(in.vocab, [&](int64_t i, int64_t count) {
          return mask_tail(total.largest - load_some(x + i, count), count);
        });
        loss += smoothing * (total.log_sum + below / static_cast<double>(in.vocab));
      }
      args.losses[row] = static_cast<float>(loss);
    }
  });
  return Status::kOk;
}

Status cross_entropy_backward(const CrossEntropyBackwardArgs& args) noexcept {
  const CrossEntropyInputs& in = args.inputs;
  const Status checked = check_cross_entropy_backward(args);
  if (checked != Status::kOk || in.rows == 0) return checked;
  if (!targets_in_range(in)) return Status::kIndexOutOfRange;
  const float uniform = in.label_smoothing / static_cast<float>(in.vocab);
  for_ranges(in.rows, row_grain(in.vocab), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const int32_t target = in.targets[row];
      const float* x = in.logits + row * in.vocab;
      float* grad = args.grad_logits + row * in.vocab;
      if (target == in.ignore_index) {
        for (int64_t i = 0; i < in.vocab; ++i) grad[i] = 0;
        continue;
      }
      const float upstream = args.grad_losses[row];
      const float at_target = x[target];
      const Normaliser total = normaliser_of(x, in.vocab);
      const float rest = static_cast<float>(total.log_sum);
      for_vectors(in.vocab, [&](int64_t i, int64_t count) {
        const Floats p = exp((load_some(x + i, count) - total.largest) - rest);
        store_some(grad + i, upstream * (p - uniform), count);
      });
      const Floats p = exp(broadcast((at_target - total.largest) - rest));
      const double smoothing = static_cast<double>(in.label_smoothing);
      const double wanted = (1 - smoothing) + smoothing / static_cast<double>(in.vocab);
      grad[target] = upstream * static_cast<float>(static_cast<double>(p[0]) - wanted);
    }
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
