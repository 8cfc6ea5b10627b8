/// cuBLASLt, found and loaded when it is first asked for: what matrix products need of its C interface, so that nothing
/// of it must be there when this is compiled or started.
///
/// Source: cublasLt.h of CUDA 12 and 13, which agree in all that stands here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace statespace::cuda {

/// cublasLtMatmulHeuristicResult_t
struct CublasLtChoice {
  uint64_t algorithm[8];
  size_t workspace_bytes;
  int state;
  float waves;
  int reserved[4];
};

/// The functions, which answer 0 for success. Handles and descriptors are opaque pointers.
struct CublasLt {
  int (*create)(void** handle);
  int (*operation_create)(void** operation, int compute_type, int scale_type);
  int (*operation_destroy)(void* operation);
  int (*operation_set)(void* operation, int attribute, const void* value, size_t bytes);
  int (*layout_create)(void** layout, int type, uint64_t rows, uint64_t cols, int64_t column_stride);
  int (*layout_destroy)(void* layout);
  int (*layout_set)(void* layout, int attribute, const void* value, size_t bytes);
  int (*preference_create)(void** preference);
  int (*preference_destroy)(void* preference);
  int (*preference_set)(void* preference, int attribute, const void* value, size_t bytes);
  int (*choose)(void* handle, void* operation, void* a, void* b, void* c, void* d, void* preference, int wanted,
                CublasLtChoice* choices, int* found);
  int (*multiply)(void* handle, void* operation, const void* alpha, const void* a, void* a_layout, const void* b,
                  void* b_layout, const void* beta, const void* c, void* c_layout, void* d, void* d_layout,
                  const void* algorithm, void* workspace, size_t workspace_bytes, void* stream);
};

/// Values of the library's enumerations.
inline constexpr int kCublasCompute32F = 68;
inline constexpr int kCublasReal32F = 0;
inline constexpr int kCublasOperationPointerMode = 2;
inline constexpr int kCublasOperationTransposeA = 3;
inline constexpr int kCublasOperationTransposeB = 4;
inline constexpr int kCublasOperationEpilogue = 7;
inline constexpr int kCublasOperationBias = 8;
inline constexpr int kCublasLayoutBatchCount = 5;
inline constexpr int kCublasLayoutBatchStride = 6;
inline constexpr int kCublasPreferenceWorkspaceBytes = 1;
/// Of a; those of b, c and d follow.
inline constexpr int kCublasPreferenceAlignmentA = 5;
inline constexpr int32_t kCublasPointersOfDevice = 1;
inline constexpr int32_t kCublasTransposed = 1;
inline constexpr int32_t kCublasEpilogueBias = 4;

/// Null where the library is not to be had or was turned off. Never loaded under emulation.
const CublasLt* cublas_lt() noexcept;

/// The library's handle for the device of the calling thread, made when it is first asked for and kept; null where it
/// could not be made.
void* cublas_lt_handle(const CublasLt& functions) noexcept;

/// Why the library is not used, for messages: it is not there, or made no handle. Empty otherwise; valid until the
/// thread asks again.
const char* cublas_lt_absence() noexcept;

/// Puts other functions in the library's place, or none: the kernels of gemm.cu then compute all products. For tests
/// and measurements.
void set_cublas_lt(const CublasLt* functions) noexcept;

/// Takes the functions from the first of `names` that can be loaded and has them all. False when there is none: the
/// reasons are written to `reason` then.
bool load_cublas_lt(const char* const* names, int count, CublasLt& functions, char* reason,
                    size_t reason_size) noexcept;

}  // namespace statespace::cuda
