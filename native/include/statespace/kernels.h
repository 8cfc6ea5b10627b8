/// The table of all kernels of one instruction set. Every kernel is noexcept, takes one argument structure,
/// checks what memory safety needs, and gives the same bits for every number of threads.
#pragma once

#include "statespace/cross_entropy.h"
#include "statespace/elementwise.h"
#include "statespace/embedding.h"
#include "statespace/gemm.h"
#include "statespace/norm.h"
#include "statespace/optimizer.h"
#include "statespace/random.h"
#include "statespace/reduce.h"
#include "statespace/ssm_kernels.h"
#include "statespace/status.h"

/// The list of dense kernels, one line each: X(function, argument structure).
#define STATESPACE_DENSE_KERNELS(X)                        \
  X(unary, UnaryArgs)                                      \
  X(unary_backward, UnaryBackwardArgs)                     \
  X(binary, BinaryArgs)                                    \
  X(affine, AffineArgs)                                    \
  X(copy, CopyArgs)                                        \
  X(accumulate, AccumulateArgs)                            \
  X(fill, FillArgs)                                        \
  X(reduce, ReduceArgs)                                    \
  X(argmax, ArgmaxArgs)                                    \
  X(gemm, GemmArgs)                                        \
  X(rms_norm, RmsNormArgs)                                 \
  X(rms_norm_backward, RmsNormBackwardArgs)                \
  X(layer_norm, LayerNormArgs)                             \
  X(layer_norm_backward, LayerNormBackwardArgs)            \
  X(softmax, SoftmaxArgs)                                  \
  X(softmax_backward, SoftmaxBackwardArgs)                 \
  X(cross_entropy, CrossEntropyArgs)                       \
  X(cross_entropy_backward, CrossEntropyBackwardArgs)      \
  X(linear_cross_entropy, LinearCrossEntropyArgs)          \
  X(embedding, EmbeddingArgs)                              \
  X(embedding_backward, EmbeddingBackwardArgs)             \
  X(random, RandomArgs)                                    \
  X(dropout, DropoutArgs)                                  \
  X(grad_norm, GradNormArgs)                               \
  X(adamw, AdamWArgs)

namespace statespace {

struct KernelTable {
  const char* isa;
#define STATESPACE_POINTER(name, Args) Status (*name)(const Args& args) noexcept;
  STATESPACE_DENSE_KERNELS(STATESPACE_POINTER)
  STATESPACE_SSM_KERNELS(STATESPACE_POINTER)
#undef STATESPACE_POINTER
};

/// The table of the best instruction set of this machine, or of the forced one. Never null.
const KernelTable* cpu_kernels() noexcept;

/// The table of the instruction set called `isa`; null where it cannot run here.
const KernelTable* cpu_kernels_for(const char* isa) noexcept;

}  // namespace statespace
