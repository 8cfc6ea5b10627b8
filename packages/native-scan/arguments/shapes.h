/// Shapes that the readers of this folder ask their source for.
///
/// A source gives the arguments of one call in order: `Call` of the binding from JavaScript, `TensorSource` of the C
/// interface from a structure of tensors. Its functions are those of `Call`. The first fault sticks; after it a source
/// answers zeros, so readers need not look after each step.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace statespace::arguments {

/// The axes of a sequence tensor.
struct SequenceSizes {
  int64_t batch;
  int64_t length;
  int64_t outer;
  int64_t inner;
  /// Each entry is (re, im).
  bool pairs = false;
};

/// A tensor without gaps.
struct DenseShape {
  int32_t rank = 0;
  int64_t size[4] = {1, 1, 1, 1};
  /// Each entry is (re, im).
  bool pairs = false;
  /// Elements, two for a pair.
  int64_t count = 0;
};

template <typename Source>
DenseShape Dense(Source& source, std::initializer_list<int64_t> sizes, bool pairs = false) {
  DenseShape shape;
  for (const int64_t size : sizes) shape.size[shape.rank++] = size;
  shape.pairs = pairs;
  shape.count = source.Product({shape.size[0], shape.size[1], shape.size[2], shape.size[3], pairs ? 2 : 1});
  return shape;
}

}  // namespace statespace::arguments
