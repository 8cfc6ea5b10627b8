/// Softmax, cross-entropy of logits, and the output head fused with its cross-entropy.
#pragma once

#include <cstdint>

namespace statespace {

/// out = softmax(x) or log softmax(x) of each row; x and out (rows, dim), contiguous.
struct SoftmaxArgs {
  int64_t rows;
  int64_t dim;
  const float* x;
  bool log;
  float* out;
};

/// grad_x = out * (grad_out - <grad_out, out>), or grad_out - exp(out) * sum(grad_out) with `log`; all contiguous.
struct SoftmaxBackwardArgs {
  int64_t rows;
  int64_t dim;
  const float* out;
  bool log;
  const float* grad_out;
  float* grad_x;
};

/// loss_m = -sum_v q_mv log softmax(logits_m)_v with q = (1 - s) onehot(target) + s / vocab, s = label_smoothing.
struct CrossEntropyInputs {
  int64_t rows;
  int64_t vocab;
  /// (rows, vocab), contiguous.
  const float* logits;
  /// (rows), each in [0, vocab) or equal to `ignore_index`.
  const int32_t* targets;
  int32_t ignore_index;
  /// In [0, 1].
  float label_smoothing;
};

struct CrossEntropyArgs {
  CrossEntropyInputs inputs;
  /// (rows); 0 where ignored.
  float* losses;
};

/// grad_logits = grad_losses * (softmax(logits) - q), 0 in ignored rows.
struct CrossEntropyBackwardArgs {
  CrossEntropyInputs inputs;
  /// (rows)
  const float* grad_losses;
  /// (rows, vocab)
  float* grad_logits;
};

/// logits = x weight^T + bias; loss = mean of CE(logits_m, target_m) over the rows that count, and the gradients
/// of that mean. Logits live only as tiles; scratch is 25 MB a call for 20,000 entries.
struct LinearCrossEntropyArgs {
  int64_t rows;
  int64_t dim;
  int64_t vocab;
  /// (rows, dim), unit stride along dim.
  const float* x;
  int64_t x_row_stride;
  /// (vocab, dim), contiguous.
  const float* weight;
  /// (vocab) or null.
  const float* bias;
  /// (rows), each in [0, vocab) or equal to `ignore_index`.
  const int32_t* targets;
  int32_t ignore_index;
  /// (1); 0 when no row counts.
  float* loss;
  /// (1) or null: rows that count and whose first largest logit is the target's.
  float* correct;
  /// (rows, dim), overwritten, or null.
  float* grad_x;
  /// (vocab, dim), overwritten, or null.
  float* grad_weight;
  /// (vocab), overwritten, or null.
  float* grad_bias;
};

}  // namespace statespace
