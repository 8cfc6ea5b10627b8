#include "cublas_lt_stand_in.h"

#include <cstring>

#include "check.h"
#include "cublas_lt.h"

namespace statespace::test {
namespace {

using namespace statespace::cuda;

constexpr uint64_t kAlgorithm = 0x5eed;
constexpr size_t kWorkspaceBytes = 256;
constexpr int kFailure = 14;

struct Operation {
  int32_t transpose_a = 0;
  int32_t transpose_b = 0;
  int32_t pointer_mode = 0;
  int32_t epilogue = 1;
  const float* bias = nullptr;
};

struct Layout {
  int64_t rows, cols, step;
  int32_t batch = 1;
  int64_t batch_stride = 0;
};

struct Preference {
  uint64_t workspace_bytes = 0;
  uint32_t alignments[4] = {256, 256, 256, 256};
};

struct State {
  int64_t products = 0;
  int64_t alive = 0;
  bool finds = true;
  bool fails = false;
  uint32_t alignments[4] = {};
} state;

template <typename Value>
int set(Value& to, const void* value, size_t bytes) {
  if (bytes != sizeof to) return kFailure;
  std::memcpy(&to, value, bytes);
  return 0;
}

int create(void** handle) {
  *handle = &state;
  return 0;
}

int create_nothing(void**) { return kFailure; }

int operation_create(void** operation, int compute_type, int scale_type) {
  CHECK(compute_type == 68 && scale_type == 0);
  *operation = new Operation;
  ++state.alive;
  return 0;
}

int operation_set(void* operation, int attribute, const void* value, size_t bytes) {
  auto& o = *static_cast<Operation*>(operation);
  switch (attribute) {
    case 2:
      return set(o.pointer_mode, value, bytes);
    case 3:
      return set(o.transpose_a, value, bytes);
    case 4:
      return set(o.transpose_b, value, bytes);
    case 7:
      return set(o.epilogue, value, bytes);
    case 8:
      return set(o.bias, value, bytes);
    default:
      return kFailure;
  }
}

int layout_create(void** layout, int type, uint64_t rows, uint64_t cols, int64_t step) {
  CHECK(type == 0);
  *layout = new Layout{static_cast<int64_t>(rows), static_cast<int64_t>(cols), step};
  ++state.alive;
  return 0;
}

int layout_set(void* layout, int attribute, const void* value, size_t bytes) {
  auto& l = *static_cast<Layout*>(layout);
  return attribute == 5   ? set(l.batch, value, bytes)
         : attribute == 6 ? set(l.batch_stride, value, bytes)
                          : kFailure;
}

int preference_create(void** preference) {
  *preference = new Preference;
  ++state.alive;
  return 0;
}

int preference_set(void* preference, int attribute, const void* value, size_t bytes) {
  auto& p = *static_cast<Preference*>(preference);
  if (attribute == 1) return set(p.workspace_bytes, value, bytes);
  return attribute >= 5 && attribute <= 8 ? set(p.alignments[attribute - 5], value, bytes) : kFailure;
}

template <typename Object>
int destroy(void* object) {
  delete static_cast<Object*>(object);
  --state.alive;
  return 0;
}

/// Whether sizes agree: d (m, n) = op(a) (m, k) op(b) (k, n).
bool agree(const Operation& o, const Layout& a, const Layout& b, const Layout& d) {
  const int64_t m = o.transpose_a ? a.cols : a.rows, k = o.transpose_a ? a.rows : a.cols;
  const int64_t k_of_b = o.transpose_b ? b.cols : b.rows, n = o.transpose_b ? b.rows : b.cols;
  bool ok = m == d.rows && n == d.cols && k == k_of_b && a.batch == d.batch && b.batch == d.batch;
  for (const Layout* l : {&a, &b, &d}) ok &= l->rows > 0 && l->cols > 0 && l->step >= l->rows;
  return ok;
}

int choose(void* handle, void* operation, void* a, void* b, void* c, void* d, void* preference, int wanted,
           CublasLtChoice* choices, int* found) {
  CHECK(handle == &state && c == d && wanted == 1);
  const auto& p = *static_cast<Preference*>(preference);
  CHECK(p.workspace_bytes >= kWorkspaceBytes);
  std::memcpy(state.alignments, p.alignments, sizeof state.alignments);
  CHECK(agree(*static_cast<Operation*>(operation), *static_cast<Layout*>(a), *static_cast<Layout*>(b),
              *static_cast<Layout*>(d)));
  *found = state.finds ? 1 : 0;
  choices[0] = {{kAlgorithm}, kWorkspaceBytes, 0, 1.0f, {}};
  return 0;
}

bool aligned(const float* data, const Layout& layout, uint32_t alignment) {
  const auto bytes = static_cast<int64_t>(alignment);
  return reinterpret_cast<uintptr_t>(data) % alignment == 0 && layout.step * 4 % bytes == 0 &&
         layout.batch_stride * 4 % bytes == 0;
}

int multiply(void*, void* operation, const void* alpha, const void* a, void* a_layout, const void* b, void* b_layout,
             const void* beta, const void* c, void*, void* d, void* d_layout, const void* algorithm, void* workspace,
             size_t workspace_bytes, void*) {
  if (state.fails) return kFailure;
  ++state.products;
  const auto& o = *static_cast<Operation*>(operation);
  const auto& of_a = *static_cast<Layout*>(a_layout);
  const auto& of_b = *static_cast<Layout*>(b_layout);
  const auto& of_d = *static_cast<Layout*>(d_layout);
  const auto* left = static_cast<const float*>(a);
  const auto* right = static_cast<const float*>(b);
  auto* out = static_cast<float*>(d);
  CHECK(c == d && *static_cast<const uint64_t*>(algorithm) == kAlgorithm);
  CHECK(workspace != nullptr && workspace_bytes == kWorkspaceBytes);
  CHECK(aligned(left, of_a, state.alignments[0]) && aligned(right, of_b, state.alignments[1]));
  CHECK(aligned(out, of_d, state.alignments[2]) && aligned(out, of_d, state.alignments[3]));
  CHECK((o.epilogue == 4) == (o.bias != nullptr));
  const auto scale = static_cast<double>(*static_cast<const float*>(alpha));
  const auto keep = static_cast<double>(*static_cast<const float*>(beta));
  const int64_t depth = o.transpose_a ? of_a.rows : of_a.cols;
  for (int64_t g = 0; g < of_d.batch; ++g) {
    for (int64_t col = 0; col < of_d.cols; ++col) {
      for (int64_t row = 0; row < of_d.rows; ++row) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k) {
          const int64_t at = o.transpose_a ? k + row * of_a.step : row + k * of_a.step;
          const int64_t bt = o.transpose_b ? col + k * of_b.step : k + col * of_b.step;
          sum += static_cast<double>(left[g * of_a.batch_stride + at]) *
                 static_cast<double>(right[g * of_b.batch_stride + bt]);
        }
        float& to = out[g * of_d.batch_stride + row + col * of_d.step];
        sum *= scale;
        if (keep != 0) sum += keep * static_cast<double>(to);
        if (o.bias != nullptr) sum += static_cast<double>(o.bias[row]);
        to = static_cast<float>(sum);
      }
    }
  }
  return 0;
}

constexpr CublasLt kFunctions = {create,
                                 operation_create,
                                 destroy<Operation>,
                                 operation_set,
                                 layout_create,
                                 destroy<Layout>,
                                 layout_set,
                                 preference_create,
                                 destroy<Preference>,
                                 preference_set,
                                 choose,
                                 multiply};

constexpr CublasLt kWithoutHandles = [] {
  CublasLt functions = kFunctions;
  functions.create = create_nothing;
  return functions;
}();

}  // namespace

CublasLtStandIn::CublasLtStandIn() {
  state = {};
  set_cublas_lt(&kFunctions);
}

CublasLtStandIn::~CublasLtStandIn() { set_cublas_lt(nullptr); }

int64_t CublasLtStandIn::products() const { return state.products; }
int64_t CublasLtStandIn::alive() const { return state.alive; }
void CublasLtStandIn::find_nothing() { state.finds = false; }
void CublasLtStandIn::fail() { state.fails = true; }
void CublasLtStandIn::make_no_handles() { set_cublas_lt(&kWithoutHandles); }

}  // namespace statespace::test
