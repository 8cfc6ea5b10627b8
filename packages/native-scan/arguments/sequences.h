/// Where the sequences of a call lie: boundaries, ids or lengths, checked and turned into spans.
#pragma once

#include <cstddef>
#include <cstdint>

#include "refusal.h"
#include "shapes.h"
#include "statespace/sequence_view.h"

namespace statespace::arguments {

enum class SequenceKind : int32_t { kRows, kCuSeqlens, kSeqIdx, kLengths };

/// What is known before the indices are; the rows of state tensors follow from it.
struct SequencesHeader {
  SequenceKind kind = SequenceKind::kRows;
  /// The views of the call run backwards in time: the indices are given in the order of memory.
  bool mirrored = false;
  /// Sequences marked off by cuSeqlens.
  int64_t packed = 0;

  int64_t state_rows(int64_t batch) const { return kind == SequenceKind::kCuSeqlens ? packed : batch; }
};

/// cuSeqlens (S + 1), seqIdx (B, L) or lengths (B), in memory that nobody else writes.
struct SequenceIndices {
  const int32_t* values;
  int64_t batch;
  int64_t seq_len;
  SequencesHeader header;
};

struct SpanCounts {
  int64_t spans = 0;
  int64_t padding = 0;
};

/// Whether boundaries ascend from 0 to L and lengths lie in [0, L]; any ids do.
bool ValidIndices(const SequenceIndices& indices) noexcept;

SpanCounts CountSpans(const SequenceIndices& indices) noexcept;

/// Writes as many as `CountSpans` says.
void WriteSpans(const SequenceIndices& indices, SequenceSpan* spans, StepRange* padding) noexcept;

/// The next array, turned into spans that live as long as the call.
template <typename Source>
SequenceSpans ReadSequences(Source& source, const SequencesHeader& header, int64_t batch, int64_t seq_len) {
  const int32_t position = source.position();
  if (header.kind == SequenceKind::kRows) {
    source.Indices({}, false);
    return {};
  }
  if (header.kind == SequenceKind::kCuSeqlens && batch != 1) source.Refuse(Refusal::kBadNumber);
  const DenseShape shape = header.kind == SequenceKind::kCuSeqlens ? Dense(source, {header.packed + 1})
                           : header.kind == SequenceKind::kSeqIdx  ? Dense(source, {batch, seq_len})
                                                                   : Dense(source, {batch});
  const SequenceIndices indices = {source.Indices(shape), batch, seq_len, header};
  if (!source.ok()) return {};
  if (!ValidIndices(indices)) {
    source.Refuse(Refusal::kBadNumber, position);
    return {};
  }
  const SpanCounts counts = CountSpans(indices);
  auto* spans = static_cast<SequenceSpan*>(source.Hold(static_cast<size_t>(counts.spans) * sizeof(SequenceSpan)));
  auto* padding = static_cast<StepRange*>(source.Hold(static_cast<size_t>(counts.padding) * sizeof(StepRange)));
  if (!source.ok()) return {};
  WriteSpans(indices, spans, padding);
  return {spans, counts.spans, padding, counts.padding, header.state_rows(batch)};
}

}  // namespace statespace::arguments
