/// Matrix products against sums in double, over ragged shapes, layouts, epilogues, batches and thread counts.
#include <cmath>
#include <cstdio>
#include <string>

#include "check.h"
#if defined(STATESPACE_TEST_CUBLAS_LT)
#include "cublas_lt_stand_in.h"
#endif

namespace statespace::test {
namespace {

struct Case {
  int64_t batch, m, n, k;
  bool transpose_a, transpose_b, accumulate, bias, silu, shared_b;
  int64_t padding;
};

std::string title(const char* isa, const Case& c) {
  char text[160];
  std::snprintf(text, sizeof text, "gemm %s b%lld m%lld n%lld k%lld ta%d tb%d acc%d bias%d silu%d shared%d pad%lld", isa,
                static_cast<long long>(c.batch), static_cast<long long>(c.m), static_cast<long long>(c.n),
                static_cast<long long>(c.k), c.transpose_a, c.transpose_b, c.accumulate, c.bias, c.silu, c.shared_b,
                static_cast<long long>(c.padding));
  return text;
}

void run_case(const KernelTable& table, const Case& c, uint64_t seed) {
  Random random(seed);
  const int64_t a_step = (c.transpose_a ? c.m : c.k) + c.padding;
  const int64_t b_step = (c.transpose_b ? c.k : c.n) + c.padding;
  const int64_t out_step = c.n + c.padding;
  const int64_t a_size = (c.transpose_a ? c.k : c.m) * a_step;
  const int64_t b_size = (c.transpose_b ? c.n : c.k) * b_step;
  const int64_t out_size = c.m * out_step;
  const auto a = random.floats(c.batch * a_size);
  const auto b = random.floats((c.shared_b ? 1 : c.batch) * b_size);
  const auto bias = random.floats(c.n);
  const auto before = random.floats(c.batch * out_size);

  std::vector<double> wanted(before.begin(), before.end());
  for (int64_t g = 0; g < c.batch; ++g) {
    for (int64_t i = 0; i < c.m; ++i) {
      for (int64_t j = 0; j < c.n; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < c.k; ++p) {
          const int64_t at = g * a_size + (c.transpose_a ? p * a_step + i : i * a_step + p);
          const int64_t bt = (c.shared_b ? 0 : g * b_size) + (c.transpose_b ? j * b_step + p : p * b_step + j);
          sum += static_cast<double>(a[static_cast<size_t>(at)]) * static_cast<double>(b[static_cast<size_t>(bt)]);
        }
        double& out = wanted[static_cast<size_t>(g * out_size + i * out_step + j)];
        if (c.accumulate) sum += out;
        if (c.bias) sum += static_cast<double>(bias[static_cast<size_t>(j)]);
        out = c.silu ? sum / (1 + std::exp(-sum)) : sum;
      }
    }
  }

  GemmArgs args;
  args.batch = c.batch;
  args.m = c.m;
  args.n = c.n;
  args.k = c.k;
  args.transpose_a = c.transpose_a;
  args.transpose_b = c.transpose_b;
  args.a = a.data();
  args.a_row_stride = a_step;
  args.a_batch_stride = a_size;
  args.b = b.data();
  args.b_row_stride = b_step;
  args.b_batch_stride = c.shared_b ? 0 : b_size;
  args.out_row_stride = out_step;
  args.out_batch_stride = out_size;
  args.accumulate = c.accumulate;
  args.bias = c.bias ? bias.data() : nullptr;
  args.activation = c.silu ? Activation::kSilu : Activation::kNone;
  const std::string name = title(table.isa, c);
  const auto ours = SAME_FOR_EVERY_THREAD_COUNT(
      [&] {
        // Padding between rows keeps its numbers; without `accumulate` the rest starts as NaN.
        Output out(c.batch * out_size);
        for (int64_t i = 0; i < c.batch * out_size; ++i) {
          const bool inside = i % out_step < c.n;
          if (c.accumulate || !inside) out.data()[i] = before[static_cast<size_t>(i)];
        }
        args.out = out.data();
        CHECK(table.gemm(args) == Status::kOk);
        CHECK(out.intact());
        return std::vector<float>(out.data(), out.data() + out.size());
      },
      name.c_str());
  CHECK_CLOSE(ours.data(), wanted.data(), c.batch * out_size, 2e-6, name.c_str());
}

void test_shapes(const KernelTable& table) {
  constexpr int64_t kSizes[] = {0, 1, 3, 15, 16, 17, 33, 97};
  uint64_t seed = 1;
  for (const int64_t m : kSizes) {
    for (const int64_t n : kSizes) {
      for (const int64_t k : {int64_t{0}, int64_t{1}, int64_t{4}, int64_t{67}}) {
        const uint64_t bits = seed * 0x9e37u >> 3;
        run_case(table, {1, m, n, k, (bits & 1) != 0, (bits & 2) != 0, false, (bits & 4) != 0, (bits & 8) != 0, false,
                         static_cast<int64_t>(bits >> 4 & 3)},
                 seed++);
      }
    }
  }
}

void test_layouts(const KernelTable& table) {
  uint64_t seed = 1000;
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const bool accumulate : {false, true}) {
        run_case(table, {1, 130, 71, 800, ta, tb, accumulate, true, !accumulate, false, 5}, seed++);  // several passes
        run_case(table, {1, 300, 600, 40, ta, tb, accumulate, false, false, false, 0}, seed++);  // several tiles
        run_case(table, {3, 37, 29, 50, ta, tb, accumulate, true, false, false, 1}, seed++);
        run_case(table, {3, 37, 29, 50, ta, tb, accumulate, true, false, true, 0}, seed++);
      }
    }
  }
  run_case(table, {1, 40, 24, 1024, false, true, false, false, false, false, 0}, seed++);  // colliding rows
  run_case(table, {1, 260, 520, 200, true, false, false, true, true, false, 2}, seed++);  // several tiles and passes
  run_case(table, {1, 1, 3000, 64, false, true, false, true, false, false, 0}, seed++);
  run_case(table, {1, 7, 1031, 300, false, true, false, false, false, false, 0}, seed++);
  run_case(table, {1, 517, 3, 700, true, false, false, false, false, false, 0}, seed++);
}

void test_refusals(const KernelTable& table) {
  float x[4] = {};
  GemmArgs args;
  args.m = args.n = args.k = 2;
  args.a = args.b = x;
  args.out = x;
  args.a_row_stride = args.b_row_stride = args.out_row_stride = 2;
  GemmArgs bad = args;
  bad.m = -1;
  CHECK(table.gemm(bad) == Status::kBadArgument);
  bad = args;
  bad.out = nullptr;
  CHECK(table.gemm(bad) == Status::kBadArgument);
  bad = args;
  bad.a = nullptr;
  CHECK(table.gemm(bad) == Status::kBadArgument);
  bad = args;
  bad.accumulate = true;
  bad.activation = Activation::kSilu;
  CHECK(table.gemm(bad) == Status::kBadArgument);
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
#if defined(STATESPACE_TEST_CUBLAS_LT)
  CublasLtStandIn library;
#endif
  for_each_isa([](const statespace::KernelTable& table) {
    test_shapes(table);
    test_layouts(table);
    test_refusals(table);
  });
#if defined(STATESPACE_TEST_CUBLAS_LT)
  CHECK(library.products() > 0 && library.alive() == 0);
#endif
  return finish("gemm");
}
