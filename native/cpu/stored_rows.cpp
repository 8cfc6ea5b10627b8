/// Rows of sequence tensors between their storage and a worker's memory.
///
/// Three ways through a block of steps and entries: entries next to one another in memory are converted a vector at a
/// time; steps next to one another (length last) go through squares that are transposed in registers; anything else is
/// taken entry by entry. Oracle: native/test/stored_rows_test.cpp.
#include "stored_rows.h"

#include "number_format.h"
#include "parallel.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

typedef uint16_t Halves __attribute__((vector_size(kLanes * 2)));
typedef uint16_t UnalignedHalves __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

STATESPACE_INLINE Halves load_halves(const void* p) { return *static_cast<const UnalignedHalves*>(p); }
STATESPACE_INLINE void store_halves(void* p, Halves v) { *static_cast<UnalignedHalves*>(p) = v; }

STATESPACE_INLINE Floats load_vector(const float* p) { return load(p); }

STATESPACE_INLINE Floats load_vector(const Bf16* p) {
  return (Floats)(__builtin_convertvector(load_halves(p), Words) << 16);
}

STATESPACE_INLINE Floats load_vector(const F16* p) {
#if defined(__AVX512F__)
  return (Floats)_mm512_cvtph_ps((__m256i)load_halves(p));
#elif defined(__F16C__)
  return (Floats)_mm256_cvtph_ps((__m128i)load_halves(p));
#else
  Floats v;
  for (int i = 0; i < kLanes; ++i) v[i] = static_cast<float>(to_double(p[i]));
  return v;
#endif
}

STATESPACE_INLINE Floats load_vector(const double* p) {
  Floats v;
  for (int i = 0; i < kLanes; ++i) v[i] = static_cast<float>(p[i]);
  return v;
}

STATESPACE_INLINE void store_vector(float* p, Floats v) { store(p, v); }

STATESPACE_INLINE void store_vector(Bf16* p, Floats v) {
  // Half of the last bit kept, less one where that bit is even: ties go to even. A NaN keeps its place as the quiet one.
  const Words bits = (Words)v;
  const Words rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Words nan = ((bits >> 16) & 0x8000u) | 0x7fc0u;
  const Words chosen = (Words)select(v == v, (Ints)rounded, (Ints)nan);
  store_halves(p, __builtin_convertvector(chosen, Halves));
}

STATESPACE_INLINE void store_vector(F16* p, Floats v) {
#if defined(__AVX512F__)
  store_halves(p, (Halves)_mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif defined(__F16C__)
  store_halves(p, (Halves)_mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
  for (int i = 0; i < kLanes; ++i) from_double(static_cast<double>(v[i]), p[i]);
#endif
}

STATESPACE_INLINE void store_vector(double* p, Floats v) {
  for (int i = 0; i < kLanes; ++i) p[i] = static_cast<double>(v[i]);
}

/// Calls with_type(T{}) for the C++ type that stores `dtype`; sequence tensors hold no integers.
template <typename WithType>
STATESPACE_INLINE void dispatch_float(DType dtype, const WithType& with_type) {
  if (dtype == DType::kF32) with_type(float{});
  if (dtype == DType::kF64) with_type(double{});
  if (dtype == DType::kF16) with_type(F16{});
  if (dtype == DType::kBf16) with_type(Bf16{});
}

/// A block of steps and entries as memory has it.
template <typename Stored>
struct Block {
  Stored* data;
  int64_t step_stride;
  int64_t entry_stride;
  int64_t steps;
  int64_t entries;
};

template <typename Real, typename Stored>
STATESPACE_INLINE Real get(const Stored& stored) {
  return static_cast<Real>(to_double(stored));
}
template <typename Real, typename Stored>
STATESPACE_INLINE void put(Real value, Stored& stored) {
  from_double(static_cast<double>(value), stored);
}

template <typename Stored>
STATESPACE_INLINE void read_run(const Stored* from, int64_t count, float* to) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(to + i, load_vector(from + i));
  for (; i < count; ++i) to[i] = get<float>(from[i]);
}
template <typename Stored>
STATESPACE_INLINE void read_run(const Stored* from, int64_t count, double* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = get<double>(from[i]);
}
template <typename Stored>
STATESPACE_INLINE void write_run(const float* from, int64_t count, Stored* to) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store_vector(to + i, load(from + i));
  for (; i < count; ++i) put(from[i], to[i]);
}
template <typename Stored>
STATESPACE_INLINE void write_run(const double* from, int64_t count, Stored* to) {
  for (int64_t i = 0; i < count; ++i) put(from[i], to[i]);
}

/// rows[i][j] <-> rows[j][i] of a square of kLanes vectors, by exchanging ever larger halves.
STATESPACE_INLINE void transpose_square(Floats (&rows)[kLanes]) {
  const Ints lane = iota();
#pragma GCC unroll 4
  for (int half = 1; half < kLanes; half *= 2) {
    const Ints high = (lane & half) != 0;
    const Ints to_low = select(high, (lane ^ half) + kLanes, lane);
    const Ints to_high = select(high, lane + kLanes, lane ^ half);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & half) != 0) continue;
      const Floats low = rows[i], up = rows[i + half];
      rows[i] = shuffle(low, up, to_low);
      rows[i + half] = shuffle(low, up, to_high);
    }
  }
}

/// Steps next to one another: squares of kLanes steps and entries, the rest entry by entry.
template <typename Stored>
void read_across(const Block<const Stored>& block, float* to, int64_t to_step) noexcept {
  const int64_t whole_steps = block.steps / kLanes * kLanes;
  for (int64_t i = 0; i < block.entries; i += kLanes) {
    const int64_t lanes = smaller<int64_t>(kLanes, block.entries - i);
    for (int64_t t = 0; t < whole_steps; t += kLanes) {
      Floats rows[kLanes];
      for (int64_t k = 0; k < kLanes; ++k) {
        rows[k] = k < lanes ? load_vector(block.data + (i + k) * block.entry_stride + t) : Floats{};
      }
      transpose_square(rows);
      for (int64_t k = 0; k < kLanes; ++k) store_lanes(to + (t + k) * to_step + i, rows[k], lanes);
    }
    for (int64_t k = 0; k < lanes; ++k) {
      for (int64_t t = whole_steps; t < block.steps; ++t) {
        to[t * to_step + i + k] = get<float>(block.data[(i + k) * block.entry_stride + t]);
      }
    }
  }
}

template <typename Stored>
void write_across(const float* from, int64_t from_step, const Block<Stored>& block) noexcept {
  const int64_t whole_steps = block.steps / kLanes * kLanes;
  for (int64_t i = 0; i < block.entries; i += kLanes) {
    const int64_t lanes = smaller<int64_t>(kLanes, block.entries - i);
    for (int64_t t = 0; t < whole_steps; t += kLanes) {
      Floats rows[kLanes];
      for (int64_t k = 0; k < kLanes; ++k) rows[k] = load_lanes(from + (t + k) * from_step + i, lanes);
      transpose_square(rows);
      for (int64_t k = 0; k < lanes; ++k) store_vector(block.data + (i + k) * block.entry_stride + t, rows[k]);
    }
    for (int64_t k = 0; k < lanes; ++k) {
      for (int64_t t = whole_steps; t < block.steps; ++t) {
        put(from[t * from_step + i + k], block.data[(i + k) * block.entry_stride + t]);
      }
    }
  }
}

template <typename Real, typename Stored>
void read_block(const Block<const Stored>& block, Real* to, int64_t to_step) noexcept {
  if (block.entry_stride == 1 || block.entries == 1) {
    for (int64_t t = 0; t < block.steps; ++t) {
      read_run(block.data + t * block.step_stride, block.entries, to + t * to_step);
    }
    return;
  }
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (block.step_stride == 1) return read_across(block, to, to_step);
  }
  for (int64_t t = 0; t < block.steps; ++t) {
    for (int64_t i = 0; i < block.entries; ++i) {
      to[t * to_step + i] = get<Real>(block.data[t * block.step_stride + i * block.entry_stride]);
    }
  }
}

template <typename Real, typename Stored>
void write_block(const Real* from, int64_t from_step, const Block<Stored>& block) noexcept {
  if (block.entry_stride == 1 || block.entries == 1) {
    for (int64_t t = 0; t < block.steps; ++t) {
      write_run(from + t * from_step, block.entries, block.data + t * block.step_stride);
    }
    return;
  }
  if constexpr (sizeof(Real) == sizeof(float)) {
    if (block.step_stride == 1) return write_across(from, from_step, block);
  }
  for (int64_t t = 0; t < block.steps; ++t) {
    for (int64_t i = 0; i < block.entries; ++i) {
      put(from[t * from_step + i], block.data[t * block.step_stride + i * block.entry_stride]);
    }
  }
}

/// Calls visit(offset of the first element, entry of the range, count) for each stretch inside one outer entry.
template <typename Tensor, typename Visit>
STATESPACE_INLINE void for_stretches(const Tensor& tensor, const RowRange& range, const Visit& visit) {
  const int64_t outer_stride =
      tensor.outer_stride == kPackedOuter ? range.inner * tensor.inner_stride : tensor.outer_stride;
  const bool joined = outer_stride == range.inner * tensor.inner_stride;
  const int64_t start = range.batch * tensor.batch_stride + range.begin * tensor.len_stride;
  for (int64_t done = 0; done < range.count;) {
    const int64_t outer = (range.first + done) / range.inner;
    const int64_t inner = (range.first + done) % range.inner;
    const int64_t count = joined ? range.count : smaller(range.inner - inner, range.count - done);
    visit(start + outer * outer_stride + inner * tensor.inner_stride, done, count);
    done += count;
  }
}

}  // namespace

template <typename Real>
void read_rows(const SequenceView& view, const RowRange& range, Real* to, int64_t to_step) noexcept {
  dispatch_float(view.dtype, [&](auto type) noexcept {
    using Stored = decltype(type);
    for_stretches(view, range, [&](int64_t offset, int64_t entry, int64_t count) noexcept {
      const Block<const Stored> block = {static_cast<const Stored*>(view.data) + offset, view.len_stride,
                                         view.inner_stride, range.steps, count};
      read_block(block, to + entry, to_step);
    });
  });
}

template <typename Real>
void write_rows(const Real* from, int64_t from_step, const SequenceTarget& target, const RowRange& range) noexcept {
  dispatch_float(target.dtype, [&](auto type) noexcept {
    using Stored = decltype(type);
    for_stretches(target, range, [&](int64_t offset, int64_t entry, int64_t count) noexcept {
      const Block<Stored> block = {static_cast<Stored*>(target.data) + offset, target.len_stride, target.inner_stride,
                                   range.steps, count};
      write_block(from + entry, from_step, block);
    });
  });
}

namespace {

void clear_rows(const SequenceTarget& target, const StepRange& steps, int64_t size, int64_t inner) noexcept {
  constexpr int64_t kZeros = 256;
  static constexpr float zeros[kZeros] = {};
  for (int64_t first = 0; first < size; first += kZeros) {
    const int64_t count = smaller(kZeros, size - first);
    write_rows(zeros, 0, target, {steps.batch, steps.begin, steps.end - steps.begin, first, count, inner});
  }
}

}  // namespace

void clear_padding(const SequenceSpans& sequences, const SequenceTarget& target, int64_t outer,
                   int64_t inner) noexcept {
  if (sequences.spans == nullptr || target.data == nullptr) return;
  for_chunks(sequences.padding_count, worker_limit(), [&](int64_t i, int32_t) noexcept {
    clear_rows(target, sequences.padding[i], outer * inner, inner);
  });
}

void clear_sequence(int64_t batch, int64_t seq_len, int64_t outer, int64_t inner,
                    const SequenceTarget& target) noexcept {
  if (target.data == nullptr) return;
  for_chunks(batch, worker_limit(), [&](int64_t row, int32_t) noexcept {
    clear_rows(target, {row, 0, seq_len}, outer * inner, inner);
  });
}

template <typename Real>
void store_sequence(const Real* from, int64_t batch, int64_t seq_len, int64_t outer, int64_t inner,
                    const SequenceTarget& target) noexcept {
  const int64_t size = outer * inner;
  if (size == 0) return;
  constexpr int64_t kSteps = 64;
  const int64_t pieces = ceil_div(seq_len, kSteps);
  for_chunks(batch * pieces, worker_limit(), [&](int64_t piece, int32_t) noexcept {
    const int64_t row = piece / pieces, begin = piece % pieces * kSteps;
    const RowRange range = {row, begin, smaller(kSteps, seq_len - begin), 0, size, inner};
    write_rows(from + (row * seq_len + begin) * size, size, target, range);
  });
}

template void read_rows<float>(const SequenceView&, const RowRange&, float*, int64_t) noexcept;
template void read_rows<double>(const SequenceView&, const RowRange&, double*, int64_t) noexcept;
template void write_rows<float>(const float*, int64_t, const SequenceTarget&, const RowRange&) noexcept;
template void write_rows<double>(const double*, int64_t, const SequenceTarget&, const RowRange&) noexcept;
template void store_sequence<float>(const float*, int64_t, int64_t, int64_t, int64_t, const SequenceTarget&) noexcept;
template void store_sequence<double>(const double*, int64_t, int64_t, int64_t, int64_t, const SequenceTarget&) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS
