/// What the dense kernels of every backend check of their arguments before they write anything. Only what lies in host
/// memory is read: sizes, pointers, options. An empty call needs no addresses.
#pragma once

#include "statespace/cross_entropy.h"
#include "statespace/elementwise.h"
#include "statespace/embedding.h"
#include "statespace/norm.h"
#include "statespace/optimizer.h"
#include "statespace/random.h"
#include "statespace/reduce.h"
#include "statespace/status.h"

namespace statespace {

Status check_unary(const UnaryArgs& args) noexcept;
Status check_unary_backward(const UnaryBackwardArgs& args) noexcept;
Status check_binary(const BinaryArgs& args) noexcept;
Status check_affine(const AffineArgs& args) noexcept;
Status check_accumulate(const AccumulateArgs& args) noexcept;
/// Without the formats.
Status check_copy(const CopyArgs& args) noexcept;
Status check_fill(const FillArgs& args) noexcept;

Status check_argmax(const ArgmaxArgs& args) noexcept;
Status check_grad_norm(const GradNormArgs& args) noexcept;
Status check_adamw(const AdamWArgs& args) noexcept;

Status check_rms_norm(const RmsNormArgs& args) noexcept;
Status check_rms_norm_backward(const RmsNormBackwardArgs& args) noexcept;
Status check_layer_norm(const LayerNormArgs& args) noexcept;
Status check_layer_norm_backward(const LayerNormBackwardArgs& args) noexcept;

Status check_softmax(const SoftmaxArgs& args) noexcept;
Status check_softmax_backward(const SoftmaxBackwardArgs& args) noexcept;
/// Without the targets, which a device's kernels check on the device; so are the ids of an embedding.
Status check_cross_entropy(const CrossEntropyArgs& args) noexcept;
Status check_cross_entropy_backward(const CrossEntropyBackwardArgs& args) noexcept;
Status check_embedding(const EmbeddingArgs& args) noexcept;
Status check_embedding_backward(const EmbeddingBackwardArgs& args) noexcept;

Status check_random(const RandomArgs& args) noexcept;
Status check_dropout(const DropoutArgs& args) noexcept;

}  // namespace statespace
