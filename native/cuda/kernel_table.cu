#include "device_memory.h"
#include "kernels.h"

/// The kernels that there are, one line each: X(function, argument structure).
#define STATESPACE_CUDA_KERNELS(X)                           \
  X(unary, UnaryArgs)                                        \
  X(unary_backward, UnaryBackwardArgs)                       \
  X(binary, BinaryArgs)                                      \
  X(affine, AffineArgs)                                      \
  X(copy, CopyArgs)                                          \
  X(accumulate, AccumulateArgs)                              \
  X(fill, FillArgs)                                          \
  X(reduce, ReduceArgs)                                      \
  X(argmax, ArgmaxArgs)                                      \
  X(grad_norm, GradNormArgs)                                 \
  X(adamw, AdamWArgs)                                        \
  X(rms_norm, RmsNormArgs)                                   \
  X(rms_norm_backward, RmsNormBackwardArgs)                  \
  X(layer_norm, LayerNormArgs)                               \
  X(layer_norm_backward, LayerNormBackwardArgs)              \
  X(softmax, SoftmaxArgs)                                    \
  X(softmax_backward, SoftmaxBackwardArgs)                   \
  X(cross_entropy, CrossEntropyArgs)                         \
  X(cross_entropy_backward, CrossEntropyBackwardArgs)        \
  X(embedding, EmbeddingArgs)                                \
  X(embedding_backward, EmbeddingBackwardArgs)               \
  X(random, RandomArgs)                                      \
  X(dropout, DropoutArgs)                                    \
  X(selective_scan, SelectiveScanArgs)                       \
  X(selective_scan_backward, SelectiveScanBackwardArgs)      \
  X(selective_scan_c64, SelectiveScanArgs)                   \
  X(selective_scan_backward_c64, SelectiveScanBackwardArgs)  \
  X(causal_conv1d, CausalConv1dArgs)                         \
  X(causal_conv1d_backward, CausalConv1dBackwardArgs)        \
  X(ssd_chunk_scan, SsdChunkScanArgs)                        \
  X(ssd_chunk_scan_backward, SsdChunkScanBackwardArgs)       \
  X(selective_state_update, SelectiveStateUpdateArgs)        \
  X(causal_conv1d_update, CausalConv1dUpdateArgs)            \
  X(gemm, GemmArgs)                                          \
  X(linear_cross_entropy, LinearCrossEntropyArgs)

namespace statespace::cuda {
namespace {

#define STATESPACE_WAITING(name, Args)                          \
  Status waiting_##name(const Args& args) noexcept {            \
    const Status status = name(args);                           \
    return status == Status::kOk ? synchronize() : status;      \
  }
STATESPACE_CUDA_KERNELS(STATESPACE_WAITING)
#undef STATESPACE_WAITING

}  // namespace

const KernelTable* cuda_kernels() noexcept {
  static constexpr KernelTable table = [] {
    KernelTable all{};
    all.isa = "cuda";
#define STATESPACE_ENTRY(name, Args) all.name = name;
    STATESPACE_CUDA_KERNELS(STATESPACE_ENTRY)
#undef STATESPACE_ENTRY
    return all;
  }();
  return &table;
}

const KernelTable* waiting_cuda_kernels() noexcept {
  static constexpr KernelTable table = [] {
    KernelTable all{};
    all.isa = "cuda";
#define STATESPACE_ENTRY(name, Args) all.name = waiting_##name;
    STATESPACE_CUDA_KERNELS(STATESPACE_ENTRY)
#undef STATESPACE_ENTRY
    return all;
  }();
  return &table;
}

}  // namespace statespace::cuda
