/// One causal-convolution problem, and the convolution in double, forward and backward: the oracle of the kernels.
#pragma once

#include <cmath>

#include "check.h"
#include "sequences.h"
#include "statespace/causal_conv1d.h"

namespace statespace::test {

struct ConvShape {
  int64_t batch, seq_len, dim, width;
  std::vector<int32_t> offsets;  // packed boundaries; empty: none

  int64_t sequences() const { return offsets.empty() ? batch : static_cast<int64_t>(offsets.size()) - 1; }
  int64_t elements() const { return batch * seq_len * dim; }
  int64_t state_size() const { return sequences() * dim * (width - 1); }
};

struct ConvOptions {
  bool bias = true;
  bool silu = true;
  bool initial = true;
  /// Rows of x and grad_out stand apart by this many more floats than they are long.
  int64_t row_gap = 0;
};

struct ConvProblem {
  ConvShape shape;
  ConvOptions options;
  std::vector<float> x, weight, bias, initial, grad_out, grad_final;
  std::vector<SequenceSpan> spans;

  ConvProblem(const ConvShape& s, const ConvOptions& o, uint64_t seed)
      : shape(s), options(o), spans(packed_spans(s.offsets)) {
    Random random(seed);
    x = random.floats(s.elements()), weight = random.floats(s.dim * s.width), bias = random.floats(s.dim);
    initial = random.floats(s.state_size()), grad_out = random.floats(s.elements());
    grad_final = random.floats(s.state_size());
    x_rows_ = spread(x), grad_rows_ = spread(grad_out);
  }

  void fill(CausalConv1dInputs& args) const {
    args.batch = shape.batch, args.seq_len = shape.seq_len, args.dim = shape.dim, args.width = shape.width;
    args.x = view(x_rows_), args.weight = weight.data();
    if (options.bias) args.bias = bias.data();
    if (options.initial) args.initial_states = initial.data();
    args.activation = options.silu ? Activation::kSilu : Activation::kNone;
    if (!shape.offsets.empty()) args.sequences = sequences_of(spans);
  }
  SequenceView grad_view() const { return view(grad_rows_); }
  /// A contiguous output of the shape of x.
  SequenceTarget output(float* data) const { return target(data, shape.seq_len, shape.dim); }

 private:
  int64_t stride() const { return shape.dim + options.row_gap; }
  SequenceView view(const std::vector<float>& rows) const { return {rows.data(), shape.seq_len * stride(), stride()}; }
  std::vector<float> spread(const std::vector<float>& dense) const {
    std::vector<float> rows(static_cast<size_t>(shape.batch * shape.seq_len * stride()), NAN);
    for (int64_t r = 0; r < shape.batch * shape.seq_len; ++r) {
      for (int64_t d = 0; d < shape.dim; ++d) rows[r * stride() + d] = dense[r * shape.dim + d];
    }
    return rows;
  }
  std::vector<float> x_rows_, grad_rows_;
};

struct ConvValues {
  std::vector<double> x, weight, bias, initial;
};

struct ConvResult {
  std::vector<double> out, final_states;
};

inline ConvValues conv_values(const ConvProblem& p) {
  const auto widen = [](const std::vector<float>& v) { return std::vector<double>(v.begin(), v.end()); };
  ConvValues v = {widen(p.x), widen(p.weight), widen(p.bias), widen(p.initial)};
  if (!p.options.bias) v.bias.assign(v.bias.size(), 0);
  if (!p.options.initial) v.initial.assign(v.initial.size(), 0);
  return v;
}

/// Calls visit(sequence, d, begin, end, batch) for every sequence and channel.
template <typename Visit>
void for_each_conv_lane(const ConvShape& s, const Visit& visit) {
  for (int64_t i = 0; i < s.sequences(); ++i) {
    const bool packed = !s.offsets.empty();
    for (int64_t d = 0; d < s.dim; ++d) {
      visit(i, d, packed ? s.offsets[i] : int64_t{0}, packed ? s.offsets[i + 1] : s.seq_len, packed ? 0 : i);
    }
  }
}

/// Where the input of step t of a lane stands: in x, or (before the sequence) in the initial state.
struct ConvPlace {
  bool before;
  int64_t at;
};

inline ConvPlace conv_place(const ConvShape& s, int64_t i, int64_t d, int64_t begin, int64_t batch, int64_t t) {
  if (t < begin) return {true, (i * s.dim + d) * (s.width - 1) + t - begin + s.width - 1};
  return {false, (batch * s.seq_len + t) * s.dim + d};
}

inline double conv_pre(const ConvShape& s, const ConvValues& v, int64_t i, int64_t d, int64_t begin, int64_t batch,
                       int64_t t) {
  double pre = v.bias[d];
  for (int64_t w = 0; w < s.width; ++w) {
    const ConvPlace place = conv_place(s, i, d, begin, batch, t - s.width + 1 + w);
    pre += v.weight[d * s.width + w] * (place.before ? v.initial[place.at] : v.x[place.at]);
  }
  return pre;
}

inline ConvResult conv_oracle(const ConvShape& s, const ConvValues& v, bool silu) {
  ConvResult r = {std::vector<double>(v.x.size(), 0), std::vector<double>(v.initial.size(), 0)};
  for_each_conv_lane(s, [&](int64_t i, int64_t d, int64_t begin, int64_t end, int64_t batch) {
    for (int64_t t = begin; t < end; ++t) {
      const double pre = conv_pre(s, v, i, d, begin, batch, t);
      r.out[(batch * s.seq_len + t) * s.dim + d] = silu ? pre / (1 + std::exp(-pre)) : pre;
    }
    for (int64_t j = 0; j < s.width - 1; ++j) {
      const ConvPlace place = conv_place(s, i, d, begin, batch, end - s.width + 1 + j);
      r.final_states[(i * s.dim + d) * (s.width - 1) + j] = place.before ? v.initial[place.at] : v.x[place.at];
    }
  });
  return r;
}

/// Gradients of sum(grad_out * out) + sum(grad_final * final_states); grad_final may be empty.
inline ConvValues conv_oracle_backward(const ConvShape& s, const ConvValues& v, bool silu,
                                       const std::vector<float>& grad_out, const std::vector<float>& grad_final) {
  ConvValues g = {std::vector<double>(v.x.size(), 0), std::vector<double>(v.weight.size(), 0),
                  std::vector<double>(v.bias.size(), 0), std::vector<double>(v.initial.size(), 0)};
  for_each_conv_lane(s, [&](int64_t i, int64_t d, int64_t begin, int64_t end, int64_t batch) {
    const auto add = [&](int64_t t, double value) {
      const ConvPlace place = conv_place(s, i, d, begin, batch, t);
      (place.before ? g.initial : g.x)[place.at] += value;
    };
    for (int64_t t = begin; t < end; ++t) {
      double grad = grad_out[(batch * s.seq_len + t) * s.dim + d];
      if (silu) {
        const double pre = conv_pre(s, v, i, d, begin, batch, t), sigma = 1 / (1 + std::exp(-pre));
        grad *= sigma * (1 + pre * (1 - sigma));
      }
      g.bias[d] += grad;
      for (int64_t w = 0; w < s.width; ++w) {
        const int64_t from = t - s.width + 1 + w;
        const ConvPlace place = conv_place(s, i, d, begin, batch, from);
        g.weight[d * s.width + w] += grad * (place.before ? v.initial[place.at] : v.x[place.at]);
        add(from, grad * v.weight[d * s.width + w]);
      }
    }
    for (int64_t j = 0; j < s.width - 1 && !grad_final.empty(); ++j) {
      add(end - s.width + 1 + j, grad_final[(i * s.dim + d) * (s.width - 1) + j]);
    }
  });
  return g;
}

/// The shapes that forward and backward run: every width, every tail, packing, sequences shorter than the width.
inline std::vector<ConvShape> conv_shapes() {
  std::vector<ConvShape> shapes;
  for (const int64_t width : {1, 2, 3, 4, 5, 6, 7, 8, 9, 33}) shapes.push_back({2, 37, 19, width, {}});
  for (const int64_t length : {0, 1, 2, 3, 15, 16, 17, 31, 33, 127, 129}) shapes.push_back({2, length, 17, 4, {}});
  for (const int64_t dim : {1, 7, 16, 33, 128, 331}) shapes.push_back({2, 41, dim, 4, {}});
  shapes.push_back({3, 1500, 5, 4, {}});
  shapes.push_back({1, 700, 20, 3, {}});
  shapes.push_back({1, 83, 18, 4, {0, 1, 1, 3, 17, 33, 80, 83}});
  shapes.push_back({1, 400, 6, 8, {0, 5, 300, 400}});
  shapes.push_back({0, 8, 4, 4, {}});
  return shapes;
}

}  // namespace statespace::test
