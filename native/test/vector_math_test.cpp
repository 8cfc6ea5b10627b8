/// Elementary functions against libm in double, over ranges, and at the extremes.
#include "vector_math.h"

#include <cmath>
#include <limits>

#include "check.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

using test::Output;

const float kNan = std::numeric_limits<float>::quiet_NaN();

/// Largest relative error over [low, high]; results below the smallest normal number are compared absolutely.
template <typename Ours, typename Wanted>
double worst_error(const Ours& ours, const Wanted& wanted, double low, double high) {
  constexpr int kSteps = 400000;
  double worst = 0;
  float x[kLanes];
  float y[kLanes];
  for (int i = 0; i < kSteps; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) x[lane] = static_cast<float>(low + (high - low) * (i + lane) / kSteps);
    store(y, ours(load(x)));
    for (int lane = 0; lane < kLanes; ++lane) {
      const double exact = wanted(static_cast<double>(x[lane]));
      const double error = std::fabs(y[lane] - exact) / std::fmax(std::fabs(exact), 1.2e-38);
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

template <typename Ours>
float at(const Ours& ours, float x) {
  return ours(broadcast(x))[kLanes - 1];
}

void test_accuracy() {
  CHECK(worst_error([](Floats x) { return exp(x); }, [](double x) { return std::exp(x); }, -87, 88.7) < 1e-7);
  CHECK(worst_error([](Floats x) { return exp(x); }, [](double x) { return std::exp(x); }, -2, 2) < 1e-7);
  CHECK(worst_error([](Floats x) { return exp2(x); }, [](double x) { return std::exp2(x); }, -20, 20) < 4e-7);
  CHECK(worst_error([](Floats x) { return expm1(x); }, [](double x) { return std::expm1(x); }, -3, 3) < 3e-7);
  CHECK(worst_error([](Floats x) { return log(x); }, [](double x) { return std::log(x); }, 1e-3, 0.99) < 2e-7);
  CHECK(worst_error([](Floats x) { return log(x); }, [](double x) { return std::log(x); }, 1.01, 1e6) < 2e-7);
  CHECK(worst_error([](Floats x) { return log(x); }, [](double x) { return std::log(x); }, 1e-44, 1e-38) < 2e-7);
  CHECK(worst_error([](Floats x) { return log1p(x); }, [](double x) { return std::log1p(x); }, -0.9, 5) < 3e-7);
  CHECK(worst_error([](Floats x) { return log1p(x); }, [](double x) { return std::log1p(x); }, -1e-3, 1e-3) < 3e-7);
  const auto exact_softplus = [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); };
  CHECK(worst_error([](Floats x) { return softplus(x); }, exact_softplus, -80, 30) < 3e-7);
  const auto exact_sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  CHECK(worst_error([](Floats x) { return sigmoid(x); }, exact_sigmoid, -80, 30) < 2e-7);
  CHECK(worst_error([](Floats x) { return silu(x); }, [&](double x) { return x * exact_sigmoid(x); }, -80, 30) < 3e-7);
  const auto exact_derivative = [&](double x) {
    const double s = exact_sigmoid(x);
    return s * (1 + x * (1 - s));
  };
  CHECK(worst_error([](Floats x) { return silu_derivative(x); }, exact_derivative, -1.2, 30) < 2e-6);
  CHECK(worst_error([](Floats x) { return silu_pair(x).derivative; }, exact_derivative, -1.2, 30) < 2e-6);
  CHECK(worst_error([](Floats x) { return tanh(x); }, [](double x) { return std::tanh(x); }, -12, 12) < 3e-7);
  CHECK(worst_error([](Floats x) { return tanh(x); }, [](double x) { return std::tanh(x); }, -1e-3, 1e-3) < 1e-7);
}

void test_extremes() {
  const float inf = std::numeric_limits<float>::infinity();
  const auto exp_at = [](float x) { return at([](Floats v) { return exp(v); }, x); };
  CHECK(exp_at(-inf) == 0.0f);
  CHECK(exp_at(-3e38f) == 0.0f);
  CHECK(exp_at(-104.5f) == 0.0f);
  CHECK(exp_at(-103.0f) > 0.0f);  // subnormal
  CHECK(exp_at(0.0f) == 1.0f);
  CHECK(exp_at(88.72f) < inf);
  CHECK(exp_at(88.73f) == inf);
  CHECK(exp_at(inf) == inf);
  CHECK(std::isnan(exp_at(kNan)));
  const auto softplus_at = [](float x) { return at([](Floats v) { return softplus(v); }, x); };
  CHECK(softplus_at(-inf) == 0.0f);
  CHECK(softplus_at(inf) == inf);
  CHECK(softplus_at(20.5f) == 20.5f);
  CHECK(softplus_at(1e30f) == 1e30f);
  CHECK(std::isnan(softplus_at(kNan)));
  const auto sigmoid_at = [](float x) { return at([](Floats v) { return sigmoid(v); }, x); };
  CHECK(sigmoid_at(-inf) == 0.0f);
  CHECK(sigmoid_at(inf) == 1.0f);
  CHECK(std::isnan(sigmoid_at(kNan)));
  const auto log_at = [](float x) { return at([](Floats v) { return log(v); }, x); };
  CHECK(log_at(0.0f) == -inf);
  CHECK(log_at(1.0f) == 0.0f);
  CHECK(log_at(inf) == inf);
  CHECK(std::isnan(log_at(-1.0f)));
  CHECK(std::isnan(log_at(kNan)));
  const auto log1p_at = [](float x) { return at([](Floats v) { return log1p(v); }, x); };
  CHECK(log1p_at(-1.0f) == -inf);
  CHECK(log1p_at(0.0f) == 0.0f);
  CHECK(log1p_at(1e-20f) == 1e-20f);
  CHECK(log1p_at(inf) == inf);
  CHECK(std::isnan(log1p_at(-1.5f)));
  CHECK(std::isnan(log1p_at(kNan)));
  const auto tanh_at = [](float x) { return at([](Floats v) { return tanh(v); }, x); };
  CHECK(tanh_at(inf) == 1.0f);
  CHECK(tanh_at(-inf) == -1.0f);
  CHECK(std::isnan(tanh_at(kNan)));
}

void test_partial_access() {
  const auto source = test::Random(1).floats(kLanes);
  for (int64_t count = 0; count <= kLanes; ++count) {
    Output out(kLanes);
    store_partial(out.data(), load_partial(source.data(), count), count);
    CHECK_SAME_BITS(out.data(), source.data(), count, "partial");
    for (int64_t i = count; i < kLanes; ++i) CHECK(std::isnan(out.data()[i]));
    for (int64_t i = count; i < kLanes; ++i) CHECK(load_partial(source.data(), count)[i] == 0.0f);
  }
}

}  // namespace
}  // namespace statespace::STATESPACE_ISA_NS

int statespace::test::isa_test() {
  using namespace statespace::STATESPACE_ISA_NS;
  test_accuracy();
  test_extremes();
  test_partial_access();
  return finish("vector_math " STATESPACE_ISA_TEXT);
}
