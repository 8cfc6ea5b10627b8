/// Softmax, its logarithm, and cross-entropy of given logits. Oracle: packages/ssd-core/src/ops/{softmax,cross-entropy}.
///
/// A team of threads takes one row; sums are double.
#include "dense_checks.h"
#include "device_indices.h"
#include "kernels.h"
#include "row_team.h"

namespace statespace::cuda {
namespace {

struct Normaliser {
  /// Largest entry; NaN where one is.
  float largest;
  /// sum exp(x - largest)
  double sum;
};

template <bool kLong>
__device__ __forceinline__ Normaliser normaliser_of(RowTeam<kLong>& team, const float* x, int64_t n) {
  float most = -static_cast<float>(kInfinity);
  team.for_entries(n, [&](int64_t i) { most = JoinMaxima{}(most, x[i]); });
  const auto largest = static_cast<float>(team.join(static_cast<double>(most), JoinMaxima{}));
  double sum = 0;
  team.for_entries(n, [&](int64_t i) { sum += static_cast<double>(expf(x[i] - largest)); });
  return {largest, team.sum(sum)};
}

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads) softmax_kernel(const SoftmaxArgs args) {
  RowTeam<kLong> team;
  team.for_rows(args.rows, [&](int64_t row) {
    const float* const x = args.x + row * args.dim;
    float* const out = args.out + row * args.dim;
    const Normaliser total = normaliser_of(team, x, args.dim);
    if (args.log) {
      const auto rest = static_cast<float>(log(total.sum));
      team.for_entries(args.dim, [&](int64_t i) { out[i] = (x[i] - total.largest) - rest; });
    } else {
      const auto scale = static_cast<float>(1 / total.sum);
      team.for_entries(args.dim, [&](int64_t i) { out[i] = expf(x[i] - total.largest) * scale; });
    }
  });
}

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads) softmax_backward_kernel(const SoftmaxBackwardArgs args) {
  RowTeam<kLong> team;
  team.for_rows(args.rows, [&](int64_t row) {
    const float* const out = args.out + row * args.dim;
    const float* const grad = args.grad_out + row * args.dim;
    float* const grad_x = args.grad_x + row * args.dim;
    double sum = 0;
    team.for_entries(args.dim, [&](int64_t i) { sum += static_cast<double>(args.log ? grad[i] : grad[i] * out[i]); });
    const auto pull = static_cast<float>(team.sum(sum));
    team.for_entries(args.dim, [&](int64_t i) {
      grad_x[i] = args.log ? grad[i] - expf(out[i]) * pull : out[i] * (grad[i] - pull);
    });
  });
}

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads) cross_entropy_kernel(const CrossEntropyArgs args, const int32_t* refused) {
  if (is_refused(refused)) return;
  RowTeam<kLong> team;
  const CrossEntropyInputs& in = args.inputs;
  const auto smoothing = static_cast<double>(in.label_smoothing);
  team.for_rows(in.rows, [&](int64_t row) {
    const int32_t target = in.targets[row];
    if (target == in.ignore_index) {
      if (team.index() == 0) args.losses[row] = 0.0f;
      return;
    }
    const float* const x = in.logits + row * in.vocab;
    const Normaliser total = normaliser_of(team, x, in.vocab);
    const double log_sum = log(total.sum);
    const double at_target = static_cast<double>(x[target]) - static_cast<double>(total.largest);
    double loss = (1 - smoothing) * (log_sum - at_target);
    if (smoothing > 0) {
      double below = 0;
      team.for_entries(in.vocab, [&](int64_t i) { below += static_cast<double>(total.largest - x[i]); });
      loss += smoothing * (log_sum + team.sum(below) / static_cast<double>(in.vocab));
    }
    if (team.index() == 0) args.losses[row] = static_cast<float>(loss);
  });
}

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads)
    cross_entropy_backward_kernel(const CrossEntropyBackwardArgs args, const int32_t* refused) {
  if (is_refused(refused)) return;
  RowTeam<kLong> team;
  const CrossEntropyInputs& in = args.inputs;
  const float uniform = in.label_smoothing / static_cast<float>(in.vocab);
  const auto smoothing = static_cast<double>(in.label_smoothing);
  const double wanted = (1 - smoothing) + smoothing / static_cast<double>(in.vocab);
  team.for_rows(in.rows, [&](int64_t row) {
    const int32_t target = in.targets[row];
    const float* const x = in.logits + row * in.vocab;
    float* const grad = args.grad_logits + row * in.vocab;
    if (target == in.ignore_index) {
      team.for_entries(in.vocab, [&](int64_t i) { grad[i] = 0.0f; });
      return;
    }
    const float upstream = args.grad_losses[row];
    const Normaliser total = normaliser_of(team, x, in.vocab);
    const auto rest = static_cast<float>(log(total.sum));
    team.for_entries(in.vocab, [&](int64_t i) {
      const float p = expf((x[i] - total.largest) - rest);
      // At the target the probability is near what is wanted: their difference keeps its digits in double.
      grad[i] = upstream * (i == target ? static_cast<float>(static_cast<double>(p) - wanted) : p - uniform);
    });
  });
}

IndexRange targets_of(const CrossEntropyInputs& in) {
  return {in.targets, in.rows, 0, in.vocab, true, in.ignore_index};
}

}  // namespace

Status softmax(const SoftmaxArgs& args) noexcept {
  const Status checked = check_softmax(args);
  if (checked != Status::kOk || args.rows == 0 || args.dim == 0) return checked;
  return launch_rows([](auto is_long) { return softmax_kernel<decltype(is_long)::value>; }, args.rows, args.dim, args);
}

Status softmax_backward(const SoftmaxBackwardArgs& args) noexcept {
  const Status checked = check_softmax_backward(args);
  if (checked != Status::kOk || args.rows == 0 || args.dim == 0) return checked;
  return launch_rows([](auto is_long) { return softmax_backward_kernel<decltype(is_long)::value>; }, args.rows,
                     args.dim, args);
}

Status cross_entropy(const CrossEntropyArgs& args) noexcept {
  const Status checked = check_cross_entropy(args);
  const CrossEntropyInputs& in = args.inputs;
  if (checked != Status::kOk || in.rows == 0) return checked;
  IndexCheck check;
  const Status status = check.queue({targets_of(in)});
  if (status != Status::kOk) return status;
  return launch_rows([](auto is_long) { return cross_entropy_kernel<decltype(is_long)::value>; }, in.rows, in.vocab,
                     args, check.refused());
}

Status cross_entropy_backward(const CrossEntropyBackwardArgs& args) noexcept {
  const Status checked = check_cross_entropy_backward(args);
  const CrossEntropyInputs& in = args.inputs;
  if (checked != Status::kOk || in.rows == 0) return checked;
  IndexCheck check;
  const Status status = check.queue({targets_of(in)});
  if (status != Status::kOk) return status;
  return launch_rows([](auto is_long) { return cross_entropy_backward_kernel<decltype(is_long)::value>; }, in.rows,
                     in.vocab, args, check.refused());
}

}  // namespace statespace::cuda
