/// Sequence tensors in other formats and layouts than floats row after row, beside floats of the same values.
#pragma once

#include <cmath>
#include <deque>

#include "check.h"
#include "statespace/sequence_view.h"

namespace statespace::test {

/// Sizes of a (batch, length, outer, inner) tensor.
struct Axes {
  int64_t batch, length, outer, inner;
  int64_t count() const { return batch * length * outer * inner; }
};

/// How tensors of a call are stored.
struct Storage {
  const char* name;
  /// Formats that tensors take in turn.
  std::vector<DType> formats;
  /// (B, outer, inner, L) instead of (B, L, outer, inner).
  bool length_last = false;
};

inline uint16_t narrow(float x, DType format) {
  if (format == DType::kF16) return __builtin_bit_cast(uint16_t, static_cast<_Float16>(x));
  const auto bits = __builtin_bit_cast(uint32_t, x);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline float widen(uint16_t bits, DType format) {
  if (format == DType::kF16) return static_cast<float>(__builtin_bit_cast(_Float16, bits));
  return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16);
}

/// Keeps the memory of the tensors of one call.
class StoredTensors {
 public:
  explicit StoredTensors(const Storage& storage) : storage_(storage) {}

  /// Turns `view` of floats into one of the storage's, and `plain` into floats row after row of the values that it holds then.
  void input(SequenceView& view, SequenceView& plain, const Axes& axes) {
    if (view.data == nullptr || axes.count() == 0) return;
    const SequenceView from = view;
    const int64_t outer_stride = from.outer_stride == kPackedOuter ? axes.inner : from.outer_stride;
    Tensor& tensor = next(axes);
    tensor.place(view), tensor.place_plain(plain);
    tensor.for_each([&](int64_t b, int64_t t, int64_t o, int64_t i, int64_t stored, int64_t at) {
      tensor.set(stored, at, static_cast<const float*>(from.data)[b * from.batch_stride + t * from.len_stride +
                                                                  o * outer_stride + i * from.inner_stride]);
    });
  }

  /// Targets for the same output in both ways.
  void output(SequenceTarget& target, SequenceTarget& plain, const Axes& axes) {
    Tensor& tensor = next(axes);
    tensor.is_output = true;
    tensor.place(target), tensor.place_plain(plain);
  }

  /// Checks the outputs of both ways against each other.
  void check(const char* what) const {
    for (const Tensor& tensor : tensors_) {
      if (!tensor.is_output) continue;
      double largest = 1e-3, error = 0;
      tensor.for_each([&](int64_t, int64_t, int64_t, int64_t, int64_t stored, int64_t at) {
        largest = std::fmax(largest, std::fabs(tensor.plain[at]));
        const double difference = std::fabs(static_cast<double>(tensor.get(stored)) - tensor.plain[at]);
        error = difference <= error ? error : difference;  // a NaN stays
      });
      // What the format rounds, and for 16 bits what tensor cores round in between.
      const double tolerance = tensor.format == DType::kF32 ? 1.6e-5 : tensor.format == DType::kF16 ? 2e-3 : 1.6e-2;
      check_true(error <= tolerance * largest, __FILE__, __LINE__, what);
    }
  }

 private:
  struct Tensor {
    Axes axes;
    DType format;
    bool length_last;
    bool is_output = false;
    std::vector<uint16_t> narrow_memory;
    std::vector<float> wide_memory;
    std::vector<float> plain;

    void* data() { return format == DType::kF32 ? static_cast<void*>(wide_memory.data()) : narrow_memory.data(); }
    template <typename View>
    void place(View& view) {
      const int64_t width = axes.outer * axes.inner;
      view = length_last ? View{data(), axes.length * width, 1, axes.inner * axes.length, axes.length, format}
                         : View{data(), axes.length * width, width, axes.inner, 1, format};
    }
    template <typename View>
    void place_plain(View& view) {
      const int64_t width = axes.outer * axes.inner;
      view = View{plain.data(), axes.length * width, width, axes.inner, 1, DType::kF32};
    }
    void set(int64_t stored, int64_t at, float value) {
      if (format == DType::kF32) {
        wide_memory[stored] = plain[at] = value;
      } else {
        narrow_memory[stored] = narrow(value, format);
        plain[at] = widen(narrow_memory[stored], format);
      }
    }
    float get(int64_t stored) const {
      return format == DType::kF32 ? wide_memory[stored] : widen(narrow_memory[stored], format);
    }
    /// Calls visit(b, t, o, i, offset as stored, offset row after row).
    template <typename Visit>
    void for_each(const Visit& visit) const {
      const auto [batch, length, outer, inner] = axes;
      for (int64_t at = 0; at < axes.count(); ++at) {
        const int64_t i = at % inner, o = at / inner % outer, t = at / (inner * outer) % length;
        const int64_t b = at / (inner * outer * length);
        visit(b, t, o, i, length_last ? ((b * outer + o) * inner + i) * length + t : at, at);
      }
    }
  };

  Tensor& next(const Axes& axes) {
    const DType format = storage_.formats[tensors_.size() % storage_.formats.size()];
    const auto size = static_cast<size_t>(axes.count());
    // 16 bits of ones are NaN in every format.
    tensors_.push_back({axes, format, storage_.length_last, false, std::vector<uint16_t>(size, 0xffff),
                        std::vector<float>(size, NAN), std::vector<float>(size, NAN)});
    return tensors_.back();
  }

  const Storage& storage_;
  std::deque<Tensor> tensors_;
};

}  // namespace statespace::test
