#include "sequences.h"

namespace statespace::binding {

namespace {

/// Spans and padding in ascending order, counted first and written then.
class SpanWriter {
 public:
  void Span(const SequenceSpan& span) {
    if (spans_ != nullptr) spans_[span_count_] = span;
    ++span_count_;
  }
  void Padding(const StepRange& padding) {
    if (padding.begin == padding.end) return;
    if (padding_ != nullptr) padding_[padding_count_] = padding;
    ++padding_count_;
  }

  /// Makes room for what has been counted; the same calls again then write.
  bool Allocate(Call& call) {
    const auto bytes = [](int64_t count, size_t size) { return static_cast<size_t>(count) * size; };
    spans_ = static_cast<SequenceSpan*>(call.Hold(bytes(span_count_, sizeof(SequenceSpan))));
    padding_ = static_cast<StepRange*>(call.Hold(bytes(padding_count_, sizeof(StepRange))));
    span_count_ = padding_count_ = 0;
    return call.ok();
  }

  SequenceSpans Result(int64_t state_rows) const {
    return {spans_, span_count_, padding_, padding_count_, state_rows};
  }

 private:
  SequenceSpan* spans_ = nullptr;
  StepRange* padding_ = nullptr;
  int64_t span_count_ = 0;
  int64_t padding_count_ = 0;
};

struct Indices {
  const int32_t* values;
  int64_t batch;
  int64_t seq_len;
  const SequencesHeader& header;
};

bool ValidBoundaries(const Indices& in) {
  const int64_t last = in.header.packed;
  bool valid = in.values[0] == 0 && in.values[last] == in.seq_len;
  for (int64_t i = 0; i < last; ++i) valid &= in.values[i] <= in.values[i + 1];
  return valid;
}

bool ValidLengths(const Indices& in) {
  bool valid = true;
  for (int64_t b = 0; b < in.batch; ++b) valid &= in.values[b] >= 0 && in.values[b] <= in.seq_len;
  return valid;
}

void WriteBoundaries(const Indices& in, SpanWriter& writer) {
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

void WriteLengths(const Indices& in, SpanWriter& writer) {
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
void WriteRuns(const Indices& in, SpanWriter& writer) {
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

}  // namespace

SequencesHeader ReadSequencesHeader(Call& call, int64_t batch) {
  SequencesHeader header;
  header.kind = static_cast<SequenceKind>(call.Choice(4));
  header.mirrored = call.Flag();
  header.packed = call.Size();
  if (header.kind == SequenceKind::kCuSeqlens && batch != 1) call.Refuse(Refusal::kBadNumber);
  return header;
}

SequenceSpans ReadSequences(Call& call, const SequencesHeader& header, int64_t batch, int64_t seq_len) {
  const int32_t position = call.position();
  if (header.kind == SequenceKind::kRows) {
    call.Indices(0, false);
    return {};
  }
  const bool packed = header.kind == SequenceKind::kCuSeqlens;
  const bool ids = header.kind == SequenceKind::kSeqIdx;
  const int64_t count = packed ? header.packed + 1 : ids ? call.Product({batch, seq_len}) : batch;
  const Indices in = {call.Indices(count), batch, seq_len, header};
  if (!call.ok()) return {};
  if ((packed && !ValidBoundaries(in)) || (!packed && !ids && !ValidLengths(in))) {
    call.Refuse(Refusal::kBadNumber, position);
    return {};
  }
  const auto write = [&](SpanWriter& writer) {
    if (packed) WriteBoundaries(in, writer);
    else if (ids) WriteRuns(in, writer);
    else WriteLengths(in, writer);
  };
  SpanWriter writer;
  write(writer);
  if (!writer.Allocate(call)) return {};
  write(writer);
  return writer.Result(header.state_rows(batch));
}

}  // namespace statespace::binding
