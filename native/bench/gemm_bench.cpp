/// Matrix products of the shapes models use, against the measured FMA peak and, where built with them, OpenBLAS and
/// oneDNN.
///
///   bench_gemm [threads [shape]]     for example: bench_gemm 2 8192x36x128
///   bench_gemm --json ROUNDS [NAME...]
///     STATESPACE_THREADS threads, one JSON object a product of the table, for bench/; only the products named, if any
///
/// All contenders take turns in short bursts, and each one's best time counts, so that a drift of the machine touches
/// all of them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "bench_tensor.h"
#include "peer_gemm.h"
#include "statespace/kernels.h"
#include "statespace/runtime.h"
#include "timing.h"

namespace {

using namespace statespace;

struct Product {
  int64_t m, n, k;
};

enum class Form { kNN, kNT, kTN };
constexpr const char* kFormNames[] = {"NN", "NT", "TN"};

/// The table of shapes every form is measured on.
constexpr Product kShapes[] = {
    {64, 64, 64},     {128, 128, 128},  {256, 256, 256}, {1024, 1024, 1024}, {8192, 256, 64},  {8192, 64, 128},
    {8192, 36, 128},  {8192, 128, 4},   {8192, 2500, 64}, {8192, 80, 1536},   {8192, 3072, 768},
};

struct Case {
  Form form;
  Product shape;
};

/// Further products of a training step: input and weight gradients of the study model's projections, a decode step.
constexpr Case kCases[] = {
    {Form::kNN, {8192, 64, 256}},   {Form::kNN, {8192, 128, 64}},   {Form::kNN, {8192, 4, 128}},
    {Form::kNN, {8192, 128, 36}},   {Form::kTN, {256, 64, 8192}},   {Form::kTN, {64, 128, 8192}},
    {Form::kTN, {36, 128, 8192}},   {Form::kTN, {128, 4, 8192}},    {Form::kNT, {1, 20000, 64}},
    {Form::kNT, {64, 20000, 64}},   {Form::kNT, {1, 3072, 768}},    {Form::kNT, {8, 3072, 768}},
};

constexpr double kBurst = 0.004;

void shorten(double& best, const bench::PeerGemm& contender, const GemmArgs& args) {
  const double begin = bench::now();
  for (double last = begin; last - begin < kBurst;) {
    contender.run(args);
    const double after = bench::now();
    if (after - last < best) best = after - last;
    last = after;
  }
}

/// The best seconds of each contender, ours first.
std::vector<double> best_times(const GemmArgs& args, std::span<const bench::PeerGemm> contenders, int rounds) {
  std::vector<double> best(contenders.size(), 1e30);
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) shorten(best[i], contenders[i], args);
  }
  return best;
}

void print_line(const char* name, double flops, double peak, std::span<const bench::PeerGemm> contenders,
                std::span<const double> best) {
  std::printf("%-26s %9.4f ms %7.1f GFLOP/s %5.1f %% of peak", name, 1e3 * best[0], flops / best[0],
              100 * flops / best[0] / peak);
  double other = 1e30;
  for (size_t i = 1; i < contenders.size(); ++i) {
    std::printf("  %s %.1f", contenders[i].name, flops / best[i]);
    if (best[i] < other) other = best[i];
  }
  if (contenders.size() > 1) std::printf("  ratio %.2f", other / best[0]);
  std::printf("\n");
}

void print_json(const char* name, double flops, std::span<const bench::PeerGemm> contenders,
                std::span<const double> best) {
  std::printf("{\"name\": \"%s\", \"gflop\": %.9g, \"seconds\": {", name, flops);
  for (size_t i = 0; i < contenders.size(); ++i) {
    std::printf("%s\"%s\": %.9g", i == 0 ? "" : ", ", contenders[i].name, best[i]);
  }
  std::printf("}}\n");
}

struct Run {
  int rounds;
  double peak;
  const char* part;  // of the name; null: every product
  std::span<char* const> names;  // none: every product
  bool json;

  bool wants(const char* name) const {
    if (part != nullptr && std::strstr(name, part) == nullptr) return false;
    return names.empty() ||
           std::any_of(names.begin(), names.end(), [=](const char* one) { return std::strcmp(one, name) == 0; });
  }
};

void run(Form form, const Product& shape, const Run& options) {
  const auto [m, n, k] = shape;
  char name[96];
  std::snprintf(name, sizeof name, "gemm %s %lldx%lldx%lld", kFormNames[static_cast<int>(form)],
                static_cast<long long>(m), static_cast<long long>(n), static_cast<long long>(k));
  if (!options.wants(name)) return;
  bench::Tensor a(m * k, -0.5f, 0.5f), b(k * n, -0.5f, 0.5f), out(m * n);
  GemmArgs args;
  args.m = m;
  args.n = n;
  args.k = k;
  args.transpose_a = form == Form::kTN;
  args.transpose_b = form == Form::kNT;
  args.a = a.data();
  args.a_row_stride = args.transpose_a ? m : k;
  args.b = b.data();
  args.b_row_stride = args.transpose_b ? k : n;
  args.out = out.data();
  args.out_row_stride = n;
  std::vector<bench::PeerGemm> contenders{{"statespace", [](const GemmArgs& g) { cpu_kernels()->gemm(g); }}};
  contenders.insert(contenders.end(), bench::peer_gemms().begin(), bench::peer_gemms().end());
  const std::vector<double> best = best_times(args, contenders, options.rounds);
  const double flops = 2e-9 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  if (options.json) {
    print_json(name, flops, contenders, best);
  } else {
    print_line(name, flops, options.peak, contenders, best);
  }
  std::fflush(stdout);
}

void run_table(const Run& options) {
  for (const Product& shape : kShapes) {
    for (const Form form : {Form::kNN, Form::kNT, Form::kTN}) run(form, shape, options);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--json") == 0) {
    run_table({std::atoi(argv[2]), 0, nullptr, {argv + 3, argv + argc}, true});
    return 0;
  }
  const int only = argc > 1 ? std::atoi(argv[1]) : 0;
  for (const int32_t threads : {1, 2}) {
    if (only != 0 && threads != only) continue;
    if (set_num_threads(threads) != Status::kOk) return 1;
    const Run options{7, bench::fma_peak(), argc > 2 ? argv[2] : nullptr, {}, false};
    std::printf("%d threads, %s, FMA peak %.0f GFLOP/s\n", threads, isa_name(), options.peak);
    run_table(options);
    for (const Case& one : kCases) run(one.form, one.shape, options);
  }
  return 0;
}
