/// Decode steps in float and double against double oracles: every instruction set, every thread count.
#include <algorithm>
#include <cmath>

#include "check.h"

using namespace statespace;
using namespace statespace::test;

namespace {

/// One step: in double the tolerance of the golden files of this family.
template <typename Real>
constexpr double kTolerance = sizeof(Real) == sizeof(double) ? 1e-13 : 1e-6;

Status update(const KernelTable& kernels, const SelectiveStateUpdateArgs& args) {
  return kernels.selective_state_update(args);
}
Status update(const KernelTable& kernels, const SelectiveStateUpdateArgsOf<double>& args) {
  return kernels.selective_state_update_f64(args);
}
Status update(const KernelTable& kernels, const CausalConv1dUpdateArgs& args) {
  return kernels.causal_conv1d_update(args);
}
Status update(const KernelTable& kernels, const CausalConv1dUpdateArgsOf<double>& args) {
  return kernels.causal_conv1d_update_f64(args);
}

struct Update {
  int64_t batch, heads, head_dim, d_state, groups;
  bool full_dt = false, full_A = false, full_D = false, full_bias = false;
  bool skip = true, gate = true, bias = true, softplus = true;
  float dt_min = 0, dt_max = INFINITY;
  std::vector<int32_t> indices = {};
  int64_t rows = 0;  // of the state; 0: batch
  int64_t gap = 0;   // between the rows of x, dt, B, C, z
};

/// (rows, width) with `gap` NaN behind each row.
template <typename Real>
std::vector<Real> spread(const std::vector<Real>& dense, int64_t width, int64_t gap) {
  const int64_t rows = width == 0 ? 0 : static_cast<int64_t>(dense.size()) / width;
  std::vector<Real> wide(static_cast<size_t>(rows * (width + gap)), NAN);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < width; ++i) wide[r * (width + gap) + i] = dense[r * width + i];
  }
  return wide;
}

template <typename Real>
void check_update(const KernelTable& kernels, const Update& u, uint64_t seed) {
  Random random(seed);
  const int64_t channels = u.heads * u.head_dim, coefficients = u.groups * u.d_state;
  const int64_t rows = u.rows == 0 ? u.batch : u.rows;
  const int64_t dt_width = u.full_dt ? channels : u.heads;
  const auto x = random.numbers<Real>(u.batch * channels), z = random.numbers<Real>(u.batch * channels, -3, 3);
  const auto dt = random.numbers<Real>(u.batch * dt_width, u.softplus ? -4.0f : 0.01f, 1.5f);
  const auto A = random.numbers<Real>(u.full_A ? channels * u.d_state : u.heads, -3, -0.02f);
  const auto B = random.numbers<Real>(u.batch * coefficients), C = random.numbers<Real>(u.batch * coefficients);
  const auto D = random.numbers<Real>(u.full_D ? channels : u.heads);
  const auto bias = random.numbers<Real>(u.full_bias ? channels : u.heads, 0, 0.5f);
  const auto state = random.numbers<Real>(rows * channels * u.d_state);

  std::vector<double> wanted_state(state.begin(), state.end());
  std::vector<double> wanted(static_cast<size_t>(u.batch * channels), 0);
  for (int64_t b = 0; b < u.batch; ++b) {
    const int64_t row = u.indices.empty() ? b : u.indices[b];
    for (int64_t c = 0; row >= 0 && c < channels; ++c) {
      const int64_t head = c / u.head_dim, group = head / (u.heads / u.groups), at = b * channels + c;
      double step = dt[b * dt_width + (u.full_dt ? c : head)];
      if (u.bias) step += bias[u.full_bias ? c : head];
      if (u.softplus && step <= 20) step = std::log1p(std::exp(step));
      step = step < u.dt_min ? u.dt_min : step > u.dt_max ? u.dt_max : step;
      double y = u.skip ? static_cast<double>(D[u.full_D ? c : head]) * x[at] : 0;
      for (int64_t n = 0; n < u.d_state; ++n) {
        double& h = wanted_state[(row * channels + c) * u.d_state + n];
        h = std::exp(step * A[u.full_A ? c * u.d_state + n : head]) * h +
            step * x[at] * B[(b * u.groups + group) * u.d_state + n];
        y += C[(b * u.groups + group) * u.d_state + n] * h;
      }
      wanted[at] = u.gate ? y * z[at] / (1 + std::exp(-z[at])) : y;
    }
  }

  const auto xs = spread(x, channels, u.gap), zs = spread(z, channels, u.gap), dts = spread(dt, dt_width, u.gap);
  const auto Bs = spread(B, coefficients, u.gap), Cs = spread(C, coefficients, u.gap);
  const auto run = [&] {
    OutputOf<Real> out(u.batch * channels), memory(static_cast<int64_t>(state.size()));
    std::copy(state.begin(), state.end(), memory.data());
    SelectiveStateUpdateArgsOf<Real> args;
    args.batch = u.batch, args.n_heads = u.heads, args.head_dim = u.head_dim, args.d_state = u.d_state;
    args.n_groups = u.groups, args.state_rows = rows, args.state = memory.data(), args.out = out.data();
    args.x = xs.data(), args.dt = dts.data(), args.A = A.data(), args.B = Bs.data(), args.C = Cs.data();
    if (u.skip) args.D = D.data();
    if (u.gate) args.z = zs.data();
    if (u.bias) args.dt_bias = bias.data();
    if (!u.indices.empty()) args.state_batch_indices = u.indices.data();
    args.x_batch_stride = args.z_batch_stride = channels + u.gap, args.dt_batch_stride = dt_width + u.gap;
    args.b_batch_stride = args.c_batch_stride = coefficients + u.gap;
    args.dt_has_head_dim = u.full_dt, args.a_has_state = u.full_A, args.d_has_head_dim = u.full_D;
    args.dt_bias_has_head_dim = u.full_bias, args.dt_softplus = u.softplus;
    args.dt_min = u.dt_min, args.dt_max = u.dt_max;
    CHECK(update(kernels, args) == Status::kOk);
    CHECK(out.intact() && memory.intact());
    std::vector<Real> all(out.data(), out.data() + out.size());
    all.insert(all.end(), memory.data(), memory.data() + memory.size());
    return all;
  };
  const std::vector<Real> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "state update");
  const auto outputs = static_cast<int64_t>(wanted.size());
  CHECK_CLOSE(ours.data(), wanted.data(), outputs, kTolerance<Real>, "out");
  CHECK_CLOSE(ours.data() + outputs, wanted_state.data(), static_cast<int64_t>(state.size()), kTolerance<Real>, "state");
}

struct Conv {
  int64_t batch, length, dim, width, state_len;
  bool bias = true, silu = true, ring = false;
  std::vector<int32_t> indices = {};
  int64_t rows = 0;
  int64_t gap = 0;
};

template <typename Real>
void check_conv(const KernelTable& kernels, const Conv& v, uint64_t seed) {
  Random random(seed);
  const int64_t rows = v.rows == 0 ? v.batch : v.rows;
  const auto x = random.numbers<Real>(v.batch * v.length * v.dim), weight = random.numbers<Real>(v.dim * v.width);
  const auto bias = random.numbers<Real>(v.dim), state = random.numbers<Real>(rows * v.dim * v.state_len);
  std::vector<int32_t> written(static_cast<size_t>(v.batch));
  for (int32_t& steps : written) steps = static_cast<int32_t>(random.below(40));

  std::vector<double> wanted_state(state.begin(), state.end());
  std::vector<double> wanted(static_cast<size_t>(v.batch * v.length * v.dim), 0);
  for (int64_t b = 0; b < v.batch; ++b) {
    const int64_t row = v.indices.empty() ? b : v.indices[b];
    for (int64_t d = 0; row >= 0 && d < v.dim; ++d) {
      double* columns = wanted_state.data() + (row * v.dim + d) * v.state_len;
      const auto input = [&](int64_t t) -> double {
        if (t >= 0) return x[(b * v.length + t) * v.dim + d];
        const int64_t from = v.ring ? ((written[b] + t) % v.state_len + v.state_len) % v.state_len : v.state_len + t;
        return state[(row * v.dim + d) * v.state_len + from];
      };
      for (int64_t t = 0; t < v.length; ++t) {
        double pre = v.bias ? bias[d] : 0;
        for (int64_t w = 0; w < v.width; ++w) pre += weight[d * v.width + w] * input(t - v.width + 1 + w);
        wanted[(b * v.length + t) * v.dim + d] = v.silu ? pre / (1 + std::exp(-pre)) : pre;
      }
      for (int64_t t = 0; v.ring && v.state_len > 0 && t < v.length; ++t) {
        columns[(written[b] + t) % v.state_len] = input(t);
      }
      for (int64_t k = 0; !v.ring && k < v.state_len; ++k) columns[k] = input(v.length - v.state_len + k);
    }
  }

  const auto xs = spread(x, v.dim, v.gap);
  const auto run = [&] {
    OutputOf<Real> out(v.batch * v.length * v.dim), memory(static_cast<int64_t>(state.size()));
    std::copy(state.begin(), state.end(), memory.data());
    CausalConv1dUpdateArgsOf<Real> args;
    args.batch = v.batch, args.seq_len = v.length, args.dim = v.dim, args.width = v.width;
    args.state_len = v.state_len, args.state_rows = rows;
    args.x = {xs.data(), v.length * (v.dim + v.gap), v.dim + v.gap};
    if (sizeof(Real) == sizeof(double)) args.x.dtype = DType::kF64;
    args.conv_state = memory.data(), args.weight = weight.data(), args.out = out.data();
    if (v.bias) args.bias = bias.data();
    if (v.ring) args.cache_seqlens = written.data();
    if (!v.indices.empty()) args.conv_state_indices = v.indices.data();
    args.activation = v.silu ? Activation::kSilu : Activation::kNone;
    CHECK(update(kernels, args) == Status::kOk);
    CHECK(out.intact() && memory.intact());
    std::vector<Real> all(out.data(), out.data() + out.size());
    all.insert(all.end(), memory.data(), memory.data() + memory.size());
    return all;
  };
  const std::vector<Real> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "convolution update");
  const auto outputs = static_cast<int64_t>(wanted.size());
  CHECK_CLOSE(ours.data(), wanted.data(), outputs, kTolerance<Real>, "out");
  CHECK_CLOSE(ours.data() + outputs, wanted_state.data(), static_cast<int64_t>(state.size()), kTolerance<Real>, "state");
}

template <typename Real>
void check_refusals(const KernelTable& kernels) {
  const std::vector<Real> zeros(64, Real{0});
  OutputOf<Real> out(8), memory(16);
  SelectiveStateUpdateArgsOf<Real> step;
  step.batch = 2, step.n_heads = 2, step.head_dim = 2, step.d_state = 2, step.state_rows = 2;
  step.x = step.dt = step.A = step.B = step.C = zeros.data();
  step.state = memory.data(), step.out = out.data();
  SelectiveStateUpdateArgsOf<Real> bad = step;
  const int32_t beyond[] = {0, 2}, negative[] = {1, -1};
  bad.state_batch_indices = beyond;
  CHECK(update(kernels, bad) == Status::kIndexOutOfRange);
  bad = step, bad.n_groups = 3;
  CHECK(update(kernels, bad) == Status::kBadArgument);
  bad = step, bad.state_rows = 1;
  CHECK(update(kernels, bad) == Status::kBadArgument);
  bad = step, bad.dt_min = NAN;
  CHECK(update(kernels, bad) == Status::kBadArgument);
  bad = step, bad.A = nullptr;
  CHECK(update(kernels, bad) == Status::kBadArgument);

  CausalConv1dUpdateArgsOf<Real> conv;
  conv.batch = 2, conv.dim = 4, conv.width = 3, conv.state_len = 2, conv.state_rows = 2;
  conv.x = {zeros.data(), 4, 4}, conv.weight = zeros.data(), conv.conv_state = memory.data(), conv.out = out.data();
  CausalConv1dUpdateArgsOf<Real> wrong = conv;
  wrong.state_len = 1;
  CHECK(update(kernels, wrong) == Status::kBadArgument);
  wrong = conv, wrong.width = 0;
  CHECK(update(kernels, wrong) == Status::kBadArgument);
  wrong = conv, wrong.conv_state_indices = beyond;
  CHECK(update(kernels, wrong) == Status::kIndexOutOfRange);
  wrong = conv, wrong.cache_seqlens = negative;
  CHECK(update(kernels, wrong) == Status::kIndexOutOfRange);
  CHECK(std::isnan(out.data()[0]) && std::isnan(memory.data()[0]));
}

template <typename Real>
void check_all(const KernelTable& kernels) {
  uint64_t seed = 1;
  for (const int64_t d_state : {0, 1, 3, 15, 16, 17, 33, 64, 131}) {
    check_update<Real>(kernels, {2, 3, 5, d_state, 1}, seed++);
    check_update<Real>(kernels, {.batch = 3, .heads = 37, .head_dim = 1, .d_state = d_state, .groups = 1, .full_A = true},
                 seed++);
  }
  for (const int64_t heads : {1, 31, 32, 33, 300}) {
    check_update<Real>(kernels, {.batch = 2, .heads = heads, .head_dim = 1, .d_state = 16, .groups = 1, .full_A = true,
                           .gap = 3}, seed++);
  }
  for (int bits = 0; bits < 256; ++bits) {
    const auto on = [&](int bit) { return (bits >> bit & 1) != 0; };
    check_update<Real>(kernels, {2, 6, 7, 5, 3, on(0), on(1), on(2), on(3), on(4), on(5), on(6), on(7)}, seed++);
  }
  check_update<Real>(kernels, {.batch = 4, .heads = 2, .head_dim = 64, .d_state = 128, .groups = 1, .dt_min = 0.3f,
                         .dt_max = 0.7f}, seed++);
  check_update<Real>(kernels, {.batch = 4, .heads = 9, .head_dim = 8, .d_state = 24, .groups = 1,
                         .indices = {5, -1, 0, 2}, .rows = 7, .gap = 2}, seed++);
  // Two sequences on one row take their steps in turn.
  check_update<Real>(kernels, {.batch = 4, .heads = 40, .head_dim = 2, .d_state = 8, .groups = 1, .indices = {1, 1, 0, 1},
                         .rows = 3}, seed++);

  for (const int64_t width : {1, 2, 3, 4, 9}) {
    for (const int64_t extra : {0, 1, 5}) {
      for (const int64_t length : {0, 1, 2, 3, 7, 20}) {
        check_conv<Real>(kernels, {.batch = 2, .length = length, .dim = 37, .width = width,
                             .state_len = width - 1 + extra}, seed++);
        check_conv<Real>(kernels, {.batch = 2, .length = length, .dim = 37, .width = width, .state_len = width - 1 + extra,
                             .bias = false, .silu = false, .ring = true, .gap = 4}, seed++);
      }
    }
  }
  for (const int64_t dim : {1, 16, 31, 32, 33, 700}) {
    check_conv<Real>(kernels, {.batch = 3, .length = 1, .dim = dim, .width = 4, .state_len = 4}, seed++);
  }
  for (const bool ring : {false, true}) {
    check_conv<Real>(kernels, {.batch = 4, .length = 2, .dim = 21, .width = 4, .state_len = 6, .ring = ring,
                         .indices = {3, -7, 0, 4}, .rows = 5}, seed++);
  }
  check_refusals<Real>(kernels);
}

}  // namespace

int main() {
  for_each_isa([](const KernelTable& kernels) {
    check_all<float>(kernels);
    if (!kEmulated) check_all<double>(kernels);  // there is no double on the device
  });
  return finish("state_update");
}
