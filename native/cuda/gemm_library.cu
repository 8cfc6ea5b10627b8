/// Matrix products by cuBLASLt, which sees matrices by columns: out^T = op(b)^T op(a)^T, so that b comes first and a
/// bias of columns is one of rows. Sums are float32 sums of float32 products.
#include "gemm_library.h"

#include "activations.h"
#include "cublas_lt.h"
#include "device_indices.h"
#include "launch.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;
constexpr uint64_t kMostWorkspace = uint64_t{32} << 20;

/// alpha and beta on the device: 0 and 1 where the call was refused, so that out keeps its numbers.
__global__ void product_scales_kernel(float* scales, const int32_t* refused, float beta) {
  if (threadIdx.x != 0) return;
  const bool writes = !is_refused(refused);
  scales[0] = writes ? 1.0f : 0.0f;
  scales[1] = writes ? beta : 1.0f;
}

/// out = activation(out + bias)
__global__ void __launch_bounds__(kThreads) gemm_epilogue_kernel(const GemmArgs args, const int32_t* refused) {
  if (is_refused(refused)) return;
  const int64_t count = args.batch * args.m * args.n, threads = gridDim.x * int64_t{kThreads};
  for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < count; i += threads) {
    const int64_t col = i % args.n, row = i / args.n % args.m, member = i / (args.m * args.n);
    float& out = args.out[member * args.out_batch_stride + row * args.out_row_stride + col];
    const float sum = args.bias != nullptr ? out + args.bias[col] : out;
    out = args.activation == Activation::kSilu ? silu(sum) : sum;
  }
}

struct Descriptors {
  const CublasLt& lt;
  void* operation = nullptr;
  void* a = nullptr;
  void* b = nullptr;
  void* out = nullptr;
  void* preference = nullptr;

  explicit Descriptors(const CublasLt& functions) : lt(functions) {}
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors() {
    if (operation != nullptr) lt.operation_destroy(operation);
    for (void* layout : {a, b, out}) {
      if (layout != nullptr) lt.layout_destroy(layout);
    }
    if (preference != nullptr) lt.preference_destroy(preference);
  }

  template <typename Value>
  bool set_operation(int attribute, Value value) const {
    return lt.operation_set(operation, attribute, &value, sizeof value) == 0;
  }
  template <typename Value>
  bool set_preference(int attribute, Value value) const {
    return lt.preference_set(preference, attribute, &value, sizeof value) == 0;
  }
  bool make_layout(void*& layout, int64_t rows, int64_t cols, int64_t step, int64_t batch, int64_t batch_stride) const {
    if (step < rows) return false;
    const auto count = static_cast<int32_t>(batch);
    return lt.layout_create(&layout, kCublasReal32F, static_cast<uint64_t>(rows), static_cast<uint64_t>(cols), step) ==
               0 &&
           lt.layout_set(layout, kCublasLayoutBatchCount, &count, sizeof count) == 0 &&
           lt.layout_set(layout, kCublasLayoutBatchStride, &batch_stride, sizeof batch_stride) == 0;
  }
};

/// The largest power of two up to 256 that divides all of a matrix's places.
uint32_t alignment_of(const float* data, int64_t row_stride, int64_t batch_stride) {
  const auto bits = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(data)) |
                    static_cast<uint64_t>(row_stride | batch_stride) * sizeof(float) | 256u;
  return static_cast<uint32_t>(bits & (~bits + 1));
}

bool describe(Descriptors& d, const GemmArgs& args, bool bias, bool scales_on_device) {
  const int64_t a_rows = args.transpose_a ? args.k : args.m, a_cols = args.transpose_a ? args.m : args.k;
  const int64_t b_rows = args.transpose_b ? args.n : args.k, b_cols = args.transpose_b ? args.k : args.n;
  bool ok = d.lt.operation_create(&d.operation, kCublasCompute32F, kCublasReal32F) == 0 &&
            d.lt.preference_create(&d.preference) == 0 &&
            d.make_layout(d.b, b_cols, b_rows, args.b_row_stride, args.batch, args.b_batch_stride) &&
            d.make_layout(d.a, a_cols, a_rows, args.a_row_stride, args.batch, args.a_batch_stride) &&
            d.make_layout(d.out, args.n, args.m, args.out_row_stride, args.batch, args.out_batch_stride);
  if (ok && args.transpose_b) ok = d.set_operation(kCublasOperationTransposeA, kCublasTransposed);
  if (ok && args.transpose_a) ok = d.set_operation(kCublasOperationTransposeB, kCublasTransposed);
  if (ok && scales_on_device) ok = d.set_operation(kCublasOperationPointerMode, kCublasPointersOfDevice);
  if (ok && bias) {
    ok = d.set_operation(kCublasOperationEpilogue, kCublasEpilogueBias) &&
         d.set_operation(kCublasOperationBias, static_cast<const void*>(args.bias));
  }
  const uint32_t of_out = alignment_of(args.out, args.out_row_stride, args.out_batch_stride);
  const uint32_t alignments[] = {alignment_of(args.b, args.b_row_stride, args.b_batch_stride),
                                 alignment_of(args.a, args.a_row_stride, args.a_batch_stride), of_out, of_out};
  ok = ok && d.set_preference(kCublasPreferenceWorkspaceBytes, kMostWorkspace);
  for (int i = 0; i < 4 && ok; ++i) ok = d.set_preference(kCublasPreferenceAlignmentA + i, alignments[i]);
  return ok;
}

}  // namespace

Status library_gemm(const int32_t* refused, const GemmArgs& args) noexcept {
  if (args.k == 0 || args.batch > INT32_MAX) return Status::kUnsupported;
  const CublasLt* lt = cublas_lt();
  if (lt == nullptr) return Status::kUnsupported;
  void* const handle = cublas_lt_handle(*lt);
  if (handle == nullptr) return Status::kUnsupported;
  // The library adds a bias itself, before which no activation stands, where its kernels can read 16 bytes at a time.
  const bool silu_at_end = args.activation == Activation::kSilu;
  const bool bias_inside = args.bias != nullptr && !silu_at_end && refused == nullptr &&
                           reinterpret_cast<uintptr_t>(args.bias) % 16 == 0;
  Descriptors d(*lt);
  if (!describe(d, args, bias_inside, refused != nullptr)) return Status::kUnsupported;
  CublasLtChoice choice = {};
  int found = 0;
  if (lt->choose(handle, d.operation, d.b, d.a, d.out, d.out, d.preference, 1, &choice, &found) != 0 || found < 1 ||
      choice.state != 0) {
    return Status::kUnsupported;
  }
  DeviceScratch workspace, scales;
  void* const memory = workspace.take<char>(static_cast<int64_t>(choice.workspace_bytes));
  if (workspace.status() != Status::kOk) return workspace.status();
  const float beta = args.accumulate ? 1.0f : 0.0f, host_scales[] = {1.0f, beta};
  const float* alpha_beta = host_scales;
  if (refused != nullptr) {
    float* const on_device = scales.take<float>(2);
    if (on_device == nullptr) return scales.status();
    const Status status = launch(product_scales_kernel, {1, kWarpSize, 0}, on_device, refused, beta);
    if (status != Status::kOk) return status;
    alpha_beta = on_device;
  }
#if defined(__CUDACC__)
  void* const stream = current_stream();
#else
  void* const stream = nullptr;
#endif
  if (lt->multiply(handle, d.operation, alpha_beta, args.b, d.b, args.a, d.a, alpha_beta + 1, args.out, d.out, args.out,
                   d.out, choice.algorithm, memory, choice.workspace_bytes, stream) != 0) {
    return Status::kUnsupported;
  }
  if (!silu_at_end && (args.bias == nullptr || bias_inside)) return Status::kOk;
  const int64_t blocks = ceil_divide<int64_t>(args.batch * args.m * args.n, kThreads);
  return launch(gemm_epilogue_kernel, {blocks_for(blocks), kThreads, 0}, args, refused);
}

}  // namespace statespace::cuda
