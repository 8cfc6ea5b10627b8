/// Matrix products of the shapes models use, against the measured FMA peak and, where built with it, OpenBLAS.
#include <cstdio>
#include <vector>

#include "statespace/kernels.h"
#include "statespace/runtime.h"
#include "timing.h"

#if defined(STATESPACE_WITH_OPENBLAS)
#include "openblas_split.h"
#endif

namespace {

using namespace statespace;

struct Case {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
};

constexpr Case kCases[] = {
    {64, 64, 64, false, false},      {128, 128, 128, false, false},   {256, 256, 256, false, false},
    {1024, 1024, 1024, false, false}, {8192, 256, 64, false, true},    {8192, 64, 128, false, true},
    {8192, 36, 128, false, true},    {8192, 128, 4, false, true},     {8192, 2500, 64, false, true},
    {8192, 80, 1536, false, true},   {8192, 3072, 768, false, true},  {8192, 64, 256, false, false},
    {256, 64, 8192, true, false},    {36, 128, 8192, true, false},    {128, 4, 8192, true, false},
    {1, 20000, 64, false, true},     {64, 20000, 64, false, true},
};

void run(const Case& shape, double peak) {
  const auto [m, n, k, ta, tb] = shape;
  std::vector<float> a(static_cast<size_t>(m * k), 0.5f), b(static_cast<size_t>(k * n), 0.25f);
  std::vector<float> out(static_cast<size_t>(m * n));
  GemmArgs args;
  args.m = m;
  args.n = n;
  args.k = k;
  args.transpose_a = ta;
  args.transpose_b = tb;
  args.a = a.data();
  args.a_row_stride = ta ? m : k;
  args.b = b.data();
  args.b_row_stride = tb ? k : n;
  args.out = out.data();
  args.out_row_stride = n;
  char name[96];
  std::snprintf(name, sizeof name, "gemm %s%s %lldx%lldx%lld", ta ? "T" : "N", tb ? "T" : "N",
                static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k));
  const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const double time = bench::best_time([&] { cpu_kernels()->gemm(args); });
  bench::report(name, time, flops, "GFLOP/s", peak);
#if defined(STATESPACE_WITH_OPENBLAS)
  const double other = bench::best_time([&] { bench::openblas_gemm(args); });
  bench::report("  OpenBLAS", other, flops, "GFLOP/s", peak);
#endif
}

}  // namespace

int main() {
  for (const int32_t threads : {1, 2}) {
    if (set_num_threads(threads) != Status::kOk) return 1;
    const double peak = bench::fma_peak();
    std::printf("%d threads, %s, FMA peak %.0f GFLOP/s, triad %.1f GB/s\n", threads, isa_name(), peak,
                bench::triad_rate());
    for (const Case& shape : kCases) run(shape, peak);
  }
  return 0;
}
