/// Tensors of benchmarks: memory as the runtime hands it out, filled with numbers of a given range.
#pragma once

#include <cstdint>

#include "statespace/runtime.h"
#include "statespace/sequence_view.h"

namespace statespace::bench {

class Tensor {
 public:
  Tensor(int64_t count, float low, float high)
      : count_(count), data_(static_cast<float*>(allocate(static_cast<size_t>(count) * sizeof(float)))) {
    uint32_t state = 12345;
    for (int64_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      data_[i] = low + (high - low) * static_cast<float>(state >> 8) * 0x1p-24f;
    }
  }
  explicit Tensor(int64_t count) : Tensor(count, 0, 0) {}
  ~Tensor() { deallocate(data_); }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

  float* data() { return data_; }
  float& operator[](int64_t i) { return data_[i]; }
  int64_t size() const { return count_; }
  /// Contiguous (B, L, width).
  SequenceView view(int64_t seq_len, int64_t width) const { return {data_, seq_len * width, width}; }
  SequenceTarget target(int64_t seq_len, int64_t width) { return {data_, seq_len * width, width}; }

 private:
  int64_t count_;
  float* data_;
};

}  // namespace statespace::bench
