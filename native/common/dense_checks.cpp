#include "dense_checks.h"

#include <initializer_list>

#include "strided_shape.h"

namespace statespace {
namespace {

Status checked(bool holds) { return holds ? Status::kOk : Status::kBadArgument; }

/// Whether none is null.
bool all(std::initializer_list<const void*> pointers) {
  for (const void* pointer : pointers) {
    if (pointer == nullptr) return false;
  }
  return true;
}

/// An elementwise call: a shape, and addresses where it has elements.
Status check_elements(const Shape& shape, std::initializer_list<const void*> pointers) {
  return checked(valid_shape(shape) && (element_count(shape) == 0 || all(pointers)));
}

/// Whether a call over (rows, dim) has no elements.
template <typename Rows>
bool is_empty(const Rows& of) {
  return of.rows == 0 || of.dim == 0;
}

bool valid(const RmsNormInputs& in) {
  if (in.rows < 0 || in.dim < 0 || !(in.eps >= 0)) return false;
  if (is_empty(in)) return true;
  return in.group_size > 0 && in.dim % in.group_size == 0 && all({in.x, in.weight});
}

bool valid(const LayerNormInputs& in) {
  if (in.rows < 0 || in.dim < 0 || !(in.eps >= 0)) return false;
  return is_empty(in) || in.x != nullptr;
}

bool valid(const CrossEntropyInputs& in) {
  if (in.rows < 0 || in.vocab < 1 || !(in.label_smoothing >= 0 && in.label_smoothing <= 1)) return false;
  return in.rows == 0 || all({in.logits, in.targets});
}

}  // namespace

Status check_unary(const UnaryArgs& args) noexcept { return check_elements(args.shape, {args.x, args.out}); }

Status check_unary_backward(const UnaryBackwardArgs& args) noexcept {
  return check_elements(args.shape, {args.x, args.grad_out, args.grad_x});
}

Status check_binary(const BinaryArgs& args) noexcept { return check_elements(args.shape, {args.a, args.b, args.out}); }

Status check_affine(const AffineArgs& args) noexcept { return check_elements(args.shape, {args.x, args.out}); }

Status check_accumulate(const AccumulateArgs& args) noexcept { return check_elements(args.shape, {args.x, args.out}); }

Status check_copy(const CopyArgs& args) noexcept { return check_elements(args.shape, {args.x, args.out}); }

Status check_fill(const FillArgs& args) noexcept { return check_elements(args.shape, {args.out}); }

Status check_argmax(const ArgmaxArgs& args) noexcept {
  if (args.rows < 0 || args.dim < 1 || args.dim > INT32_MAX) return Status::kBadArgument;
  return checked(args.rows == 0 || all({args.x, args.out}));
}

Status check_grad_norm(const GradNormArgs& args) noexcept {
  if (args.slot_count < 0 || !(args.max_norm >= 0) || !all({args.norm, args.factor})) return Status::kBadArgument;
  if (args.slot_count > 0 && args.slots == nullptr) return Status::kBadArgument;
  for (int64_t i = 0; i < args.slot_count; ++i) {
    const GradSlot& slot = args.slots[i];
    if (slot.count < 0 || (slot.count > 0 && slot.data == nullptr)) return Status::kBadArgument;
  }
  return Status::kOk;
}

Status check_adamw(const AdamWArgs& args) noexcept {
  if (args.slot_count < 0 || args.schedule == nullptr) return Status::kBadArgument;
  if (args.slot_count > 0 && args.slots == nullptr) return Status::kBadArgument;
  for (int64_t i = 0; i < args.slot_count; ++i) {
    const AdamWSlot& slot = args.slots[i];
    if (slot.count < 0 || (slot.count > 0 && !all({slot.param, slot.grad, slot.m, slot.v}))) {
      return Status::kBadArgument;
    }
  }
  return Status::kOk;
}

Status check_rms_norm(const RmsNormArgs& args) noexcept {
  return checked(valid(args.inputs) && (is_empty(args.inputs) || args.out != nullptr));
}

Status check_rms_norm_backward(const RmsNormBackwardArgs& args) noexcept {
  const RmsNormInputs& in = args.inputs;
  if (!valid(in) || (in.rows > 0 && args.grad_gate != nullptr && in.gate == nullptr)) return Status::kBadArgument;
  return checked(is_empty(in) || args.grad_out != nullptr);
}

Status check_layer_norm(const LayerNormArgs& args) noexcept {
  return checked(valid(args.inputs) && (is_empty(args.inputs) || args.out != nullptr));
}

Status check_layer_norm_backward(const LayerNormBackwardArgs& args) noexcept {
  return checked(valid(args.inputs) && (is_empty(args.inputs) || args.grad_out != nullptr));
}

Status check_softmax(const SoftmaxArgs& args) noexcept {
  return checked(args.rows >= 0 && args.dim >= 0 && (is_empty(args) || all({args.x, args.out})));
}

Status check_softmax_backward(const SoftmaxBackwardArgs& args) noexcept {
  return checked(args.rows >= 0 && args.dim >= 0 && (is_empty(args) || all({args.out, args.grad_out, args.grad_x})));
}

Status check_cross_entropy(const CrossEntropyArgs& args) noexcept {
  return checked(valid(args.inputs) && (args.inputs.rows == 0 || args.losses != nullptr));
}

Status check_cross_entropy_backward(const CrossEntropyBackwardArgs& args) noexcept {
  return checked(valid(args.inputs) && (args.inputs.rows == 0 || all({args.grad_losses, args.grad_logits})));
}

Status check_embedding(const EmbeddingArgs& args) noexcept {
  if (args.vocab < 0 || args.dim < 0 || args.count < 0) return Status::kBadArgument;
  return checked(args.count == 0 || args.dim == 0 || all({args.weight, args.ids, args.out}));
}

Status check_embedding_backward(const EmbeddingBackwardArgs& args) noexcept {
  if (args.vocab < 0 || args.dim < 0 || args.count < 0) return Status::kBadArgument;
  if (args.count == 0 || args.dim == 0) return Status::kOk;
  return checked(args.count <= INT32_MAX && all({args.grad_out, args.ids, args.grad_weight}));
}

Status check_random(const RandomArgs& args) noexcept {
  return checked(args.count >= 0 && (args.count == 0 || args.out != nullptr));
}

Status check_dropout(const DropoutArgs& args) noexcept {
  if (args.count < 0 || !(args.p >= 0 && args.p < 1)) return Status::kBadArgument;
  return checked(args.count == 0 || all({args.x, args.out}));
}

}  // namespace statespace
