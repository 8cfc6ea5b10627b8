#include "sequences.h"

namespace statespace::arguments {

namespace {

/// Takes spans and padding in ascending order: counts them, and writes them where there is room.
class SpanWriter {
 public:
  SpanWriter(SequenceSpan* spans, StepRange* padding) noexcept : spans_(spans), padding_(padding) {}

  void Span(const SequenceSpan& span) noexcept {
    if (spans_ != nullptr) spans_[counts_.spans] = span;
    ++counts_.spans;
  }
  void Padding(const StepRange& padding) noexcept {
    if (padding.begin == padding.end) return;
    if (padding_ != nullptr) padding_[counts_.padding] = padding;
    ++counts_.padding;
  }
  SpanCounts counts() const noexcept { return counts_; }

 private:
  SequenceSpan* spans_;
  StepRange* padding_;
  SpanCounts counts_;
};

void WriteBoundaries(const SequenceIndices& in, SpanWriter& writer) noexcept {
  for (int64_t i = 0; i < in.header.packed; ++i) {
    const int64_t s = in.header.mirrored ? in.header.packed - 1 - i : i;
    const int64_t begin = in.values[s], end = in.values[s + 1];
    if (in.header.mirrored) {
      writer.Span({0, in.seq_len - end, in.seq_len - begin, s, s});
    } else {
      writer.Span({0, begin, end, s, s});
    }
  }
}

void WriteLengths(const SequenceIndices& in, SpanWriter& writer) noexcept {
  for (int64_t b = 0; b < in.batch; ++b) {
    const int64_t length = in.values[b], rest = in.seq_len - length;
    if (in.header.mirrored) {
      writer.Span({b, rest, in.seq_len, b, b});
      writer.Padding({b, 0, rest});
    } else {
      writer.Span({b, 0, length, b, b});
      writer.Padding({b, length, in.seq_len});
    }
  }
}

/// Every run of equal ids is a sequence, of negative ones padding. The first sequence of a row takes its initial state,
/// the last one leaves its final state.
void WriteRuns(const SequenceIndices& in, SpanWriter& writer) noexcept {
  const int64_t L = in.seq_len;
  for (int64_t b = 0; b < in.batch; ++b) {
    const int32_t* ids = in.values + b * L;
    const auto id = [&](int64_t t) { return ids[in.header.mirrored ? L - 1 - t : t]; };
    int64_t last_begin = -1;  // of the last sequence so far
    int64_t last_end = 0;
    int64_t initial_row = b;
    const auto flush = [&](int64_t final_row) {
      if (last_begin < 0) return;
      writer.Span({b, last_begin, last_end, initial_row, final_row});
      initial_row = -1;
    };
    for (int64_t begin = 0, end = 0; begin < L; begin = end) {
      for (end = begin + 1; end < L && (id(end) == id(begin) || (id(end) < 0 && id(begin) < 0));) ++end;
      if (id(begin) < 0) {
        writer.Padding({b, begin, end});
        continue;
      }
      flush(-1);
      last_begin = begin, last_end = end;
    }
    if (last_begin < 0) last_begin = last_end = 0;
    flush(b);
  }
}

void Write(const SequenceIndices& in, SpanWriter& writer) noexcept {
  switch (in.header.kind) {
    case SequenceKind::kRows:
      return;
    case SequenceKind::kCuSeqlens:
      return WriteBoundaries(in, writer);
    case SequenceKind::kSeqIdx:
      return WriteRuns(in, writer);
    case SequenceKind::kLengths:
      return WriteLengths(in, writer);
  }
}

}  // namespace

bool ValidIndices(const SequenceIndices& in) noexcept {
  bool valid = true;
  if (in.header.kind == SequenceKind::kCuSeqlens) {
    const int64_t last = in.header.packed;
    valid = in.values[0] == 0 && in.values[last] == in.seq_len;
    for (int64_t i = 0; i < last; ++i) valid &= in.values[i] <= in.values[i + 1];
  } else if (in.header.kind == SequenceKind::kLengths) {
    for (int64_t b = 0; b < in.batch; ++b) valid &= in.values[b] >= 0 && in.values[b] <= in.seq_len;
  }
  return valid;
}

SpanCounts CountSpans(const SequenceIndices& in) noexcept {
  SpanWriter writer(nullptr, nullptr);
  Write(in, writer);
  return writer.counts();
}

void WriteSpans(const SequenceIndices& in, SequenceSpan* spans, StepRange* padding) noexcept {
  SpanWriter writer(spans, padding);
  Write(in, writer);
}

}  // namespace statespace::arguments
