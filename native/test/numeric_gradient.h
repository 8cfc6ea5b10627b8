/// Central differences of a double-precision function, the oracle of backward kernels.
#pragma once

#include <cmath>
#include <vector>

namespace statespace::test {

/// Gradient of loss(x) with respect to every entry of x; loss reads x by reference.
template <typename Loss>
std::vector<double> numeric_gradient(std::vector<double>& x, const Loss& loss) {
  std::vector<double> grad(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double before = x[i];
    const double step = 1e-5 * std::fmax(1, std::fabs(before));
    x[i] = before + step;
    const double above = loss();
    x[i] = before - step;
    const double below = loss();
    x[i] = before;
    grad[i] = (above - below) / (2 * step);
  }
  return grad;
}

inline std::vector<double> widen(const std::vector<float>& x) { return {x.begin(), x.end()}; }

}  // namespace statespace::test
