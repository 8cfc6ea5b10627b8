#include "check.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace statespace::test {
namespace {

int64_t checks = 0;
int64_t failures = 0;
constexpr float kGuardValue = 1234567.0f;

}  // namespace

void report_failure(const char* file, int line, const char* what) {
  if (++failures <= 20) std::printf("%s:%d: %s\n", file, line, what);
}

int finish(const char* name) {
  std::printf("%s: %lld checks, %lld failed\n", name, static_cast<long long>(checks),
              static_cast<long long>(failures));
  return failures == 0 && checks > 0 ? 0 : 1;
}

bool check_true(bool holds, const char* file, int line, const char* what) {
  ++checks;
  if (!holds) report_failure(file, line, what);
  return holds;
}

template <typename Real>
bool check_close(const Real* ours, const double* wanted, int64_t count, double tolerance, const char* file, int line,
                 const char* what) {
  ++checks;
  double scale = 1e-3;
  for (int64_t i = 0; i < count; ++i) {
    if (std::isfinite(wanted[i])) scale = std::fmax(scale, std::fabs(wanted[i]));
  }
  double worst = -1;
  int64_t place = 0;
  for (int64_t i = 0; i < count; ++i) {
    double error = std::fabs(ours[i] - wanted[i]);
    if (!std::isfinite(wanted[i])) {
      const bool same = std::isnan(wanted[i]) ? std::isnan(ours[i]) : ours[i] == wanted[i];
      error = same ? 0 : std::numeric_limits<double>::infinity();
    }
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    if (error > worst) {
      worst = error;
      place = i;
    }
  }
  if (worst <= tolerance * scale) return true;
  char text[256];
  std::snprintf(text, sizeof text, "%s: error %.3g of %.3g at %lld: got %.17g, wanted %.17g", what, worst / scale,
                tolerance, static_cast<long long>(place), static_cast<double>(ours[place]), wanted[place]);
  report_failure(file, line, text);
  return false;
}

template <typename Real>
bool check_same_bits(const Real* a, const Real* b, int64_t count, const char* file, int line, const char* what) {
  ++checks;
  for (int64_t i = 0; i < count; ++i) {
    if (std::memcmp(a + i, b + i, sizeof(Real)) == 0) continue;
    char text[256];
    std::snprintf(text, sizeof text, "%s: bits differ at %lld of %lld: %.17g and %.17g", what,
                  static_cast<long long>(i), static_cast<long long>(count), static_cast<double>(a[i]),
                  static_cast<double>(b[i]));
    report_failure(file, line, text);
    return false;
  }
  return true;
}

uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float Random::uniform(float low, float high) {
  return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f);
}

int64_t Random::below(int64_t bound) { return static_cast<int64_t>(next() % static_cast<uint64_t>(bound)); }

std::vector<float> Random::floats(int64_t count, float low, float high) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(low, high);
  return values;
}

template <typename Real>
OutputOf<Real>::OutputOf(int64_t count)
    : count_(count), memory_(static_cast<size_t>(count + 2 * kGuard), std::numeric_limits<Real>::quiet_NaN()) {
  for (int64_t i = 0; i < kGuard; ++i) {
    memory_[static_cast<size_t>(i)] = kGuardValue;
    memory_[static_cast<size_t>(kGuard + count + i)] = kGuardValue;
  }
}

template <typename Real>
bool OutputOf<Real>::intact() const {
  for (int64_t i = 0; i < kGuard; ++i) {
    if (memory_[static_cast<size_t>(i)] != kGuardValue) return false;
    if (memory_[static_cast<size_t>(kGuard + count_ + i)] != kGuardValue) return false;
  }
  return true;
}

#define STATESPACE_CHECKS_OF(Real)                                                                             \
  template class OutputOf<Real>;                                                                               \
  template bool check_close(const Real*, const double*, int64_t, double, const char*, int, const char*);       \
  template bool check_same_bits(const Real*, const Real*, int64_t, const char*, int, const char*);
STATESPACE_CHECKS_OF(float)
STATESPACE_CHECKS_OF(double)
#undef STATESPACE_CHECKS_OF

}  // namespace statespace::test
