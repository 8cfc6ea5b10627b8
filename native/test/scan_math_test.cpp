/// Decays, softplus and gate of the scans against libm in double.
#include "scan_math.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "lane_sums.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

const float kInfinity = std::numeric_limits<float>::infinity();

/// Largest error of ours(x) against wanted(x) over [low, high], relative to scale(x).
template <typename Ours, typename Wanted, typename Scale>
double worst_error(const Ours& ours, const Wanted& wanted, const Scale& scale, double low, double high) {
  constexpr int kCount = 300000;
  double worst = 0;
  float x[kLanes], y[kLanes];
  for (int i = 0; i < kCount; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) x[lane] = static_cast<float>(low + (high - low) * (i + lane) / kCount);
    store(y, ours(load(x)));
    for (int lane = 0; lane < kLanes; ++lane) {
      const double at = x[lane];
      const double error = std::fabs(y[lane] - wanted(at)) / scale(at);
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

void test_exp2() {
  const Exp2Constants k = exp2_constants();
  const auto ours = [&](Floats x) { return exp2_of(x, k); };
  const auto exact = [](double x) { return std::exp2(x); };
  CHECK(worst_error(ours, exact, exact, -126, 127.4) < 1.3e-7);
  // Slow decays: the error of 1 - 2^x adds up over as many steps as the state lives, beside one rounding of 2^x.
  const auto decay_scale = [](double x) { return 1 - std::exp2(x) + 0.5; };
  CHECK(worst_error(ours, exact, decay_scale, -1, 0) < 1.2e-7);
  const auto rest = [](double x) { return std::fmax(1 - std::exp2(x), 0x1p-24 / 2e-7); };
  CHECK(worst_error(ours, exact, rest, -0.03, 0) < 3.2e-7);
  const auto one = [&](float x) { return ours(broadcast(x))[kLanes - 1]; };
  CHECK(one(0) == 1);
  CHECK(one(-0.0f) == 1);
  CHECK(one(-1) == 0.5f);
  CHECK(one(10) == 1024);
  // A decay that grows is of no use, but must not turn into nonsense.
  CHECK(one(128) >= 0x1p127f);
  CHECK(one(1e30f) >= 0x1p127f);
  CHECK(one(-1e30f) <= 0x1p-126f && one(-1e30f) >= 0);
  CHECK(std::isnan(one(std::nanf(""))));

  Floats x[4], y[4];
  for (int i = 0; i < 4; ++i) x[i] = broadcast(-0.37f * static_cast<float>(i * i));
  exp2_all(x, y, k);
  for (int i = 0; i < 4; ++i) {
    const Floats alone = ours(x[i]);
    for (int lane = 0; lane < kLanes; ++lane) CHECK(y[i][lane] == alone[lane]);
  }
}

void test_gates() {
  const Exp2Constants k = exp2_constants();
  const auto softplus = [&](Floats v) { return softplus_from(v, exp_minus_abs(v, k)); };
  const auto exact_softplus = [](double v) { return v > 0 ? v + std::log1p(std::exp(-v)) : std::log1p(std::exp(v)); };
  // Without fused products the argument of exp is rounded once more.
  const double rounding = kLanes == 4 ? 1e-6 : 3e-7;
  CHECK(worst_error(softplus, exact_softplus, exact_softplus, -20, 30) < rounding);
  CHECK(worst_error(softplus, exact_softplus, exact_softplus, -1, 1) < 2.5e-7);
  const auto logistic = [&](Floats v) { return logistic_of(v, k); };
  const auto exact_logistic = [](double v) { return 1 / (1 + std::exp(-v)); };
  CHECK(worst_error(logistic, exact_logistic, exact_logistic, -20, 30) < rounding);
  for (const float v : {20.0f, 20.01f, 300.0f, kInfinity}) {
    CHECK(softplus(broadcast(v))[0] == v);
    CHECK(logistic(broadcast(v))[0] == 1);
    CHECK(softplus(broadcast(-2 * v - 80))[0] <= 0x1p-125f);
    CHECK(logistic(broadcast(-2 * v - 80))[0] <= 0x1p-125f);
  }
  CHECK(std::isnan(softplus(broadcast(std::nanf("")))[0]));
  CHECK(std::isnan(logistic(broadcast(std::nanf("")))[0]));
}

void test_lane_sums() {
  float vectors[kLanes * kLanes];
  for (int i = 0; i < kLanes * kLanes; ++i) vectors[i] = static_cast<float>(i * i % 1013);
  const Floats sums = lane_sums<kLanes>(vectors);
  for (int j = 0; j < kLanes; ++j) {
    float wanted = 0;  // integers: exact in every order
    for (int lane = 0; lane < kLanes; ++lane) wanted += vectors[j * kLanes + lane];
    CHECK(sums[j] == wanted);
  }
}

}  // namespace
}  // namespace statespace::STATESPACE_ISA_NS

int statespace::test::isa_test() {
  statespace::STATESPACE_ISA_NS::test_exp2();
  statespace::STATESPACE_ISA_NS::test_gates();
  statespace::STATESPACE_ISA_NS::test_lane_sums();
  return statespace::test::finish("scan_math " STATESPACE_ISA_TEXT);
}
