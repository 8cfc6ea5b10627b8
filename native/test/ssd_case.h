/// One SSD problem, with one decay per head or one per head and state: the same numbers as kernel arguments and as
/// oracle tensors.
#pragma once

#include "check.h"
#include "sequences.h"
#include "ssd_oracle.h"
#include "statespace/ssd_chunk_scan.h"

namespace statespace::test {

struct SsdOptions {
  bool skip = true;
  bool gate = true;
  bool bias = true;
  bool softplus = true;
  bool initial = true;
  bool skip_per_channel = false;
  bool limits = false;
  /// Rows of the sequence tensors stand apart by this many more floats than they are long.
  int64_t row_gap = 0;
  /// A of (H, N), for the diagonal scan.
  bool rate_per_state = false;
};

/// A contiguous (rows, width) array laid out with gaps of NaN between the rows.
struct SpacedRows {
  int64_t stride = 0;
  std::vector<float> memory;

  SpacedRows() = default;
  SpacedRows(const std::vector<float>& dense, int64_t rows, int64_t width, int64_t gap)
      : stride(width + gap), memory(static_cast<size_t>(rows * (width + gap)), NAN) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) memory[r * stride + i] = dense[r * width + i];
    }
  }
  SequenceView view(int64_t seq_len) const { return {memory.data(), seq_len * stride, stride}; }
};

inline std::vector<double> in_double(const std::vector<float>& v) { return {v.begin(), v.end()}; }

struct SsdCase {
  SsdShape shape;
  SsdOptions options;
  std::vector<float> x, dt, A, B, C, D, z, bias, initial, grad_out, grad_final;
  SpacedRows x_rows, dt_rows, B_rows, C_rows, z_rows, grad_rows;
  SsdTensors tensors;
  std::vector<SequenceSpan> spans;

  SsdCase(const SsdShape& s, const SsdOptions& o, uint64_t seed)
      : shape(s), options(o), spans(packed_spans(s.offsets)) {
    Random random(seed);
    x = random.floats(s.elements()), z = random.floats(s.elements(), -3, 3), grad_out = random.floats(s.elements());
    dt = o.softplus ? random.floats(s.steps(), -4, 1) : random.floats(s.steps(), 0.001f, 0.6f);
    A = random.floats(rates(), -3, -0.02f);
    B = random.floats(s.coefficients()), C = random.floats(s.coefficients());
    D = random.floats(o.skip_per_channel ? s.heads * s.head_dim : s.heads);
    bias = random.floats(s.heads, 0, 0.5f);
    initial = random.floats(s.states()), grad_final = random.floats(s.states());
    rebuild();
  }

  /// Numbers in A.
  int64_t rates() const { return options.rate_per_state ? shape.heads * shape.d_state : shape.heads; }

  /// Brings rows and oracle tensors up to date with the float arrays.
  void rebuild() {
    const int64_t rows = shape.batch * shape.seq_len, inner = shape.heads * shape.head_dim;
    const int64_t gap = options.row_gap;
    x_rows = SpacedRows(x, rows, inner, gap), z_rows = SpacedRows(z, rows, inner, gap);
    grad_rows = SpacedRows(grad_out, rows, inner, gap), dt_rows = SpacedRows(dt, rows, shape.heads, gap);
    B_rows = SpacedRows(B, rows, shape.groups * shape.d_state, gap);
    C_rows = SpacedRows(C, rows, shape.groups * shape.d_state, gap);
    tensors = {};
    tensors.x = in_double(x), tensors.dt = in_double(dt), tensors.A = in_double(A);
    tensors.B = in_double(B), tensors.C = in_double(C);
    if (options.skip) tensors.D = in_double(D);
    if (options.gate) tensors.z = in_double(z);
    if (options.bias) tensors.dt_bias = in_double(bias);
    if (options.initial) tensors.initial = in_double(initial);
    tensors.rate_per_state = options.rate_per_state;
    tensors.skip_per_channel = options.skip_per_channel, tensors.softplus = options.softplus;
    if (options.limits) tensors.dt_min = 0.0625, tensors.dt_max = 0.5;
  }

  /// Contiguous outputs of the shapes of x, dt and B.
  SequenceTarget output(float* data) const { return target(data, shape.seq_len, shape.heads * shape.head_dim); }
  SequenceTarget output_dt(float* data) const { return target(data, shape.seq_len, shape.heads); }
  SequenceTarget output_B(float* data) const { return target(data, shape.seq_len, shape.groups * shape.d_state); }

  void fill(SsdChunkScanInputs& args) const {
    const int64_t length = shape.seq_len;
    args.batch = shape.batch, args.seq_len = length, args.n_heads = shape.heads, args.head_dim = shape.head_dim;
    args.d_state = shape.d_state, args.n_groups = shape.groups, args.chunk_size = shape.chunk;
    args.x = x_rows.view(length), args.dt = dt_rows.view(length), args.A = A.data();
    args.B = B_rows.view(length), args.C = C_rows.view(length);
    if (options.skip) args.D = D.data();
    args.d_has_head_dim = options.skip_per_channel;
    if (options.gate) args.z = z_rows.view(length);
    if (options.bias) args.dt_bias = bias.data();
    if (options.initial) args.initial_states = initial.data();
    args.dt_softplus = options.softplus;
    if (options.limits) args.dt_min = 0.0625f, args.dt_max = 0.5f;
    if (!shape.offsets.empty()) args.sequences = sequences_of(spans);
  }
};

/// The shapes that forward and backward run: every tail of chunk, tile and vector, groups, packing.
inline std::vector<SsdShape> ssd_shapes() {
  std::vector<SsdShape> shapes;
  for (const int64_t length : {0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 131}) {
    shapes.push_back({2, length, 4, 3, 5, 2});
  }
  for (const int64_t chunk : {1, 2, 3, 15, 16, 17, 31, 1000}) shapes.push_back({1, 37, 2, 6, 7, 1, chunk});
  for (const int64_t head_dim : {1, 4, 5, 15, 16, 17, 31, 33, 64, 65}) shapes.push_back({1, 41, 2, head_dim, 9, 1});
  for (const int64_t d_state : {0, 1, 3, 8, 15, 16, 17, 31, 33, 64, 128, 150}) shapes.push_back({1, 41, 2, 6, d_state, 2});
  shapes.push_back({1, 70, 30, 4, 6, 1});
  shapes.push_back({2, 35, 12, 4, 3, 3});
  shapes.push_back({3, 67, 24, 2, 16, 1});
  shapes.push_back({1, 83, 3, 5, 4, 1, 64, {0, 0, 1, 17, 33, 33, 80, 83}});
  shapes.push_back({1, 70, 4, 16, 16, 2, 8, {0, 70}});
  shapes.push_back({1, 0, 2, 3, 4, 1, 64, {0, 0}});
  shapes.push_back({0, 8, 4, 4, 4, 1});
  return shapes;
}

}  // namespace statespace::test
