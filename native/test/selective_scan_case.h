/// One selective-scan problem: the same numbers as kernel arguments and as oracle tensors.
#pragma once

#include "check.h"
#include "selective_scan_oracle.h"
#include "sequences.h"
#include "statespace/selective_scan.h"

namespace statespace::test {

struct ScanOptions {
  bool skip = true;
  bool gate = true;
  bool bias = true;
  bool softplus = true;
  bool initial = true;
  /// Rows of u, delta, z, B, C, grad_out stand apart by this many more floats than they are long.
  int64_t row_gap = 0;
};

/// A contiguous (rows, width) array laid out with gaps of NaN between the rows.
class Rows {
 public:
  Rows() = default;
  Rows(const std::vector<float>& dense, int64_t rows, int64_t width, int64_t gap)
      : stride_(width + gap), memory_(static_cast<size_t>(rows * (width + gap)), NAN) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) memory_[r * stride_ + i] = dense[r * width + i];
    }
  }
  SequenceView view(int64_t seq_len) const { return {memory_.data(), seq_len * stride_, stride_}; }

 private:
  int64_t stride_ = 0;
  std::vector<float> memory_;
};

inline std::vector<double> widen(const std::vector<float>& v) { return std::vector<double>(v.begin(), v.end()); }

struct ScanCase {
  ScanShape shape;
  ScanOptions options;
  std::vector<float> u, delta, A, B, C, D, z, bias, initial, grad_out, grad_last;
  Rows u_rows, delta_rows, B_rows, C_rows, z_rows, grad_rows;
  ScanTensors tensors;
  std::vector<SequenceSpan> spans;

  ScanCase(const ScanShape& s, const ScanOptions& o, uint64_t seed)
      : shape(s), options(o), spans(packed_spans(s.offsets)) {
    Random random(seed);
    const int64_t rows = s.batch * s.seq_len;
    u = random.floats(rows * s.dim);
    delta = o.softplus ? random.floats(rows * s.dim, -4, 2) : random.floats(rows * s.dim, 0.001f, 0.6f);
    A = random.floats(s.dim * s.d_state, -3, -0.02f);
    B = random.floats(s.b_size());
    C = random.floats(s.c_size());
    z = random.floats(rows * s.dim, -3, 3);
    D = random.floats(s.dim);
    bias = random.floats(s.dim, 0, 0.5f);
    initial = random.floats(s.sequences() * s.dim * s.d_state);
    grad_out = random.floats(rows * s.dim);
    grad_last = random.floats(s.sequences() * s.dim * s.d_state);
    u_rows = Rows(u, rows, s.dim, o.row_gap);
    delta_rows = Rows(delta, rows, s.dim, o.row_gap);
    z_rows = Rows(z, rows, s.dim, o.row_gap);
    grad_rows = Rows(grad_out, rows, s.dim, o.row_gap);
    if (s.b_groups > 0) B_rows = Rows(B, rows, s.b_groups * s.d_state, o.row_gap);
    if (s.c_groups > 0) C_rows = Rows(C, rows, s.c_groups * s.d_state, o.row_gap);
    tensors.u = widen(u), tensors.delta = widen(delta), tensors.A = widen(A);
    tensors.B = widen(B), tensors.C = widen(C);
    if (o.skip) tensors.D = widen(D);
    if (o.gate) tensors.z = widen(z);
    if (o.bias) tensors.delta_bias = widen(bias);
    if (o.initial) tensors.initial_state = widen(initial);
    tensors.softplus = o.softplus;
  }

  /// Contiguous outputs of the shapes of u, B and C.
  SequenceTarget output(float* data) const { return target(data, shape.seq_len, shape.dim); }
  SequenceTarget output_B(float* data) const { return target(data, shape.seq_len, shape.b_groups * shape.d_state); }
  SequenceTarget output_C(float* data) const { return target(data, shape.seq_len, shape.c_groups * shape.d_state); }

  void fill(SelectiveScanInputs& args) const {
    args.batch = shape.batch, args.seq_len = shape.seq_len, args.dim = shape.dim, args.d_state = shape.d_state;
    args.b_groups = shape.b_groups, args.c_groups = shape.c_groups;
    args.u = u_rows.view(shape.seq_len), args.delta = delta_rows.view(shape.seq_len);
    args.A = A.data();
    args.B = shape.b_groups > 0 ? B_rows.view(shape.seq_len) : SequenceView{B.data(), 0, 0};
    args.C = shape.c_groups > 0 ? C_rows.view(shape.seq_len) : SequenceView{C.data(), 0, 0};
    if (options.skip) args.D = D.data();
    if (options.gate) args.z = z_rows.view(shape.seq_len);
    if (options.bias) args.delta_bias = bias.data();
    if (options.initial) args.initial_state = initial.data();
    args.delta_softplus = options.softplus;
    if (!shape.offsets.empty()) args.sequences = sequences_of(spans);
  }
};

/// The shapes that forward and backward run: every tail of chunk and vector, groups, constants, packing.
inline std::vector<ScanShape> scan_shapes() {
  std::vector<ScanShape> shapes;
  for (const int64_t length : {0, 1, 2, 15, 16, 17, 31, 33, 127, 129}) shapes.push_back({2, length, 17, 5, 1, 1, {}});
  for (const int64_t d_state : {1, 2, 3, 7, 16, 17, 64, 256}) shapes.push_back({1, 37, 7, d_state, 1, 1, {}});
  for (const int64_t dim : {1, 7, 16, 17, 33, 64, 128}) shapes.push_back({2, 41, dim, 16, 1, 1, {}});
  shapes.push_back({1, 23, 331, 4, 1, 1, {}});
  shapes.push_back({2, 35, 12, 4, 3, 3, {}});
  shapes.push_back({1, 35, 80, 3, 2, 1, {}});
  shapes.push_back({1, 35, 36, 3, 2, 3, {}});
  shapes.push_back({2, 19, 20, 5, 0, 1, {}});
  shapes.push_back({2, 19, 20, 5, 1, 0, {}});
  shapes.push_back({2, 33, 50, 6, 0, 0, {}});
  shapes.push_back({1, 83, 18, 4, 1, 1, {0, 1, 1, 17, 33, 80, 83}});
  shapes.push_back({1, 64, 40, 16, 2, 2, {0, 64}});
  shapes.push_back({0, 8, 4, 4, 1, 1, {}});
  shapes.push_back({2, 5, 0, 3, 1, 1, {}});
  shapes.push_back({2, 5, 6, 0, 1, 1, {}});
  return shapes;
}

}  // namespace statespace::test
