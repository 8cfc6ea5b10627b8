/// The SSD scans in double as their recurrence stands, forward and backward: the oracle of the kernels. One decay per
/// head, or one per head and state. Its own gradient is checked against finite differences in the gradient tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace statespace::test {

struct SsdShape {
  int64_t batch, seq_len, heads, head_dim, d_state, groups;
  int64_t chunk = 64;
  std::vector<int32_t> offsets = {};  // packed boundaries; empty: none

  int64_t sequences() const { return offsets.empty() ? batch : static_cast<int64_t>(offsets.size()) - 1; }
  int64_t steps() const { return batch * seq_len * heads; }
  int64_t elements() const { return steps() * head_dim; }
  int64_t coefficients() const { return batch * seq_len * groups * d_state; }
  int64_t states() const { return sequences() * heads * head_dim * d_state; }
};

/// Contiguous tensors; empty vectors are absent ones.
struct SsdTensors {
  std::vector<double> x, dt, A, B, C, D, z, dt_bias, initial;
  bool rate_per_state = false;  // A is (H, N), not (H)
  bool skip_per_channel = false;
  bool softplus = false;
  double dt_min = 0;
  double dt_max = INFINITY;
};

struct SsdResult {
  std::vector<double> out, final_states;
};

struct SsdGradients {
  std::vector<double> x, dt, A, B, C, D, z, dt_bias, initial;
};

struct SsdStep {
  double value;
  double slope;
};

inline SsdStep ssd_step(const SsdTensors& x, int64_t at, int64_t head) {
  const double raw = x.dt[at] + (x.dt_bias.empty() ? 0 : x.dt_bias[head]);
  const bool curved = x.softplus && raw <= 20;
  const double step = curved ? std::log1p(std::exp(raw)) : raw;
  if (step < x.dt_min) return {x.dt_min, 0};
  if (step > x.dt_max) return {x.dt_max, 0};
  return {step, curved ? 1 / (1 + std::exp(-raw)) : 1};
}

/// Index in A of a head and state.
inline int64_t rate_index(const SsdShape& s, const SsdTensors& x, int64_t head, int64_t n) {
  return x.rate_per_state ? head * s.d_state + n : head;
}

/// Calls visit(sequence, batch, begin, end, head).
template <typename Visit>
void for_each_head(const SsdShape& s, const Visit& visit) {
  for (int64_t i = 0; i < s.sequences(); ++i) {
    const bool packed = !s.offsets.empty();
    for (int64_t h = 0; h < s.heads; ++h) {
      visit(i, packed ? 0 : i, packed ? s.offsets[i] : 0, packed ? s.offsets[i + 1] : s.seq_len, h);
    }
  }
}

/// Runs the forward pass. With `history`, it receives the states before every step and after the last one of each
/// head in turn.
inline SsdResult ssd_oracle(const SsdShape& s, const SsdTensors& x,
                            std::vector<std::vector<double>>* history = nullptr) {
  const int64_t P = s.head_dim, N = s.d_state;
  SsdResult r;
  r.out.assign(static_cast<size_t>(s.elements()), 0);
  r.final_states.assign(static_cast<size_t>(s.states()), 0);
  for_each_head(s, [&](int64_t i, int64_t b, int64_t begin, int64_t end, int64_t h) {
    std::vector<double> state(static_cast<size_t>(P * N), 0.0);
    const int64_t first = (i * s.heads + h) * P * N;
    for (int64_t j = 0; j < P * N && !x.initial.empty(); ++j) state[j] = x.initial[first + j];
    std::vector<double> all = state;
    for (int64_t t = begin; t < end; ++t) {
      const int64_t at = (b * s.seq_len + t) * s.heads + h;
      const int64_t weight = ((b * s.seq_len + t) * s.groups + h / (s.heads / s.groups)) * N;
      const double step = ssd_step(x, at, h).value;
      for (int64_t p = 0; p < P; ++p) {
        const int64_t e = at * P + p;
        double y = x.D.empty() ? 0 : x.D[x.skip_per_channel ? h * P + p : h] * x.x[e];
        for (int64_t n = 0; n < N; ++n) {
          const double decay = std::exp(step * x.A[rate_index(s, x, h, n)]);
          state[p * N + n] = decay * state[p * N + n] + step * x.x[e] * x.B[weight + n];
          y += x.C[weight + n] * state[p * N + n];
        }
        r.out[e] = x.z.empty() ? y : y * x.z[e] / (1 + std::exp(-x.z[e]));
      }
      if (history != nullptr) all.insert(all.end(), state.begin(), state.end());
    }
    for (int64_t j = 0; j < P * N; ++j) r.final_states[first + j] = state[j];
    if (history != nullptr) history->push_back(all);
  });
  return r;
}

/// Gradients of sum(grad_out * out) + sum(grad_final * final_states); grad_final may be empty.
inline SsdGradients ssd_oracle_backward(const SsdShape& s, const SsdTensors& x, const std::vector<double>& grad_out,
                                        const std::vector<double>& grad_final) {
  const int64_t P = s.head_dim, N = s.d_state;
  std::vector<std::vector<double>> history;
  ssd_oracle(s, x, &history);
  SsdGradients g;
  g.x.assign(x.x.size(), 0), g.z.assign(x.x.size(), 0), g.dt.assign(x.dt.size(), 0);
  g.A.assign(x.A.size(), 0), g.B.assign(x.B.size(), 0), g.C.assign(x.C.size(), 0);
  g.D.assign(static_cast<size_t>(x.skip_per_channel ? s.heads * P : s.heads), 0);
  g.dt_bias.assign(static_cast<size_t>(s.heads), 0), g.initial.assign(static_cast<size_t>(s.states()), 0);
  size_t visited = 0;
  for_each_head(s, [&](int64_t i, int64_t b, int64_t begin, int64_t end, int64_t h) {
    const std::vector<double>& states = history[visited++];
    const int64_t first = (i * s.heads + h) * P * N;
    std::vector<double> grad(static_cast<size_t>(P * N), 0.0);
    for (int64_t j = 0; j < P * N && !grad_final.empty(); ++j) grad[j] = grad_final[first + j];
    for (int64_t t = end - 1; t >= begin; --t) {
      const int64_t at = (b * s.seq_len + t) * s.heads + h;
      const int64_t weight = ((b * s.seq_len + t) * s.groups + h / (s.heads / s.groups)) * N;
      const double* const before = states.data() + (t - begin) * P * N;
      const double* const after = before + P * N;
      const SsdStep step = ssd_step(x, at, h);
      double grad_step = 0;
      for (int64_t p = 0; p < P; ++p) {
        const int64_t e = at * P + p, d = x.skip_per_channel ? h * P + p : h;
        const double skip = x.D.empty() ? 0 : x.D[d];
        double dy = grad_out[e];
        if (!x.z.empty()) {
          const double sigma = 1 / (1 + std::exp(-x.z[e]));
          double y = skip * x.x[e];
          for (int64_t n = 0; n < N; ++n) y += x.C[weight + n] * after[p * N + n];
          g.z[e] = dy * y * sigma * (1 + x.z[e] * (1 - sigma));
          dy *= x.z[e] * sigma;
        }
        g.D[d] += dy * x.x[e];
        g.x[e] += dy * skip;
        for (int64_t n = 0; n < N; ++n) {
          double& dh = grad[p * N + n];
          const int64_t rate = rate_index(s, x, h, n);
          const double decay = std::exp(step.value * x.A[rate]);
          g.C[weight + n] += dy * after[p * N + n];
          dh += dy * x.C[weight + n];
          g.x[e] += dh * step.value * x.B[weight + n];
          g.B[weight + n] += dh * step.value * x.x[e];
          const double grad_log_decay = dh * decay * before[p * N + n];
          grad_step += dh * x.x[e] * x.B[weight + n] + grad_log_decay * x.A[rate];
          g.A[rate] += grad_log_decay * step.value;
          dh *= decay;
        }
      }
      g.dt[at] = grad_step * step.slope;
      g.dt_bias[h] += g.dt[at];
    }
    for (int64_t j = 0; j < P * N; ++j) g.initial[first + j] = grad[j];
  });
  return g;
}

}  // namespace statespace::test
