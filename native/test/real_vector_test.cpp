/// Elementary functions of floats and doubles against libm in the next wider format.
#include "real_vector.h"

#include <cmath>

#include "check.h"

using namespace statespace;
using namespace statespace::test;
using namespace statespace::STATESPACE_ISA_NS;

namespace {

template <typename Real>
using Function = VectorOf<Real> (*)(const VectorOf<Real>&);

template <typename Real>
void check_function(Function<Real> function, long double (*wanted)(long double), double low, double high,
                    double tolerance, const char* name) {
  constexpr int64_t kPoints = 20000;
  double worst = 0;
  for (int64_t i = 0; i < kPoints; i += kRealLanes<Real>) {
    Real x[kRealLanes<Real>], y[kRealLanes<Real>];
    for (int64_t k = 0; k < kRealLanes<Real>; ++k) {
      x[k] = static_cast<Real>(low + (high - low) * static_cast<double>(i + k) / kPoints);
    }
    store_vector<Real>(y, function(load_vector<Real>(x)));
    for (int64_t k = 0; k < kRealLanes<Real>; ++k) {
      const long double exact = wanted(static_cast<long double>(x[k]));
      const double error = static_cast<double>(fabsl((static_cast<long double>(y[k]) - exact) / exact));
      if (!(error <= worst)) worst = error;
    }
  }
  check_true(worst <= tolerance, __FILE__, __LINE__, name);
}

long double softplus_of(long double v) { return v > 20 ? v : log1pl(expl(v)); }
long double sigmoid_of(long double v) { return 1 / (1 + expl(-v)); }

template <typename Real>
void check_all(double unit) {
  const auto exponential = [](const VectorOf<Real>& v) { return real_exp<Real>(v); };
  check_function<Real>(+exponential, expl, -80, 80, 4 * unit, "exp");
  const auto softplus = [](const VectorOf<Real>& v) { return real_softplus<Real>(v); };
  check_function<Real>(+softplus, softplus_of, -30, 30, 6 * unit, "softplus");
  const auto sigmoid = [](const VectorOf<Real>& v) { return real_sigmoid<Real>(v); };
  check_function<Real>(+sigmoid, sigmoid_of, -60, 60, 6 * unit, "sigmoid");
  // Relative to 1: the zeros of sine and cosine have no relative error.
  for (const double size : {1.0, 30.0, 3000.0, 1e5}) {
    for (int64_t i = 0; i < 4000; ++i) {
      const Real x = static_cast<Real>(size * (static_cast<double>(i) / 2000 - 1));
      const SineCosine<Real> both = sine_cosine<Real>(vector_of<Real>(x));
      CHECK(std::fabs(static_cast<double>(both.sine[0] - static_cast<Real>(sinl(x)))) <= 2 * unit);
      CHECK(std::fabs(static_cast<double>(both.cosine[0] - static_cast<Real>(cosl(x)))) <= 2 * unit);
    }
  }
  const Real infinity = static_cast<Real>(INFINITY);
  CHECK(real_exp<Real>(vector_of<Real>(-infinity))[0] == 0);
  CHECK(real_exp<Real>(vector_of<Real>(static_cast<Real>(2000)))[0] == infinity);
  CHECK(std::isnan(real_exp<Real>(vector_of<Real>(static_cast<Real>(NAN)))[0]));
  CHECK(real_exp<Real>(VectorOf<Real>{})[0] == 1);
}

}  // namespace

int statespace::test::isa_test() {
  check_all<float>(1.2e-7);
  check_all<double>(2.3e-16);
  return finish("real_vector " STATESPACE_ISA_TEXT);
}
