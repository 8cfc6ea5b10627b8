/// Row lookup in a table, and its transpose.
#pragma once

#include <cstdint>

namespace statespace {

/// out[m] = weight[ids[m]]. kIndexOutOfRange when an id is outside [0, vocab).
struct EmbeddingArgs {
  int64_t vocab;
  int64_t dim;
  int64_t count;
  /// (vocab, dim)
  const float* weight;
  /// (count)
  const int32_t* ids;
  /// (count, dim)
  float* out;
};

/// grad_weight[v] += sum of grad_out[m] over ids[m] = v, in order of m. kIndexOutOfRange as above.
struct EmbeddingBackwardArgs {
  int64_t vocab;
  int64_t dim;
  int64_t count;
  /// (count)
  const int32_t* ids;
  /// (count, dim)
  const float* grad_out;
  /// (vocab, dim), accumulated into.
  float* grad_weight;
};

}  // namespace statespace
