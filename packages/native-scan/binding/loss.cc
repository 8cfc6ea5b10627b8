//   softmax: rows, dim, log | x, out               softmaxBackward: rows, dim, log | out, gradOut, gradX
//   crossEntropy: rows, vocab, ignoreIndex, labelSmoothing | logits, targets, losses
//   crossEntropyBackward: ... | logits, targets, gradLosses, gradLogits
//   linearCrossEntropy: rows, dim, vocab, ignoreIndex | x (row stride), weight, bias?, targets, loss, correct?,
//     gradX?, gradWeight?, gradBias?
//   embedding: vocab, dim, count | weight, ids, out
//   embeddingBackward: vocab, dim, count | ids, gradOut, gradWeight
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

/// Refuses ids outside [0, vocab), unless they are `ignored`.
void CheckIds(Call& call, const int32_t* ids, int32_t position, int64_t count, int64_t vocab,
              const int32_t* ignored) {
  if (!call.ok() || ids == nullptr) return;
  for (int64_t i = 0; i < count; ++i) {
    const bool skip = ignored != nullptr && ids[i] == *ignored;
    if (!skip && (ids[i] < 0 || ids[i] >= vocab)) return call.Refuse(Refusal::kBadNumber, position);
  }
}

int32_t ReadIgnoreIndex(Call& call) {
  const int64_t value = call.Integer();
  if (value < INT32_MIN || value > INT32_MAX) call.Refuse(Refusal::kBadNumber);
  return static_cast<int32_t>(value);
}

napi_value Softmax(Call& call) {
  SoftmaxArgs a{};
  a.rows = call.Size();
  a.dim = call.Size();
  a.log = call.Flag();
  const int64_t count = call.Product({a.rows, a.dim});
  a.x = call.In(count);
  a.out = call.Out(count);
  return call.Run(a, cpu_kernels()->softmax);
}

napi_value SoftmaxBackward(Call& call) {
  SoftmaxBackwardArgs a{};
  a.rows = call.Size();
  a.dim = call.Size();
  a.log = call.Flag();
  const int64_t count = call.Product({a.rows, a.dim});
  a.out = call.In(count);
  a.grad_out = call.In(count);
  a.grad_x = call.Out(count);
  return call.Run(a, cpu_kernels()->softmax_backward);
}

void ReadInputs(Call& call, CrossEntropyInputs& a) {
  a.rows = call.Size();
  a.vocab = call.Size();
  a.ignore_index = ReadIgnoreIndex(call);
  a.label_smoothing = call.Float();
  a.logits = call.In(call.Product({a.rows, a.vocab}));
  const int32_t position = call.position();
  a.targets = call.Indices(a.rows);
  CheckIds(call, a.targets, position, a.rows, a.vocab, &a.ignore_index);
}

napi_value CrossEntropy(Call& call) {
  CrossEntropyArgs a{};
  ReadInputs(call, a.inputs);
  a.losses = call.Out(a.inputs.rows);
  return call.Run(a, cpu_kernels()->cross_entropy);
}

napi_value CrossEntropyBackward(Call& call) {
  CrossEntropyBackwardArgs a{};
  ReadInputs(call, a.inputs);
  a.grad_losses = call.In(a.inputs.rows);
  a.grad_logits = call.Out(call.Product({a.inputs.rows, a.inputs.vocab}));
  return call.Run(a, cpu_kernels()->cross_entropy_backward);
}

napi_value LinearCrossEntropy(Call& call) {
  LinearCrossEntropyArgs a{};
  a.rows = call.Size();
  a.dim = call.Size();
  a.vocab = call.Size();
  a.ignore_index = ReadIgnoreIndex(call);
  const int64_t weights = call.Product({a.vocab, a.dim});
  a.x = call.Rows(a.rows, a.dim, &a.x_row_stride);
  a.weight = call.In(weights);
  a.bias = call.OptionalIn(a.vocab);
  const int32_t position = call.position();
  a.targets = call.Indices(a.rows);
  CheckIds(call, a.targets, position, a.rows, a.vocab, &a.ignore_index);
  a.loss = call.Out(1);
  a.correct = call.OptionalOut(1);
  a.grad_x = call.OptionalOut(call.Product({a.rows, a.dim}));
  a.grad_weight = call.OptionalOut(weights);
  a.grad_bias = call.OptionalOut(a.vocab);
  return call.Run(a, cpu_kernels()->linear_cross_entropy);
}

napi_value Embedding(Call& call) {
  EmbeddingArgs a{};
  a.vocab = call.Size();
  a.dim = call.Size();
  a.count = call.Size();
  a.weight = call.In(call.Product({a.vocab, a.dim}));
  const int32_t position = call.position();
  a.ids = call.Indices(a.count);
  CheckIds(call, a.ids, position, a.count, a.vocab, nullptr);
  a.out = call.Out(call.Product({a.count, a.dim}));
  return call.Run(a, cpu_kernels()->embedding);
}

napi_value EmbeddingBackward(Call& call) {
  EmbeddingBackwardArgs a{};
  a.vocab = call.Size();
  a.dim = call.Size();
  a.count = call.Size();
  const int32_t position = call.position();
  a.ids = call.Indices(a.count);
  CheckIds(call, a.ids, position, a.count, a.vocab, nullptr);
  a.grad_out = call.In(call.Product({a.count, a.dim}));
  a.grad_weight = call.InOut(call.Product({a.vocab, a.dim}));
  return call.Run(a, cpu_kernels()->embedding_backward);
}

constexpr Method kMethods[] = {
    {"softmax", Sync<Softmax>},
    {"softmaxBackward", Sync<SoftmaxBackward>},
    {"crossEntropy", Sync<CrossEntropy>},
    {"crossEntropyBackward", Sync<CrossEntropyBackward>},
    {"linearCrossEntropy", Sync<LinearCrossEntropy>},
    {"embedding", Sync<Embedding>},
    {"embeddingBackward", Sync<EmbeddingBackward>},
};

}  // namespace

std::span<const Method> LossMethods() { return kMethods; }

}  // namespace statespace::binding
