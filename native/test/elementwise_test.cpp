/// Elementwise kernels against libm in double, on views of every kind.
#include <cmath>
#include <limits>

#include "views.h"

namespace statespace::test {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double normal_pdf(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * 3.141592653589793); }
double softplus(double x) { return x > 20 ? x : std::log1p(std::exp(x)); }
double gelu_inner(double x) { return std::sqrt(2 / 3.141592653589793) * (x + 0.044715 * x * x * x); }

struct Scalar {
  UnaryOp op;
  float low, high;
  double (*value)(double);
  double (*derivative)(double);
};

const Scalar kScalars[] = {
    {UnaryOp::kNeg, -3, 3, [](double x) { return -x; }, [](double) { return -1.0; }},
    {UnaryOp::kAbs, -3, 3, [](double x) { return std::fabs(x); }, [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0; }},
    {UnaryOp::kSquare, -3, 3, [](double x) { return x * x; }, [](double x) { return 2 * x; }},
    {UnaryOp::kSqrt, 0.1f, 9, [](double x) { return std::sqrt(x); }, [](double x) { return 0.5 / std::sqrt(x); }},
    {UnaryOp::kRsqrt, 0.1f, 9, [](double x) { return 1 / std::sqrt(x); }, [](double x) { return -0.5 * std::pow(x, -1.5); }},
    {UnaryOp::kReciprocal, 0.2f, 5, [](double x) { return 1 / x; }, [](double x) { return -1 / (x * x); }},
    {UnaryOp::kExp, -5, 5, [](double x) { return std::exp(x); }, [](double x) { return std::exp(x); }},
    {UnaryOp::kExpm1, -5, 1, [](double x) { return std::expm1(x); }, [](double x) { return std::exp(x); }},
    {UnaryOp::kLog, 0.1f, 9, [](double x) { return std::log(x); }, [](double x) { return 1 / x; }},
    {UnaryOp::kLog1p, -0.8f, 9, [](double x) { return std::log1p(x); }, [](double x) { return 1 / (1 + x); }},
    {UnaryOp::kSin, -9, 9, [](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }},
    {UnaryOp::kCos, -9, 9, [](double x) { return std::cos(x); }, [](double x) { return -std::sin(x); }},
    {UnaryOp::kTanh, -4, 4, [](double x) { return std::tanh(x); }, [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); }},
    {UnaryOp::kSigmoid, -9, 9, sigmoid, [](double x) { return sigmoid(x) * sigmoid(-x); }},
    {UnaryOp::kLogSigmoid, -9, 9, [](double x) { return -softplus(-x); }, [](double x) { return sigmoid(-x); }},
    {UnaryOp::kSilu, -9, 9, [](double x) { return x * sigmoid(x); },
     [](double x) { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); }},
    {UnaryOp::kSoftplus, -9, 30, softplus, [](double x) { return x > 20 ? 1 : sigmoid(x); }},
    {UnaryOp::kRelu, -3, 3, [](double x) { return x > 0 ? x : 0; }, [](double x) { return x > 0 ? 1.0 : 0; }},
    {UnaryOp::kGelu, -4, 4, [](double x) { return x * normal_cdf(x); },
     [](double x) { return normal_cdf(x) + x * normal_pdf(x); }},
    {UnaryOp::kGeluTanh, -4, 4, [](double x) { return 0.5 * x * (1 + std::tanh(gelu_inner(x))); },
     [](double x) {
       const double t = std::tanh(gelu_inner(x));
       const double slope = std::sqrt(2 / 3.141592653589793) * (1 + 3 * 0.044715 * x * x);
       return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope;
     }},
};

const Shape kShapes[] = {shape_of({}),        shape_of({0}),       shape_of({1}),           shape_of({17}),
                         shape_of({5, 7}),    shape_of({3, 1, 16}), shape_of({2, 3, 4, 5}), shape_of({37, 1000}),
                         shape_of({2, 1, 2, 1, 2, 3, 1, 2}), shape_of({3, 0, 2})};

void test_unary(const KernelTable& table) {
  Random random(7);
  for (const Scalar& scalar : kScalars) {
    for (const Shape& shape : kShapes) {
      for (const Layout layout : kLayouts) {
        const View x = random_view(random, shape, layout, scalar.low, scalar.high);
        const auto values = elements_of(x, shape);
        const int64_t count = count_of(shape);
        const auto grad_out = random.floats(count);
        Output out(count);
        Output grad_x(count);
        CHECK(table.unary({scalar.op, shape, x.data(), x.strides, out.data()}) == Status::kOk);
        CHECK(table.unary_backward({scalar.op, shape, x.data(), x.strides, grad_out.data(), grad_x.data()}) ==
              Status::kOk);
        CHECK(out.intact() && grad_x.intact());
        std::vector<double> wanted(values.size()), wanted_grad(values.size());
        for (size_t i = 0; i < values.size(); ++i) {
          wanted[i] = scalar.value(values[i]);
          wanted_grad[i] = scalar.derivative(values[i]) * static_cast<double>(grad_out[i]);
        }
        CHECK_CLOSE(out.data(), wanted.data(), count, 6e-7, "unary");
        CHECK_CLOSE(grad_x.data(), wanted_grad.data(), count, 1e-6, "unary backward");
      }
    }
  }
}

void test_binary(const KernelTable& table) {
  const auto apply = [](BinaryOp op, double a, double b) {
    switch (op) {
      case BinaryOp::kAdd:
        return a + b;
      case BinaryOp::kSub:
        return a - b;
      case BinaryOp::kMul:
        return a * b;
      case BinaryOp::kDiv:
        return a / b;
      case BinaryOp::kMaximum:
        return a > b ? a : b;
      case BinaryOp::kMinimum:
        return a < b ? a : b;
    }
    return 0.0;
  };
  Random random(8);
  for (int32_t op = 0; op < 6; ++op) {
    for (const Shape& shape : kShapes) {
      for (const Layout a_layout : kLayouts) {
        for (const Layout b_layout : kLayouts) {
          const View a = random_view(random, shape, a_layout);
          const View b = random_view(random, shape, b_layout, 0.5f, 2);
          const auto a_values = elements_of(a, shape);
          const auto b_values = elements_of(b, shape);
          const int64_t count = count_of(shape);
          Output out(count);
          CHECK(table.binary({static_cast<BinaryOp>(op), shape, a.data(), a.strides, b.data(), b.strides,
                              out.data()}) == Status::kOk);
          CHECK(out.intact());
          std::vector<double> wanted(a_values.size());
          for (size_t i = 0; i < wanted.size(); ++i) {
            wanted[i] = apply(static_cast<BinaryOp>(op), a_values[i], b_values[i]);
          }
          CHECK_CLOSE(out.data(), wanted.data(), count, 1e-7, "binary");
        }
      }
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float a[] = {nan, 1, 2};
  const float b[] = {1, nan, 3};
  float out[3];
  const Strides unit = {{1}};
  CHECK(table.binary({BinaryOp::kMaximum, shape_of({3}), a, unit, b, unit, out}) == Status::kOk);
  CHECK(std::isnan(out[0]) && std::isnan(out[1]) && out[2] == 3);
  CHECK(table.binary({BinaryOp::kMinimum, shape_of({3}), a, unit, b, unit, out}) == Status::kOk);
  CHECK(std::isnan(out[0]) && std::isnan(out[1]) && out[2] == 2);
}

void test_affine_and_accumulate(const KernelTable& table) {
  Random random(9);
  for (const Shape& shape : kShapes) {
    for (const Layout layout : kLayouts) {
      const View x = random_view(random, shape, layout);
      const auto values = elements_of(x, shape);
      const int64_t count = count_of(shape);
      Output out(count);
      CHECK(table.affine({shape, x.data(), x.strides, 2.5f, -0.5f, out.data()}) == Status::kOk);
      std::vector<double> wanted(values.size());
      for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = 2.5 * values[i] - 0.5;
      CHECK_CLOSE(out.data(), wanted.data(), count, 2e-7, "affine");

      for (const Layout out_layout : {Layout::kContiguous, Layout::kPermuted}) {
        View sum = random_view(random, shape, out_layout);
        const auto before = elements_of(sum, shape);
        CHECK(table.accumulate({shape, x.data(), x.strides, sum.memory.data() + sum.offset, sum.strides}) ==
              Status::kOk);
        const auto after = elements_of(sum, shape);
        for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = before[i] + values[i];
        const std::vector<float> rounded(after.begin(), after.end());
        CHECK_CLOSE(rounded.data(), wanted.data(), count, 2e-7, "accumulate");
      }
    }
  }
}

void test_threads(const KernelTable& table) {
  Random random(10);
  const Shape shape = shape_of({211, 1013});
  const View x = random_view(random, shape, Layout::kPermuted, -4, 4);
  SAME_FOR_EVERY_THREAD_COUNT(
      [&] {
        Output out(count_of(shape));
        CHECK(table.unary({UnaryOp::kSilu, shape, x.data(), x.strides, out.data()}) == Status::kOk);
        return std::vector<float>(out.data(), out.data() + out.size());
      },
      "silu");
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  for_each_isa([](const statespace::KernelTable& table) {
    test_unary(table);
    test_binary(table);
    test_affine_and_accumulate(table);
    test_threads(table);
  });
  return finish("elementwise");
}
