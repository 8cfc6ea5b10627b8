/// The C interface gives what the kernels give.
#include <cmath>
#include <type_traits>

#include "c_interface_case.h"
#include "sequences.h"

namespace statespace::test {
namespace {

void check_same(const Output& ours, const Output& wanted, const char* what) {
  CHECK(ours.intact());
  CHECK_SAME_BITS(ours.data(), wanted.data(), wanted.size(), what);
}

void test_selective_scan() {
  const TableScan given;
  Output out(B * L * D), last(B * D * N), wanted(B * L * D), wanted_last(B * D * N);
  statespace_selective_scan_args a = {};
  given.give(a);
  a.out = target_of(out, {B, L, D});
  a.last_state = target_of(last, {B, D, N});
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  SelectiveScanArgs k;
  given.give_kernel(k);
  k.out = target(wanted.data(), L, D);
  k.last_state = wanted_last.data();
  CHECK(cpu_kernels()->selective_scan(k) == Status::kOk);
  check_same(out, wanted, "scan");
  check_same(last, wanted_last, "last state");

  // The length last: the same numbers through other strides.
  std::vector<float> turned(B * L * D);
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t t = 0; t < L; ++t) {
      for (int64_t d = 0; d < D; ++d) turned[(b * D + d) * L + t] = given.u[(b * L + t) * D + d];
    }
  }
  a.u.data = turned.data();
  a.u.strides[0] = D * L, a.u.strides[1] = 1, a.u.strides[2] = L;
  Output again(B * L * D);
  a.out = target_of(again, {B, L, D});
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  check_same(again, wanted, "scan of (B, D, L)");

  // Backwards in time is the scan of what was turned round, with lengths counted from the first step in memory.
  const int32_t lengths[] = {L, 9};
  const int64_t two = B;
  Output forward(B * L * D), backward(B * L * D);
  given.give(a);
  a.sequences = STATESPACE_LENGTHS;
  a.sequence_indices = statespace_make_tensor(const_cast<int32_t*>(lengths), STATESPACE_I32, 1, &two);
  a.reverse = 1;
  a.last_state = {};
  a.out = target_of(backward, {B, L, D});
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  const std::vector<SequenceSpan> spans = {{0, 0, L, 0, 0}, {1, L - 9, L, 1, 1}};
  const std::vector<StepRange> padding = {{1, 0, L - 9}};
  const auto turn = [](auto& view, int64_t width) {
    using Float = std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(view.data)>>, const float, float>;
    view.data = static_cast<Float*>(view.data) + (L - 1) * width;
    view.len_stride = -width;
  };
  k.last_state = nullptr;
  k.out = target(forward.data(), L, D);
  turn(k.u, D), turn(k.delta, D), turn(k.z, D), turn(k.B, N), turn(k.C, 2 * N), turn(k.out, D);
  k.sequences = {spans.data(), 2, padding.data(), 1, B};
  CHECK(cpu_kernels()->selective_scan(k) == Status::kOk);
  check_same(backward, forward, "reversed scan of rows of unequal length");
  CHECK(backward.data()[(L + 9) * D] == 0);
}

void test_selective_scan_backward() {
  const TableScan given;
  const std::vector<float> grad_out = Random(8).floats(B * L * D);
  Output u(B * L * D), A(D * N), C(B * L * 2 * N), state(B * D * N);
  Output wanted_u(B * L * D), wanted_A(D * N), wanted_C(B * L * 2 * N), wanted_state(B * D * N);
  statespace_selective_scan_backward_args a = {};
  given.give(a);
  a.grad_out = tensor_of(grad_out, {B, L, D});
  a.grad_u = target_of(u, {B, L, D});
  a.grad_A = target_of(A, {D, N});
  a.grad_C = target_of(C, {B, L, 2, N});
  a.grad_initial_state = target_of(state, {B, D, N});
  CHECK(Interface().selective_scan_backward(&a) == STATESPACE_OK);
  SelectiveScanBackwardArgs k;
  given.give_kernel(k);
  k.grad_out = {grad_out.data(), L * D, D};
  k.grad_u = target(wanted_u.data(), L, D);
  k.grad_A = wanted_A.data();
  k.grad_C = {wanted_C.data(), L * 2 * N, 2 * N, N};
  k.grad_initial_state = wanted_state.data();
  CHECK(cpu_kernels()->selective_scan_backward(k) == Status::kOk);
  check_same(u, wanted_u, "grad_u");
  check_same(A, wanted_A, "grad_A");
  check_same(C, wanted_C, "grad_C");
  check_same(state, wanted_state, "grad_initial_state");

  // From the checkpoints of the forward pass: the same bits; one row too few is refused.
  static_assert(STATESPACE_CHECKPOINT_STEPS == kSelectiveScanChunk);
  constexpr int64_t rows = B * ((L + STATESPACE_CHECKPOINT_STEPS - 1) / STATESPACE_CHECKPOINT_STEPS);
  Output out(B * L * D), checkpoints(rows * N * D), again(B * L * D);
  statespace_selective_scan_args forward = {};
  given.give(forward);
  forward.out = target_of(out, {B, L, D});
  forward.checkpoints = target_of(checkpoints, {rows, N, D});
  CHECK(Interface().selective_scan(&forward) == STATESPACE_OK);
  CHECK(checkpoints.intact());
  a.grad_u = target_of(again, {B, L, D});
  a.checkpoints = forward.checkpoints;
  CHECK(Interface().selective_scan_backward(&a) == STATESPACE_OK);
  check_same(again, wanted_u, "grad_u from checkpoints");
  a.checkpoints.shape[0] = rows - 1;
  CHECK(refused(Interface().selective_scan_backward(&a), STATESPACE_WRONG_SHAPE,
                "selective_scan_backward: checkpoints"));
}

void test_causal_conv1d() {
  constexpr int64_t W = 4;
  Random random(9);
  const auto x = random.floats(B * L * D), weight = random.floats(D * W), grad_out = random.floats(B * L * D);
  Output out(B * L * D), wanted(B * L * D), grad(D * W), wanted_grad(D * W);
  statespace_causal_conv1d_args a = {};
  a.size = sizeof a;
  a.activation = STATESPACE_SILU;
  a.x = tensor_of(x, {B, L, D});
  a.weight = tensor_of(weight, {D, W});
  a.out = target_of(out, {B, L, D});
  CHECK(Interface().causal_conv1d(&a) == STATESPACE_OK);
  CausalConv1dArgs k;
  k.batch = B, k.seq_len = L, k.dim = D, k.width = W, k.activation = Activation::kSilu;
  k.x = {x.data(), L * D, D}, k.weight = weight.data(), k.out = target(wanted.data(), L, D);
  CHECK(cpu_kernels()->causal_conv1d(k) == Status::kOk);
  check_same(out, wanted, "conv");

  statespace_causal_conv1d_backward_args back = {};
  back.size = sizeof back;
  back.activation = STATESPACE_SILU;
  back.x = a.x, back.weight = a.weight, back.grad_out = tensor_of(grad_out, {B, L, D});
  back.grad_weight = target_of(grad, {D, W});
  CHECK(Interface().causal_conv1d_backward(&back) == STATESPACE_OK);
  CausalConv1dBackwardArgs kb;
  static_cast<CausalConv1dInputs&>(kb) = k;
  kb.grad_out = {grad_out.data(), L * D, D}, kb.grad_weight = wanted_grad.data();
  CHECK(cpu_kernels()->causal_conv1d_backward(kb) == Status::kOk);
  check_same(grad, wanted_grad, "grad_weight");
}

void test_ssd() {
  constexpr int64_t H = 4, P = 3, G = 2;
  Random random(10);
  const auto x = random.floats(B * L * H * P), dt = random.floats(B * L * H), A = random.floats(H, -1, 0),
             A_states = random.floats(H * N, -1, 0), Bs = random.floats(B * L * G * N), C = random.floats(B * L * G * N),
             skip = random.floats(H * P), grad_out = random.floats(B * L * H * P);
  const auto give = [&](auto& a) {
    a.size = sizeof a;
    a.dt_softplus = 1;
    a.has_dt_limit = 1, a.dt_min = 0.5, a.dt_max = 1;
    a.chunk_size = 8;
    a.x = tensor_of(x, {B, L, H, P}), a.dt = tensor_of(dt, {B, L, H}), a.A = tensor_of(A, {H});
    a.B = tensor_of(Bs, {B, L, G, N}), a.C = tensor_of(C, {B, L, G, N}), a.D = tensor_of(skip, {H, P});
  };
  const auto give_kernel = [&](auto& k) {
    k.batch = B, k.seq_len = L, k.n_heads = H, k.head_dim = P, k.d_state = N, k.n_groups = G, k.chunk_size = 8;
    k.x = {x.data(), L * H * P, H * P}, k.dt = {dt.data(), L * H, H}, k.A = A.data();
    k.B = {Bs.data(), L * G * N, G * N}, k.C = {C.data(), L * G * N, G * N};
    k.D = skip.data(), k.d_has_head_dim = true, k.dt_softplus = true, k.dt_min = 0.5f, k.dt_max = 1;
  };
  Output out(B * L * H * P), wanted(B * L * H * P), states(B * H * P * N), wanted_states(B * H * P * N);
  statespace_ssd_chunk_scan_args a = {};
  give(a);
  a.out = target_of(out, {B, L, H, P});
  a.final_states = target_of(states, {B, H, P, N});
  CHECK(Interface().ssd_chunk_scan(&a) == STATESPACE_OK);
  SsdChunkScanArgs k;
  give_kernel(k);
  k.out = target(wanted.data(), L, H * P);
  k.final_states = wanted_states.data();
  CHECK(cpu_kernels()->ssd_chunk_scan(k) == Status::kOk);
  check_same(out, wanted, "ssd");
  check_same(states, wanted_states, "final states");

  Output diagonal(B * L * H * P), wanted_diagonal(B * L * H * P);
  a.A = tensor_of(A_states, {H, N});
  a.out = target_of(diagonal, {B, L, H, P});
  a.final_states = {};
  CHECK(refused(Interface().ssd_chunk_scan(&a), STATESPACE_WRONG_SHAPE, "ssd_chunk_scan: A"));
  CHECK(Interface().diagonal_ssd(&a) == STATESPACE_OK);
  DiagonalSsdArgs d;
  give_kernel(d);
  d.A = A_states.data();
  d.out = target(wanted_diagonal.data(), L, H * P);
  CHECK(cpu_kernels()->diagonal_ssd(d) == Status::kOk);
  check_same(diagonal, wanted_diagonal, "diagonal ssd");

  Output grad(B * L * G * N), wanted_grad(B * L * G * N);
  statespace_ssd_chunk_scan_backward_args back = {};
  give(back);
  back.grad_out = tensor_of(grad_out, {B, L, H, P});
  back.grad_B = target_of(grad, {B, L, G, N});
  CHECK(Interface().ssd_chunk_scan_backward(&back) == STATESPACE_OK);
  SsdChunkScanBackwardArgs kb;
  give_kernel(kb);
  kb.grad_out = {grad_out.data(), L * H * P, H * P};
  kb.grad_B = target(wanted_grad.data(), L, G * N);
  CHECK(cpu_kernels()->ssd_chunk_scan_backward(kb) == Status::kOk);
  check_same(grad, wanted_grad, "grad_B");

  Output grad_rates(H * N), wanted_rates(H * N);
  back.A = tensor_of(A_states, {H, N});
  back.grad_B = {};
  back.grad_A = target_of(grad_rates, {H, N});
  CHECK(Interface().diagonal_ssd_backward(&back) == STATESPACE_OK);
  DiagonalSsdBackwardArgs db;
  give_kernel(db);
  db.A = A_states.data();
  db.grad_out = kb.grad_out;
  db.grad_A = wanted_rates.data();
  CHECK(cpu_kernels()->diagonal_ssd_backward(db) == Status::kOk);
  check_same(grad_rates, wanted_rates, "grad_A of the diagonal ssd");
}

/// One step from the state after L - 1 steps is the last step of the scan.
void test_updates() {
  const TableScan given;
  Output out(B * L * D), state(B * D * N), step(B * D);
  statespace_selective_scan_args a = {};
  given.give(a);
  a.C = tensor_of(given.Bs, {B, L, N});
  a.out = target_of(out, {B, L, D});
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  for (statespace_tensor* tensor : {&a.u, &a.delta, &a.B, &a.C, &a.z, &a.out}) tensor->shape[1] = L - 1;
  a.last_state = target_of(state, {B, D, N});
  Output before(B * L * D);
  a.out.data = before.data();
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);

  statespace_selective_state_update_args u = {};
  u.size = sizeof u;
  u.dt_softplus = 1;
  const auto last = [](const std::vector<float>& values, int64_t width) {
    statespace_tensor tensor = tensor_of(values, {B, width});
    tensor.data = const_cast<float*>(values.data()) + (L - 1) * width;
    tensor.strides[0] = L * width;
    return tensor;
  };
  u.state = target_of(state, {B, D, N});
  u.x = last(given.u, D), u.dt = last(given.delta, D), u.z = last(given.z, D);
  u.B = last(given.Bs, N), u.C = last(given.Bs, N);
  u.A = a.A, u.D = a.D, u.dt_bias = a.delta_bias;
  u.out = target_of(step, {B, D});
  CHECK(Interface().selective_state_update(&u) == STATESPACE_OK);
  CHECK(step.intact() && state.intact());
  for (int64_t b = 0; b < B; ++b) {
    std::vector<double> wanted;
    for (int64_t d = 0; d < D; ++d) wanted.push_back(out.data()[(b * L + L - 1) * D + d]);
    CHECK_CLOSE(step.data() + b * D, wanted.data(), D, 2e-6, "update");  // two float32 sums of N terms
  }

  constexpr int64_t W = 4;
  std::vector<float> conv_state(static_cast<size_t>(B * D * (W - 1)), 0.5f);
  const std::vector<float> weight(static_cast<size_t>(D * W), 0.25f), x(static_cast<size_t>(B * D), 2.5f);
  statespace_causal_conv1d_update_args c = {};
  c.size = sizeof c;
  c.x = tensor_of(x, {B, 1, D});
  c.conv_state = tensor_of(conv_state, {B, D, W - 1});
  c.weight = tensor_of(weight, {D, W});
  c.out = target_of(step, {B, 1, D});
  CHECK(Interface().causal_conv1d_update(&c) == STATESPACE_OK);
  CHECK(step.data()[0] == 1.0f && step.data()[B * D - 1] == 1.0f);
  CHECK(conv_state[0] == 0.5f && conv_state[W - 2] == 2.5f);
}

template <typename Real>
statespace_tensor f64_tensor(const std::vector<Real>& values, std::initializer_list<int64_t> sizes) {
  statespace_tensor tensor = tensor_of({}, sizes);
  tensor.data = const_cast<Real*>(values.data());
  tensor.dtype = sizeof(Real) == sizeof(double) ? STATESPACE_F64 : STATESPACE_F32;
  return tensor;
}

/// The forms in double: what the kernels give, and no tensor of another arithmetic beside them.
void test_float64() {
  Random random(13);
  const auto x = random.numbers<double>(B * D), dt = random.numbers<double>(B * D, 0, 1);
  const auto A = random.numbers<double>(D * N, -1, 0), Bs = random.numbers<double>(B * N);
  const auto state = random.numbers<double>(B * D * N);
  const auto narrow = random.floats(B * D * N);
  std::vector<double> ours = state, wanted = state;
  OutputOf<double> out(B * D), wanted_out(B * D);
  statespace_selective_state_update_args u = {};
  u.size = sizeof u;
  u.state = f64_tensor(ours, {B, D, N});
  u.x = f64_tensor(x, {B, D}), u.dt = f64_tensor(dt, {B, D}), u.A = f64_tensor(A, {D, N});
  u.B = f64_tensor(Bs, {B, N}), u.C = u.B, u.out = f64_tensor(std::vector<double>{}, {B, D});
  u.out.data = out.data();
  CHECK(Interface().selective_state_update(&u) == STATESPACE_OK);
  SelectiveStateUpdateArgsOf<double> k;
  k.batch = B, k.n_heads = D, k.head_dim = 1, k.d_state = N, k.state_rows = B, k.a_has_state = true;
  k.state = wanted.data(), k.x = x.data(), k.dt = dt.data(), k.A = A.data(), k.B = k.C = Bs.data();
  k.out = wanted_out.data();
  k.x_batch_stride = k.dt_batch_stride = D, k.b_batch_stride = k.c_batch_stride = N;
  CHECK(cpu_kernels()->selective_state_update_f64(k) == Status::kOk);
  CHECK(out.intact() && ours == wanted);
  CHECK_SAME_BITS(out.data(), wanted_out.data(), B * D, "update in double");
  u.state = f64_tensor(narrow, {B, D, N});
  CHECK(refused(Interface().selective_state_update(&u), STATESPACE_WRONG_DTYPE, "selective_state_update: state"));

  constexpr int64_t W = 3;
  const auto weight = random.numbers<double>(D * W);
  std::vector<double> conv_state(static_cast<size_t>(B * D * W), 0.5);
  statespace_causal_conv1d_update_args c = {};
  c.size = sizeof c;
  c.x = f64_tensor(x, {B, 1, D}), c.conv_state = f64_tensor(conv_state, {B, D, W}), c.weight = f64_tensor(weight, {D, W});
  c.out = u.out, c.out.rank = 3, c.out.shape[1] = 1, c.out.shape[2] = D, c.out.strides[2] = 1;
  CHECK(Interface().causal_conv1d_update(&c) == STATESPACE_OK);
  CHECK(std::fabs(out.data()[0] - (0.5 * (weight[0] + weight[1]) + weight[2] * x[0])) < 1e-15);
  CHECK(out.intact() && conv_state[W - 1] == x[0]);
  c.x.dtype = STATESPACE_F32;
  CHECK(refused(Interface().causal_conv1d_update(&c), STATESPACE_WRONG_DTYPE, "causal_conv1d_update: x"));
}

void test_sgemm() {
  constexpr int64_t M = 9, K = 17, columns = 13;
  Random random(11);
  const auto a = random.floats(M * K), b = random.floats(K * columns), bias = random.floats(columns);
  std::vector<double> wanted;
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double sum = static_cast<double>(bias[j]);
      for (int64_t k = 0; k < K; ++k) sum += static_cast<double>(a[i * K + k]) * static_cast<double>(b[k * columns + j]);
      wanted.push_back(sum);
    }
  }
  const auto transposed = [](const std::vector<float>& matrix, int64_t rows, int64_t cols) {
    std::vector<float> turned(matrix.size());
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) turned[j * rows + i] = matrix[i * cols + j];
    }
    return turned;
  };
  const auto a_turned = transposed(a, M, K), b_turned = transposed(b, K, columns);
  for (const int form : {0, 1, 2}) {
    Output out(M * columns);
    statespace_sgemm_args g = {};
    g.size = sizeof g;
    g.transpose_a = form == 2, g.transpose_b = form == 1;
    g.a = form == 2 ? tensor_of(a_turned, {K, M}) : tensor_of(a, {M, K});
    g.b = form == 1 ? tensor_of(b_turned, {columns, K}) : tensor_of(b, {K, columns});
    g.out = target_of(out, {M, columns});
    g.bias = tensor_of(bias, {columns});
    CHECK(Interface().sgemm(&g) == STATESPACE_OK);
    CHECK(out.intact());
    CHECK_CLOSE(out.data(), wanted.data(), M * columns, 1e-6, "sgemm");  // float32 sums of 17 terms
    g.activation = STATESPACE_SILU, g.accumulate = 1;
    CHECK(refused(Interface().sgemm(&g), STATESPACE_BAD_OPTION, "sgemm"));
  }
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  test_selective_scan();
  test_selective_scan_backward();
  test_causal_conv1d();
  test_ssd();
  test_updates();
  test_float64();
  test_sgemm();
  return finish("c_interface");
}
