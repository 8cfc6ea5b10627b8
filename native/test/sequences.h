/// Contiguous outputs of sequence kernels, and the sequences that packed boundaries stand for.
#pragma once

#include <cstdint>
#include <vector>

#include "statespace/sequence_view.h"

namespace statespace::test {

/// A contiguous (B, L, width) output.
inline SequenceTarget target(float* data, int64_t seq_len, int64_t width) { return {data, seq_len * width, width}; }

/// Sequences one behind the other in the first row; state rows in the same order.
inline std::vector<SequenceSpan> packed_spans(const std::vector<int32_t>& offsets) {
  std::vector<SequenceSpan> spans;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    spans.push_back({0, offsets[i], offsets[i + 1], row, row});
  }
  return spans;
}

/// No padding, a row of states for each span.
inline SequenceSpans sequences_of(const std::vector<SequenceSpan>& spans) {
  const auto count = static_cast<int64_t>(spans.size());
  return {spans.data(), count, nullptr, 0, count};
}

/// Spans that no call of `batch` rows of `seq_len` steps may have: beyond the tensors or the states, or overlapping.
inline std::vector<std::vector<SequenceSpan>> bad_spans(int64_t batch, int64_t seq_len) {
  return {{{0, 0, seq_len + 1, 0, 0}},
          {{batch, 0, seq_len, 0, 0}},
          {{-1, 0, seq_len, 0, 0}},
          {{0, -1, seq_len, 0, 0}},
          {{0, 2, 1, 0, 0}},
          {{0, 0, seq_len, 1, 0}},
          {{0, 0, seq_len, 0, -2}},
          {{0, 0, 2, 0, 0}, {0, 1, seq_len, 1, 1}},
          {{0, 2, seq_len, 0, 0}, {0, 0, 2, 1, 1}}};
}

}  // namespace statespace::test
