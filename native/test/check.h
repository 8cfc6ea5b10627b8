/// The little that kernel tests need: checks that count failures, seeded numbers, guarded buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "statespace/kernels.h"
#include "statespace/runtime.h"
#if defined(STATESPACE_TEST_CUDA)
#include "kernels.h"
#endif

namespace statespace::test {

/// Notes a failed check with its place; the first twenty of a program are printed.
void report_failure(const char* file, int line, const char* what);

/// Exit code of main: 0 when no check failed and at least one ran. Prints the totals.
int finish(const char* name);

/// Exit code of a test that cannot run on this machine.
inline constexpr int kSkipped = 77;

/// The whole of a test that is compiled per instruction set; isa_main.cpp calls it.
int isa_test();

bool check_true(bool holds, const char* file, int line, const char* what);

/// Checks max|ours - wanted| <= tolerance * max(max|wanted|, 1e-3). NaN and infinity must agree exactly.
template <typename Real>
bool check_close(const Real* ours, const double* wanted, int64_t count, double tolerance, const char* file, int line,
                 const char* what);

/// Checks that two arrays have the same bits.
template <typename Real>
bool check_same_bits(const Real* a, const Real* b, int64_t count, const char* file, int line, const char* what);

/// splitmix64: the same numbers everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// In [low, high).
  float uniform(float low, float high);
  int64_t below(int64_t bound);
  std::vector<float> floats(int64_t count, float low = -1, float high = 1);
  /// The same numbers as `floats`, in float or double.
  template <typename Real>
  std::vector<Real> numbers(int64_t count, float low = -1, float high = 1) {
    const std::vector<float> drawn = floats(count, low, high);
    return {drawn.begin(), drawn.end()};
  }

 private:
  uint64_t state_;
};

/// An output of floats or doubles: NaN everywhere, and guard values around it that must survive.
template <typename Real>
class OutputOf {
 public:
  explicit OutputOf(int64_t count);
  Real* data() { return memory_.data() + kGuard; }
  const Real* data() const { return memory_.data() + kGuard; }
  int64_t size() const { return count_; }
  /// Whether nothing outside the output was written.
  bool intact() const;

 private:
  static constexpr int64_t kGuard = 64;
  int64_t count_;
  std::vector<Real> memory_;
};
using Output = OutputOf<float>;

#if defined(STATESPACE_TEST_CUDA)
/// Whether this program tests the CUDA kernels, under an emulation that is thousands of times slower than a device.
inline constexpr bool kEmulated = true;
/// CUDA kernels do not ask for a number of threads: they run twice, in another order of their own threads.
inline constexpr int32_t kThreadCounts[] = {1, 2};
inline void use_threads(int32_t) {}
#else
inline constexpr bool kEmulated = false;
/// Thread counts under which results must have the same bits.
inline constexpr int32_t kThreadCounts[] = {1, 2, 5};
/// 0: the default.
inline void use_threads(int32_t count) { set_num_threads(count); }
#endif

/// Calls run(table) for every instruction set of this machine, or with the CUDA kernels where they are what is tested.
template <typename Run>
void for_each_isa(const Run& run) {
#if defined(STATESPACE_TEST_CUDA)
  run(*cuda::waiting_cuda_kernels());
#else
  const char* names[8];
  const int32_t count = available_isas(names, 8);
  for (int32_t i = 0; i < count; ++i) run(*cpu_kernels_for(names[i]));
#endif
}

/// Calls run() with each thread count in turn and checks that the numbers it returns never change; returns them.
template <typename Run>
auto same_for_every_thread_count(const Run& run, const char* file, int line, const char* what) {
  decltype(run()) first;
  for (const int32_t threads : kThreadCounts) {
    use_threads(threads);
    const auto now = run();
    if (threads == kThreadCounts[0]) {
      first = now;
    } else {
      check_true(now.size() == first.size(), file, line, what);
      check_same_bits(now.data(), first.data(), static_cast<int64_t>(first.size()), file, line, what);
    }
  }
  use_threads(0);
  return first;
}

}  // namespace statespace::test

#define CHECK(condition) ::statespace::test::check_true((condition), __FILE__, __LINE__, #condition)
#define CHECK_CLOSE(ours, wanted, count, tolerance, what) \
  ::statespace::test::check_close(ours, wanted, count, tolerance, __FILE__, __LINE__, what)
#define CHECK_SAME_BITS(a, b, count, what) \
  ::statespace::test::check_same_bits(a, b, count, __FILE__, __LINE__, what)
/// Commas in the lambda must stand inside parentheses.
#define SAME_FOR_EVERY_THREAD_COUNT(run, what) \
  ::statespace::test::same_for_every_thread_count(run, __FILE__, __LINE__, what)
