/// The selective scan in double, forward and backward, as its equations stand: the oracle of the kernels.
/// Its own gradient is checked against finite differences in selective_scan_grad_test.cpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace statespace::test {

struct ScanShape {
  int64_t batch, seq_len, dim, d_state;
  int64_t b_groups, c_groups;  // 0: constant
  std::vector<int32_t> offsets;  // packed boundaries; empty: none

  int64_t sequences() const { return offsets.empty() ? batch : static_cast<int64_t>(offsets.size()) - 1; }
  int64_t b_size() const { return b_groups == 0 ? dim * d_state : batch * seq_len * b_groups * d_state; }
  int64_t c_size() const { return c_groups == 0 ? dim * d_state : batch * seq_len * c_groups * d_state; }
};

/// Contiguous tensors; empty vectors are absent ones.
struct ScanTensors {
  std::vector<double> u, delta, A, B, C, D, z, delta_bias, initial_state;
  bool softplus = false;
};

struct ScanResult {
  std::vector<double> out, last_state;
};

struct ScanGradients {
  std::vector<double> u, delta, A, B, C, D, z, delta_bias, initial_state;
};

inline double scan_step(const ScanTensors& x, double raw) {
  return x.softplus ? (raw <= 20 ? std::log1p(std::exp(raw)) : raw) : raw;
}

/// Offsets of one (batch, step, channel) into the tensors.
struct ScanIndex {
  const ScanShape& s;
  int64_t element(int64_t b, int64_t t, int64_t d) const { return (b * s.seq_len + t) * s.dim + d; }
  int64_t B(int64_t b, int64_t t, int64_t d, int64_t n) const { return weight(s.b_groups, b, t, d, n); }
  int64_t C(int64_t b, int64_t t, int64_t d, int64_t n) const { return weight(s.c_groups, b, t, d, n); }
  int64_t weight(int64_t groups, int64_t b, int64_t t, int64_t d, int64_t n) const {
    if (groups == 0) return d * s.d_state + n;
    return ((b * s.seq_len + t) * groups + d / (s.dim / groups)) * s.d_state + n;
  }
};

/// Calls visit(sequence, batch, begin, end, d) for every sequence and channel.
template <typename Visit>
void for_each_lane(const ScanShape& s, const Visit& visit) {
  for (int64_t i = 0; i < s.sequences(); ++i) {
    const bool packed = !s.offsets.empty();
    const int64_t begin = packed ? s.offsets[i] : 0;
    const int64_t end = packed ? s.offsets[i + 1] : s.seq_len;
    for (int64_t d = 0; d < s.dim; ++d) visit(i, packed ? 0 : i, begin, end, d);
  }
}

inline ScanResult scan_oracle(const ScanShape& s, const ScanTensors& x) {
  const ScanIndex at{s};
  ScanResult r;
  r.out.assign(static_cast<size_t>(s.batch * s.seq_len * s.dim), 0);
  r.last_state.assign(static_cast<size_t>(s.sequences() * s.dim * s.d_state), 0);
  for_each_lane(s, [&](int64_t i, int64_t b, int64_t begin, int64_t end, int64_t d) {
    std::vector<double> h(static_cast<size_t>(s.d_state), 0.0);
    for (int64_t n = 0; n < s.d_state && !x.initial_state.empty(); ++n) {
      h[n] = x.initial_state[(i * s.dim + d) * s.d_state + n];
    }
    for (int64_t t = begin; t < end; ++t) {
      const int64_t e = at.element(b, t, d);
      const double step = scan_step(x, x.delta[e] + (x.delta_bias.empty() ? 0 : x.delta_bias[d]));
      double y = x.D.empty() ? 0 : x.D[d] * x.u[e];
      for (int64_t n = 0; n < s.d_state; ++n) {
        h[n] = std::exp(step * x.A[d * s.d_state + n]) * h[n] + step * x.u[e] * x.B[at.B(b, t, d, n)];
        y += x.C[at.C(b, t, d, n)] * h[n];
      }
      r.out[e] = x.z.empty() ? y : y * x.z[e] / (1 + std::exp(-x.z[e]));
    }
    for (int64_t n = 0; n < s.d_state; ++n) r.last_state[(i * s.dim + d) * s.d_state + n] = h[n];
  });
  return r;
}

/// Gradients of sum(grad_out * out) + sum(grad_last * last_state); grad_last may be empty.
inline ScanGradients scan_oracle_backward(const ScanShape& s, const ScanTensors& x,
                                          const std::vector<double>& grad_out,
                                          const std::vector<double>& grad_last) {
  const ScanIndex at{s};
  const int64_t N = s.d_state;
  ScanGradients g;
  const size_t elements = x.u.size();
  g.u.assign(elements, 0), g.delta.assign(elements, 0), g.z.assign(elements, 0);
  g.A.assign(x.A.size(), 0), g.B.assign(x.B.size(), 0), g.C.assign(x.C.size(), 0);
  g.D.assign(static_cast<size_t>(s.dim), 0), g.delta_bias.assign(static_cast<size_t>(s.dim), 0);
  g.initial_state.assign(static_cast<size_t>(s.sequences() * s.dim * N), 0);
  for_each_lane(s, [&](int64_t i, int64_t b, int64_t begin, int64_t end, int64_t d) {
    const int64_t length = end - begin;
    std::vector<double> h(static_cast<size_t>((length + 1) * N), 0.0), R(static_cast<size_t>(N), 0.0);
    for (int64_t n = 0; n < N; ++n) {
      if (!x.initial_state.empty()) h[n] = x.initial_state[(i * s.dim + d) * N + n];
      if (!grad_last.empty()) R[n] = grad_last[(i * s.dim + d) * N + n];
    }
    const double bias = x.delta_bias.empty() ? 0 : x.delta_bias[d];
    for (int64_t k = 0; k < length; ++k) {
      const int64_t e = at.element(b, begin + k, d);
      const double step = scan_step(x, x.delta[e] + bias);
      for (int64_t n = 0; n < N; ++n) {
        h[(k + 1) * N + n] =
            std::exp(step * x.A[d * N + n]) * h[k * N + n] + step * x.u[e] * x.B[at.B(b, begin + k, d, n)];
      }
    }
    for (int64_t k = length - 1; k >= 0; --k) {
      const int64_t t = begin + k, e = at.element(b, t, d);
      const double raw = x.delta[e] + bias, step = scan_step(x, raw), u = x.u[e];
      double dy = grad_out[e];
      if (!x.z.empty()) {
        const double sigma = 1 / (1 + std::exp(-x.z[e]));
        double y = x.D.empty() ? 0 : x.D[d] * u;
        for (int64_t n = 0; n < N; ++n) y += x.C[at.C(b, t, d, n)] * h[(k + 1) * N + n];
        g.z[e] = grad_out[e] * y * sigma * (1 + x.z[e] * (1 - sigma));
        dy *= x.z[e] * sigma;
      }
      g.D[d] += dy * u;
      double inner = 0, dstep = 0;
      for (int64_t n = 0; n < N; ++n) {
        const double a = x.A[d * N + n], decay = std::exp(step * a), B = x.B[at.B(b, t, d, n)];
        const double p = decay * h[k * N + n], grad = dy * x.C[at.C(b, t, d, n)] + R[n];
        inner += grad * B;
        dstep += grad * a * p;
        g.A[d * N + n] += step * grad * p;
        g.B[at.B(b, t, d, n)] += step * u * grad;
        g.C[at.C(b, t, d, n)] += dy * h[(k + 1) * N + n];
        R[n] = decay * grad;
      }
      dstep += u * inner;
      g.u[e] = (x.D.empty() ? 0 : x.D[d] * dy) + step * inner;
      g.delta[e] = x.softplus && raw <= 20 ? dstep / (1 + std::exp(-raw)) : dstep;
      g.delta_bias[d] += g.delta[e];
    }
    for (int64_t n = 0; n < N; ++n) g.initial_state[(i * s.dim + d) * N + n] = R[n];
  });
  return g;
}

}  // namespace statespace::test
