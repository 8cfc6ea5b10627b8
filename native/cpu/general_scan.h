/// What both directions of the selective scan in double, and of the complex one, share: one vector of channels at a time,
/// in chunks of 16 steps, with rows of any format read into a worker's memory.
#pragma once

#include "number_format.h"
#include "real_vector.h"
#include "argument_checks.h"
#include "scan_tiles.h"
#include "stored_rows.h"

namespace statespace::STATESPACE_ISA_NS {

/// Calls with_type(T{}) for the C++ type of a float format.
template <typename WithType>
STATESPACE_INLINE void with_float_type(DType dtype, const WithType& with_type) {
  if (dtype == DType::kF32) with_type(float{});
  if (dtype == DType::kF64) with_type(double{});
  if (dtype == DType::kF16) with_type(F16{});
  if (dtype == DType::kBf16) with_type(Bf16{});
}

/// Words of Scratch, which counts floats, for `count` numbers.
template <typename Real>
STATESPACE_INLINE int64_t scratch_words(int64_t count) {
  return count * static_cast<int64_t>(sizeof(Real) / sizeof(float));
}

template <typename Real>
STATESPACE_INLINE Real* numbers_of(const Scratch& scratch) {
  return reinterpret_cast<Real*>(scratch.data());
}

/// The kernels of one precision; a complex number is kParts numbers.
template <typename Real, bool kComplex>
struct GeneralScan {
  using Vector = VectorOf<Real>;
  static constexpr int64_t kWidth = kRealLanes<Real>;
  static constexpr int64_t kParts = kComplex ? 2 : 1;
  static constexpr int64_t kRows = kChunk * kWidth;

  /// Numbers of one state of one vector of channels.
  static int64_t tile_size(int64_t d_state) noexcept { return d_state * kParts * kWidth; }

  struct Complex {
    Vector re, im;
  };

  /// exp(delta A) of one state.
  static STATESPACE_FORCED Complex decay_of(const Vector& delta, const Real* rate) {
    const Vector size = real_exp<Real>(delta * load_vector(rate));
    if constexpr (!kComplex) return {size, Vector{}};
    const SineCosine<Real> turn = sine_cosine<Real>(delta * load_vector(rate + kWidth));
    return {size * turn.cosine, size * turn.sine};
  }

  static STATESPACE_FORCED Complex load_state(const Real* at) {
    return {load_vector(at), kComplex ? load_vector(at + (kParts - 1) * kWidth) : Vector{}};
  }
  static STATESPACE_FORCED void store_state(Real* at, const Complex& h) {
    store_vector<Real>(at, h.re);
    if constexpr (kComplex) store_vector<Real>(at + kWidth, h.im);
  }
  static STATESPACE_FORCED Complex product(const Complex& a, const Complex& b) {
    if constexpr (!kComplex) return {a.re * b.re, Vector{}};
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  /// a conj(b)
  static STATESPACE_FORCED Complex product_conjugate(const Complex& a, const Complex& b) {
    if constexpr (!kComplex) return {a.re * b.re, Vector{}};
    return {a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im};
  }
  /// Re(a conj(b))
  static STATESPACE_FORCED Vector inner(const Complex& a, const Complex& b) {
    if constexpr (!kComplex) return a.re * b.re;
    return a.re * b.re + a.im * b.im;
  }

  /// B or C of one chunk: rows that all channels share, [step][n][part], or numbers of each channel, [n][part][lane].
  struct Weights {
    const Real* rows;
    const Real* constant;  // null when it varies
    int64_t row;           // numbers of a step

    STATESPACE_FORCED Complex at(int64_t t, int64_t n) const {
      if (constant != nullptr) return load_state(constant + n * kParts * kWidth);
      const Real* w = rows + t * row + n * kParts;
      return {vector_of<Real>(w[0]), kComplex ? vector_of<Real>(w[kParts - 1]) : Vector{}};
    }
  };

  /// Copies rows (channel, n, part) of a (dim, N) tensor into lanes, [n][part][lane], 0 beyond the tile.
  static void tile_from_rows(const Real* from, const ScanTile& tile, int64_t d_state, Real* to) noexcept {
    const int64_t row = d_state * kParts;
    for (int64_t i = 0; i < row; ++i) {
      for (int64_t lane = 0; lane < kWidth; ++lane) {
        to[i * kWidth + lane] = lane < tile.lanes ? from[(tile.channel + lane) * row + i] : Real{0};
      }
    }
  }
  static void rows_from_tile(const Real* from, const ScanTile& tile, int64_t d_state, Real* to) noexcept {
    const int64_t row = d_state * kParts;
    for (int64_t lane = 0; lane < tile.lanes; ++lane) {
      for (int64_t i = 0; i < row; ++i) to[(tile.channel + lane) * row + i] = from[i * kWidth + lane];
    }
  }

  /// Rows [begin, begin + steps) of one group of a (B, L, G, N) tensor as [step][n][part].
  static void read_weights(const SequenceView& view, int64_t batch, int64_t begin, int64_t steps, int64_t group,
                           int64_t d_state, Real* to) noexcept {
    const int64_t outer = outer_stride(view, d_state);
    with_float_type(view.dtype, [&](auto type) noexcept {
      const auto* data = static_cast<const decltype(type)*>(view.data);
      for (int64_t t = 0; t < steps; ++t) {
        const auto* row = data + batch * view.batch_stride + (begin + t) * view.len_stride + group * outer;
        for (int64_t n = 0; n < d_state; ++n) {
          for (int64_t part = 0; part < kParts; ++part) {
            *to++ = static_cast<Real>(to_double(row[n * view.inner_stride + part]));
          }
        }
      }
    });
  }

  /// Writes a contiguous (B, L, G, N, part) tensor.
  static void write_weights(const Real* from, int64_t batch, int64_t seq_len, int64_t groups, int64_t d_state,
                            const SequenceTarget& target) noexcept {
    const int64_t outer = outer_stride(target, d_state);
    with_float_type(target.dtype, [&](auto type) noexcept {
      auto* data = static_cast<decltype(type)*>(target.data);
      for (int64_t row = 0; row < batch * seq_len; ++row) {
        for (int64_t g = 0; g < groups; ++g) {
          auto* to = data + row / seq_len * target.batch_stride + row % seq_len * target.len_stride + g * outer;
          for (int64_t n = 0; n < d_state; ++n) {
            for (int64_t part = 0; part < kParts; ++part) {
              from_double(static_cast<double>(*from++), to[n * target.inner_stride + part]);
            }
          }
        }
      }
    });
  }

  /// Rows of one tile of a (B, L, D) tensor as [step][lane]; lanes beyond the tile are 0.
  static void read_channels(const SequenceView& view, int64_t dim, int64_t batch, int64_t begin, int64_t steps,
                            const ScanTile& tile, Real* to) noexcept {
    if (tile.lanes < kWidth) {
      for (int64_t i = 0; i < steps * kWidth; ++i) to[i] = 0;
    }
    read_rows(view, {batch, begin, steps, tile.channel, tile.lanes, dim}, to, kWidth);
  }
  static void write_channels(const Real* from, const SequenceTarget& target, int64_t dim, int64_t batch, int64_t begin,
                             int64_t steps, const ScanTile& tile) noexcept {
    if (target.data == nullptr) return;
    write_rows(from, kWidth, target, {batch, begin, steps, tile.channel, tile.lanes, dim});
  }

  /// The numbers of a (D) parameter of one tile; 0 where it is absent.
  static Vector channel_numbers(const Real* from, const ScanTile& tile) noexcept {
    Real lanes[kWidth] = {};
    for (int64_t i = 0; from != nullptr && i < tile.lanes; ++i) lanes[i] = from[tile.channel + i];
    return load_vector(lanes);
  }

  /// Step data of one tile and chunk, [step][lane].
  struct Steps {
    Real u[kRows];
    Real raw[kRows];    // delta + bias
    Real delta[kRows];  // Delta
    Real drive[kRows];  // Delta u

    void load(const SelectiveScanInputsOf<Real>& args, int64_t batch, int64_t begin, int64_t steps,
              const ScanTile& tile) noexcept {
      read_channels(args.u, args.dim, batch, begin, steps, tile, u);
      read_channels(args.delta, args.dim, batch, begin, steps, tile, raw);
      const Vector bias = channel_numbers(args.delta_bias, tile);
      for (int64_t i = 0; i < steps * kWidth; i += kWidth) {
        const Vector v = load_vector(raw + i) + bias;
        const Vector step = args.delta_softplus ? real_softplus<Real>(v) : v;
        store_vector<Real>(raw + i, v);
        store_vector<Real>(delta + i, step);
        store_vector<Real>(drive + i, step * load_vector(u + i));
      }
    }
  };

  /// Tables by tile, [tile][n][part][lane]: A, and B and C where they are constant.
  struct Tables {
    Scratch memory;
    int64_t size;
    bool constant_B, constant_C;

    Tables(const SelectiveScanInputsOf<Real>& args, const ScanPlan& plan) noexcept
        : memory(scratch_words<Real>(3 * plan.tile_count() * tile_size(args.d_state))),
          size(plan.tile_count() * tile_size(args.d_state)),
          constant_B(args.b_groups == 0),
          constant_C(args.c_groups == 0) {
      if (!memory.ok() || args.d_state == 0 || args.A == nullptr) return;
      for (int64_t i = 0; i < plan.tile_count(); ++i) {
        const int64_t at = i * tile_size(args.d_state);
        tile_from_rows(args.A, plan.tile(i), args.d_state, numbers() + at);
        if (constant_B) {
          tile_from_rows(static_cast<const Real*>(args.B.data), plan.tile(i), args.d_state, numbers() + size + at);
        }
        if (constant_C) {
          tile_from_rows(static_cast<const Real*>(args.C.data), plan.tile(i), args.d_state, numbers() + 2 * size + at);
        }
      }
    }
    Real* numbers() const noexcept { return numbers_of<Real>(memory); }
    const Real* rates(int64_t at) const noexcept { return numbers() + at; }
    const Real* B(int64_t at) const noexcept { return constant_B ? numbers() + size + at : nullptr; }
    const Real* C(int64_t at) const noexcept { return constant_C ? numbers() + 2 * size + at : nullptr; }
  };

  /// About `pieces` items of work, from the shape alone.
  static int64_t tiles_per_block(const SelectiveScanInputsOf<Real>& args, int64_t pieces) noexcept {
    const int64_t rows = larger<int64_t>(1, sequence_count(args));
    return larger<int64_t>(1, ceil_div(ceil_div(args.dim, kWidth), ceil_div(pieces, rows)));
  }

 private:
  template <typename Tensor>
  static int64_t outer_stride(const Tensor& tensor, int64_t d_state) noexcept {
    return tensor.outer_stride == kPackedOuter ? d_state * tensor.inner_stride : tensor.outer_stride;
  }
};

}  // namespace statespace::STATESPACE_ISA_NS
