/// The C interface names what it refuses and writes nothing then, and reads structures of other lengths.
#include <cmath>
#include <cstring>

#include "c_interface_case.h"

namespace statespace::test {
namespace {

void test_refusals() {
  const TableScan given;
  Output out(B * L * D);
  statespace_selective_scan_args good = {};
  given.give(good);
  good.out = target_of(out, {B, L, D});
  const auto expect = [&](int32_t reason, const char* where, const auto& spoil) {
    statespace_selective_scan_args a = good;
    spoil(a);
    CHECK(refused(Interface().selective_scan(&a), reason, where));
  };
  CHECK(refused(Interface().selective_scan(nullptr), STATESPACE_BAD_STRUCT, "selective_scan"));
  expect(STATESPACE_BAD_STRUCT, "selective_scan", [](auto& a) { a.size = 0; });
  expect(STATESPACE_BAD_STRUCT, "selective_scan", [](auto& a) { a.size = sizeof a - 1; });
  expect(STATESPACE_BAD_STRUCT, "selective_scan", [](auto& a) { a.size = SIZE_MAX; });
  expect(STATESPACE_MISSING, "selective_scan: u", [](auto& a) { a.u = {}; });
  expect(STATESPACE_MISSING, "selective_scan: u", [](auto& a) { a.u.data = nullptr; });
  expect(STATESPACE_MISSING, "selective_scan: z", [](auto& a) { a.z.data = nullptr; });
  expect(STATESPACE_MISSING, "selective_scan: out", [](auto& a) { a.out = {}; });
  expect(STATESPACE_WRONG_DTYPE, "selective_scan: delta", [](auto& a) { a.delta.dtype = STATESPACE_I32; });
  expect(STATESPACE_WRONG_DTYPE, "selective_scan: u", [](auto& a) { a.u.dtype = STATESPACE_F64; });
  expect(STATESPACE_WRONG_DTYPE, "selective_scan: A", [](auto& a) { a.A.dtype = 99; });
  expect(STATESPACE_WRONG_SHAPE, "selective_scan: u", [](auto& a) { a.u.rank = 7; });
  expect(STATESPACE_WRONG_SHAPE, "selective_scan: u", [](auto& a) { a.u.shape[1] = -1; });
  expect(STATESPACE_WRONG_SHAPE, "selective_scan: B", [](auto& a) { a.B.shape[2] = N + 1; });
  expect(STATESPACE_WRONG_SHAPE, "selective_scan: D", [](auto& a) { a.D.shape[0] = D - 1; });
  expect(STATESPACE_TOO_LARGE, "selective_scan: u", [](auto& a) { a.u.shape[2] = INT64_MAX; });
  expect(STATESPACE_TOO_LARGE, "selective_scan: u", [](auto& a) { a.u.strides[2] = INT64_MAX; });
  expect(STATESPACE_TOO_LARGE, "selective_scan: u", [](auto& a) { a.u.strides[0] = INT64_MIN; });
  expect(STATESPACE_TOO_LARGE, "selective_scan: A", [](auto& a) { a.A.shape[1] = 257; });
  expect(STATESPACE_BAD_STRIDES, "selective_scan: A", [](auto& a) { a.A.strides[0] = N + 1; });
  expect(STATESPACE_BAD_STRIDES, "selective_scan: out", [](auto& a) { a.out.strides[1] = 0; });
  expect(STATESPACE_BAD_STRIDES, "selective_scan: out", [](auto& a) { a.out.strides[1] = D - 1; });
  expect(STATESPACE_MISALIGNED, "selective_scan: u",
         [](auto& a) { a.u.data = static_cast<char*>(a.u.data) + 2; });
  expect(STATESPACE_OVERLAP, "selective_scan: out", [](auto& a) { a.out.data = a.u.data; });
  expect(STATESPACE_BAD_OPTION, "selective_scan", [](auto& a) { a.delta_softplus = 2; });
  expect(STATESPACE_BAD_OPTION, "selective_scan", [](auto& a) { a.reserved = 1; });
  expect(STATESPACE_BAD_OPTION, "selective_scan", [](auto& a) { a.sequences = 4; });
  expect(STATESPACE_MISSING, "selective_scan: sequence_indices", [](auto& a) { a.sequences = STATESPACE_CU_SEQLENS; });
  expect(STATESPACE_UNSUPPORTED, "selective_scan: checkpoints", [](auto& a) {
    a.A.dtype = STATESPACE_F64;
    a.checkpoints = a.initial_state;
  });
  const int32_t lengths[] = {L, L + 1};
  expect(STATESPACE_BAD_OPTION, "selective_scan: sequence_indices", [&](auto& a) {
    const int64_t two = B;
    a.sequence_indices = statespace_make_tensor(const_cast<int32_t*>(lengths), STATESPACE_I32, 1, &two);
  });
  expect(STATESPACE_BAD_INDEX, "selective_scan: sequence_indices", [&](auto& a) {
    const int64_t two = B;
    a.sequences = STATESPACE_LENGTHS;
    a.sequence_indices = statespace_make_tensor(const_cast<int32_t*>(lengths), STATESPACE_I32, 1, &two);
  });
  // One entry in common, at either end.
  std::vector<float> memory(static_cast<size_t>(2 * B * L * D));
  for (const int64_t apart : {B * L * D, B * L * D - 1}) {
    for (const bool first : {true, false}) {
      statespace_selective_scan_args a = good;
      a.u.data = memory.data() + (first ? apart : 0);
      a.out.data = memory.data() + (first ? 0 : apart);
      const int32_t status = Interface().selective_scan(&a);
      CHECK(apart == B * L * D ? status == STATESPACE_OK
                               : refused(status, STATESPACE_OVERLAP, "selective_scan: out"));
    }
  }
  // The same where negative strides reach below the address.
  expect(STATESPACE_OVERLAP, "selective_scan: out", [&](auto& a) {
    a.u.data = memory.data() + B * L * D + L * D, a.u.strides[0] = -L * D;
    a.out.data = memory.data() + 1;
  });
  CHECK(std::isnan(out.data()[0]));  // refused calls have written nothing

  // Lengths of other versions: shorter by what is optional, and longer by zeros.
  statespace_selective_scan_args a = good;
  a.size -= 2 * sizeof(statespace_tensor);  // last_state and checkpoints
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  a.size -= sizeof(statespace_tensor);
  CHECK(refused(Interface().selective_scan(&a), STATESPACE_MISSING, "selective_scan: out"));
  struct {
    statespace_selective_scan_args known;
    int64_t unknown[3];
  } longer = {good, {}};
  longer.known.size = sizeof longer;
  CHECK(Interface().selective_scan(&longer.known) == STATESPACE_OK);
  longer.unknown[2] = 1;
  CHECK(refused(Interface().selective_scan(&longer.known), STATESPACE_BAD_STRUCT, "selective_scan"));
}

/// The stride of an axis of one entry means nothing, however large; strides of complex tensors count pairs.
void test_strides() {
  Random random(12);
  const auto u = random.floats(L * D), delta = random.floats(L * D, 0, 1), A = random.floats(2 * D * N, -1, 0),
             Bs = random.floats(2 * L * N), C = random.floats(2 * L * N);
  std::vector<float> gaps(3 * Bs.size());
  for (size_t i = 0; i < Bs.size() / 2; ++i) {
    gaps[6 * i] = Bs[2 * i], gaps[6 * i + 1] = Bs[2 * i + 1];
  }
  Output out(L * D), again(L * D);
  statespace_selective_scan_args a = {};
  a.size = sizeof a;
  a.u = tensor_of(u, {1, L, D}), a.delta = tensor_of(delta, {1, L, D}), a.A = tensor_of(A, {D, N});
  a.B = tensor_of(Bs, {1, L, N}), a.C = tensor_of(C, {1, L, N});
  a.A.dtype = a.B.dtype = a.C.dtype = STATESPACE_C64;
  a.out = target_of(out, {1, L, D});
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  a.B.data = gaps.data();
  a.B.strides[0] = INT64_MAX, a.B.strides[1] = 3 * N, a.B.strides[2] = 3;
  a.u.strides[0] = INT64_MIN;
  a.out = target_of(again, {1, L, D});
  CHECK(Interface().selective_scan(&a) == STATESPACE_OK);
  CHECK(again.intact());
  CHECK_SAME_BITS(again.data(), out.data(), out.size(), "complex B with gaps");
}

void test_messages() {
  char text[16];
  CHECK(message_of(STATESPACE_OK) == "ok");
  CHECK(message_of(-5) == "unknown status -5");
  CHECK(message_of(0x7fffffff).starts_with("unknown status"));
  CHECK(std::strlen(Interface().status_message(0x010105, text, sizeof text)) == sizeof text - 1);
  CHECK(std::strcmp(Interface().status_message(5, nullptr, 9), "") == 0);
  CHECK(std::strcmp(Interface().status_message(5, text, 0), "") == 0);
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  test_refusals();
  test_strides();
  test_messages();
  return finish("c_interface_refusal");
}
