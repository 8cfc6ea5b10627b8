/// What the tests of the C interface share: tensors of vectors, statuses as text, and one selective scan.
#pragma once

#include <string>
#include <vector>

#include "check.h"
#include "interface.h"
#include "status.h"

namespace statespace::test {

using c_interface::Interface;

inline std::string message_of(int32_t status) {
  char text[256];
  return Interface().status_message(status, text, sizeof text);
}

inline bool refused(int32_t status, int32_t reason, const char* where) {
  const bool right = STATESPACE_REASON(status) == reason && message_of(status).starts_with(std::string(where) + ": ");
  if (!right) report_failure(where, reason, message_of(status).c_str());
  return right;
}

inline statespace_tensor tensor_of(const std::vector<float>& values, std::initializer_list<int64_t> sizes) {
  const std::vector<int64_t> shape(sizes);
  return statespace_make_tensor(const_cast<float*>(values.data()), STATESPACE_F32, static_cast<int32_t>(shape.size()),
                                shape.data());
}

inline statespace_tensor target_of(Output& output, std::initializer_list<int64_t> sizes) {
  const std::vector<int64_t> shape(sizes);
  return statespace_make_tensor(output.data(), STATESPACE_F32, static_cast<int32_t>(shape.size()), shape.data());
}

/// Sizes of `TableScan`.
inline constexpr int64_t B = 2, L = 21, D = 6, N = 5;

/// A selective scan with every option that takes a tensor, as arguments of the interface and of the kernel.
struct TableScan {
  Random random{7};
  std::vector<float> u = random.floats(B * L * D), delta = random.floats(B * L * D), A = random.floats(D * N, -1, 0),
                     Bs = random.floats(B * L * N), C = random.floats(B * L * 2 * N), D_ = random.floats(D),
                     z = random.floats(B * L * D), bias = random.floats(D), state = random.floats(B * D * N);

  template <typename Args>
  void give(Args& a) const {
    a.size = sizeof a;
    a.delta_softplus = 1;
    a.u = tensor_of(u, {B, L, D});
    a.delta = tensor_of(delta, {B, L, D});
    a.A = tensor_of(A, {D, N});
    a.B = tensor_of(Bs, {B, L, N});
    a.C = tensor_of(C, {B, L, 2, N});
    a.D = tensor_of(D_, {D});
    a.z = tensor_of(z, {B, L, D});
    a.delta_bias = tensor_of(bias, {D});
    a.initial_state = tensor_of(state, {B, D, N});
  }
  void give_kernel(SelectiveScanInputs& a) const {
    a.batch = B, a.seq_len = L, a.dim = D, a.d_state = N, a.c_groups = 2;
    a.u = {u.data(), L * D, D}, a.delta = {delta.data(), L * D, D}, a.z = {z.data(), L * D, D};
    a.A = A.data(), a.D = D_.data(), a.delta_bias = bias.data(), a.initial_state = state.data();
    a.B = {Bs.data(), L * N, N}, a.C = {C.data(), L * 2 * N, 2 * N, N};
    a.delta_softplus = true;
  }
};

}  // namespace statespace::test
