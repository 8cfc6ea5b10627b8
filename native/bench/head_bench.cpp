/// The fused output head: forward and both gradients, of the study model's shape and of small ones.
#include <cstdio>
#include <vector>

#include "bench_tensor.h"
#include "statespace/kernels.h"
#include "statespace/runtime.h"
#include "timing.h"

namespace {

using namespace statespace;

struct Case {
  int64_t rows, dim, vocab;
  bool gradients;
};

constexpr Case kCases[] = {
    {8192, 64, 20000, true}, {8192, 64, 20000, false}, {64, 64, 20000, true},
    {2048, 768, 50280, true}, {8192, 64, 97, true},
};

void run(const Case& shape, double peak) {
  const auto [rows, dim, vocab, gradients] = shape;
  bench::Tensor x(rows * dim, -0.5f, 0.5f), weight(vocab * dim, -0.5f, 0.5f), grad_x(rows * dim),
      grad_weight(vocab * dim);
  std::vector<int32_t> targets(static_cast<size_t>(rows));
  for (size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<int32_t>((i * 7919) % static_cast<size_t>(vocab));
  float loss = 0;
  float correct = 0;
  LinearCrossEntropyArgs args = {};
  args.rows = rows;
  args.dim = dim;
  args.vocab = vocab;
  args.x = x.data();
  args.x_row_stride = dim;
  args.weight = weight.data();
  args.targets = targets.data();
  args.ignore_index = -100;
  args.loss = &loss;
  args.correct = &correct;
  args.grad_x = gradients ? grad_x.data() : nullptr;
  args.grad_weight = gradients ? grad_weight.data() : nullptr;
  const double flops = (gradients ? 6.0 : 2.0) * static_cast<double>(rows) * static_cast<double>(dim) *
                       static_cast<double>(vocab);
  const double time = bench::best_time([&] { cpu_kernels()->linear_cross_entropy(args); }, 3);
  char name[96];
  std::snprintf(name, sizeof name, "head %lldx%lldx%lld%s", static_cast<long long>(rows), static_cast<long long>(dim),
                static_cast<long long>(vocab), gradients ? ", forward and backward" : ", forward");
  bench::report(name, time, flops, "GFLOP/s", peak);
}

}  // namespace

int main() {
  for (const int32_t threads : {1, 2}) {
    if (set_num_threads(threads) != Status::kOk) return 1;
    const double peak = bench::fma_peak();
    std::printf("%d threads, %s, FMA peak %.0f GFLOP/s\n", threads, isa_name(), peak);
    for (const Case& shape : kCases) run(shape, peak);
  }
  return 0;
}
