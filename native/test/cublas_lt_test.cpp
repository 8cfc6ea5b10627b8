/// cuBLASLt where it is not there, does not take a product, or fails; and what waits for a check of indices. The cases
/// of gemm run through the same stand-in in test_cuda_gemm_library.
#include "cublas_lt.h"

#include <cstring>
#include <limits>

#include "check.h"
#include "cublas_lt_stand_in.h"

namespace statespace::test {
namespace {

/// A name that no machine has, and a library that lacks the functions: each has its line.
void test_absence() {
  CHECK(cuda::cublas_lt() == nullptr);
  CHECK(std::strlen(cuda::cublas_lt_absence()) > 0);
  cuda::CublasLt functions = {};
  char reason[512];
  const char* names[] = {"libcublasLt.so.0", "libm.so.6"};
  CHECK(!cuda::load_cublas_lt(names, 2, functions, reason, sizeof reason));
  CHECK(std::strstr(reason, "libcublasLt.so.0") != nullptr && std::strstr(reason, "libm.so.6") != nullptr);
  CHECK(functions.create == nullptr && functions.multiply == nullptr);
  char little[8];
  CHECK(!cuda::load_cublas_lt(names, 2, functions, little, sizeof little) && std::strlen(little) < sizeof little);
}

std::vector<float> product(const KernelTable& table) {
  Random random(5);
  const auto a = random.floats(20 * 30), b = random.floats(30 * 40);
  Output out(20 * 40);
  GemmArgs args;
  args.m = 20;
  args.n = 40;
  args.k = 30;
  args.a = a.data();
  args.a_row_stride = 30;
  args.b = b.data();
  args.b_row_stride = 40;
  args.out = out.data();
  args.out_row_stride = 40;
  CHECK(table.gemm(args) == Status::kOk && out.intact());
  return {out.data(), out.data() + out.size()};
}

/// The own kernel computes what the library does not.
void test_fallback(const KernelTable& table) {
  const auto own = product(table);
  for (const auto spoil :
       {&CublasLtStandIn::find_nothing, &CublasLtStandIn::fail, &CublasLtStandIn::make_no_handles}) {
    CublasLtStandIn library;
    (library.*spoil)();
    CHECK_SAME_BITS(product(table).data(), own.data(), static_cast<int64_t>(own.size()), "without the library");
    CHECK(library.products() == 0 && library.alive() == 0);
    const bool no_handles = spoil == &CublasLtStandIn::make_no_handles;
    CHECK((std::strstr(cuda::cublas_lt_absence(), "cublasLtCreate") != nullptr) == no_handles);
  }
  const char* absence = cuda::cublas_lt_absence();
  CHECK(std::strlen(absence) > 0);
}

/// The output head: its numbers are those of the own kernels, and a refused call changes nothing.
void test_head(const KernelTable& table) {
  constexpr int64_t kRows = 80, kDim = 12, kVocab = 700;
  Random random(6);
  const auto x = random.floats(kRows * kDim), weight = random.floats(kVocab * kDim), bias = random.floats(kVocab);
  std::vector<int32_t> targets;
  for (int64_t row = 0; row < kRows; ++row) targets.push_back(static_cast<int32_t>(random.below(kVocab)));
  const auto run = [&](float before, Status wanted) {
    std::vector<float> all(1 + kRows * kDim + kVocab * kDim, before);
    LinearCrossEntropyArgs args = {};
    args.rows = kRows;
    args.dim = kDim;
    args.vocab = kVocab;
    args.x = x.data();
    args.x_row_stride = kDim;
    args.weight = weight.data();
    args.bias = bias.data();
    args.targets = targets.data();
    args.ignore_index = -100;
    args.loss = all.data();
    args.grad_x = all.data() + 1;
    args.grad_weight = all.data() + 1 + kRows * kDim;
    CHECK(table.linear_cross_entropy(args) == wanted);
    return all;
  };
  const float none = std::numeric_limits<float>::quiet_NaN();
  const auto own = run(none, Status::kOk);
  const std::vector<double> wanted(own.begin(), own.end());
  const CublasLtStandIn library;
  const auto ours = run(none, Status::kOk);
  CHECK(library.products() > 0);
  CHECK_CLOSE(ours.data(), wanted.data(), static_cast<int64_t>(ours.size()), 2e-6, "head by the library");
  targets[70] = kVocab;
  for (const float kept : run(7.0f, Status::kIndexOutOfRange)) CHECK(kept == 7.0f);
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  test_absence();
  for_each_isa([](const statespace::KernelTable& table) {
    test_fallback(table);
    test_head(table);
  });
  return finish("cublas_lt");
}
