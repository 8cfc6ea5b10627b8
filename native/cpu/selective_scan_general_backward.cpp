/// Selective scan, backward, in double and with complex A. A star is the complex conjugate:
///
///   g[t] = kappa dy[t] C[t]* + R[t],  R[t-1] = exp(Delta[t] A)* g[t],  p[t] = exp(Delta[t] A) h[t-1]
///   du = D dy + Delta Re<g,B*>,  dDelta = u Re<g,B*> + Re<g, A* p*>,  dA = sum Delta g p*,  dB = sum_d Delta u g,
///   dC = sum_d kappa dy h*,  dz = dout y silu'(z),  dy = dout silu(z)
///
/// Oracle: packages/ssd-core selectiveScanBackwardRef; native/test/float64_test.cpp holds a second one.
/// Layout: as forward. States are rebuilt from those before each segment of chunks and before each chunk of the segment
/// in hand, about the square root of the length of either. dB and dC of a block go to a row of their own, and what is
/// summed over sequences to one row per run of them; rows are added in order, so no thread count changes a bit.
#include "general_scan.h"
#include "isa_kernels.h"
#include "parallel.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

constexpr int64_t kMostRuns = 64;

template <typename Real, bool kComplex>
class BackwardScan : GeneralScan<Real, kComplex> {
  using Base = GeneralScan<Real, kComplex>;
  using Vector = typename Base::Vector;
  using Complex = typename Base::Complex;
  static constexpr int64_t kWidth = Base::kWidth, kParts = Base::kParts, kRows = Base::kRows;

  /// Where sums over channels or sequences go before they are added: [slot] or [run] of the gradient's shape.
  struct Sums {
    Scratch B, C, A, D, bias;
    int64_t B_size, C_size;
    int64_t slots_B, slots_C, runs;

    Sums(const SelectiveScanBackwardArgsOf<Real>& args, const ScanPlan& plan, int64_t run_count) noexcept
        : B(scratch_words<Real>(args.grad_B.data == nullptr ? 0 : rows(args.b_groups, plan.b_slots(), run_count) *
                                                                       weights(args, args.b_groups))),
          C(scratch_words<Real>(args.grad_C.data == nullptr ? 0 : rows(args.c_groups, plan.c_slots(), run_count) *
                                                                       weights(args, args.c_groups))),
          A(scratch_words<Real>(args.grad_A == nullptr ? 0 : run_count * weights(args, 0))),
          D(scratch_words<Real>(args.grad_D == nullptr ? 0 : run_count * args.dim)),
          bias(scratch_words<Real>(args.grad_delta_bias == nullptr ? 0 : run_count * args.dim)),
          B_size(weights(args, args.b_groups)),
          C_size(weights(args, args.c_groups)),
          slots_B(rows(args.b_groups, plan.b_slots(), run_count)),
          slots_C(rows(args.c_groups, plan.c_slots(), run_count)),
          runs(run_count) {}
    bool ok() const noexcept { return B.ok() && C.ok() && A.ok() && D.ok() && bias.ok(); }

    /// Numbers of B or C, or of A for no groups.
    static int64_t weights(const SelectiveScanInputsOf<Real>& args, int64_t groups) noexcept {
      const int64_t outer = groups == 0 ? args.dim : args.batch * args.seq_len * groups;
      return outer * args.d_state * kParts;
    }
    static int64_t rows(int64_t groups, int64_t slots, int64_t run_count) noexcept {
      return groups == 0 ? run_count : slots;
    }
  };

 public:
  static Status run(const SelectiveScanBackwardArgsOf<Real>& args) noexcept {
    const Status status = check_selective_scan(args);
    if (status != Status::kOk) return status;
    if (args.batch * args.seq_len * args.dim > 0 && args.grad_out.data == nullptr) return Status::kBadArgument;
    if (args.grad_z.data != nullptr && args.z.data == nullptr && args.batch * args.seq_len > 0) {
      return Status::kBadArgument;
    }
    const int64_t sequences = sequence_count(args);
    const int64_t runs = larger<int64_t>(1, smaller(kMostRuns, sequences));
    const ScanPlan plan(args, Base::tiles_per_block(args, 8), kWidth);
    if (!plan.ok()) return Status::kOutOfMemory;
    const typename Base::Tables tables(args, plan);
    const Sums sums(args, plan, runs);
    if (!tables.memory.ok() || !sums.ok()) return Status::kOutOfMemory;
    clear_sums(args, sums);
    if (args.dim > 0) {
      const Status done = run_items(args, plan, tables, sums);
      if (done != Status::kOk) return done;
    }
    store_sums(args, sums);
    clear_padding(args.sequences, args.grad_u, 1, args.dim);
    clear_padding(args.sequences, args.grad_delta, 1, args.dim);
    clear_padding(args.sequences, args.grad_z, 1, args.dim);
    return Status::kOk;
  }

 private:
  static Status run_items(const SelectiveScanBackwardArgsOf<Real>& args, const ScanPlan& plan,
                          const typename Base::Tables& tables, const Sums& sums) noexcept {
    const int64_t chunks = ceil_div(longest_sequence(args), kChunk);
    int64_t segment = 1;
    while (segment * segment < chunks) ++segment;
    const int64_t block = plan.widest() * Base::tile_size(args.d_state);
    const int64_t weights = kChunk * args.d_state * kParts;
    const int64_t size = round_up(4 * weights + (5 + ceil_div(chunks, segment) + segment) * block +
                                      2 * plan.widest() * kWidth, 16);
    const int32_t workers = worker_limit();
    const Scratch memory(scratch_words<Real>(workers * size));
    if (!memory.ok()) return Status::kOutOfMemory;
    const int64_t blocks = plan.block_count();
    for_chunks(sums.runs * blocks, workers, [&](int64_t item, int32_t worker) noexcept {
      BackwardScan scan(args, plan, tables, sums, segment, numbers_of<Real>(memory) + worker * size);
      scan.adjoint_run(item / blocks, plan.block(item % blocks));
    });
    return Status::kOk;
  }

  BackwardScan(const SelectiveScanBackwardArgsOf<Real>& args, const ScanPlan& plan,
               const typename Base::Tables& tables, const Sums& sums, int64_t segment, Real* memory) noexcept
      : args_(args), plan_(plan), tables_(tables), sums_(sums), segment_(segment) {
    const int64_t block = plan.widest() * Base::tile_size(args.d_state);
    const int64_t weights = kChunk * args.d_state * kParts;
    const auto take = [&memory](int64_t count) {
      Real* piece = memory;
      memory += count;
      return piece;
    };
    B_ = take(weights), C_ = take(weights), grad_B_ = take(weights), grad_C_ = take(weights);
    R_ = take(block), grad_A_ = take(block), constant_B_ = take(block), constant_C_ = take(block);
    state_ = take(block);
    grad_D_ = take(plan.widest() * kWidth), grad_bias_ = take(plan.widest() * kWidth);
    checkpoints_ = take(segment * block);
    segments_ = memory;
  }

  void adjoint_run(int64_t run, const ScanBlock& block) noexcept {
    block_ = &block;
    block_size_ = block.tiles * Base::tile_size(args_.d_state);
    clear(grad_A_, block_size_);
    clear(constant_B_, block_size_);
    clear(constant_C_, block_size_);
    clear(grad_D_, block.tiles * kWidth);
    clear(grad_bias_, block.tiles * kWidth);
    const int64_t sequences = sequence_count(args_);
    for (int64_t i = sequences * run / sums_.runs; i < sequences * (run + 1) / sums_.runs; ++i) {
      adjoint_sequence(sequence_at(args_, i));
    }
    const int64_t N = args_.d_state, tile_size = Base::tile_size(N), A_size = args_.dim * N * kParts;
    for (int64_t i = 0; i < block.tiles; ++i) {
      const ScanTile& at = tile(i);
      const auto put = [&](const Scratch& to, const Real* from) {
        if (to.data() != nullptr) Base::rows_from_tile(from + i * tile_size, at, N, numbers_of<Real>(to) + run * A_size);
      };
      if (args_.grad_A != nullptr) put(sums_.A, grad_A_);
      if (args_.grad_B.data != nullptr && tables_.constant_B) put(sums_.B, constant_B_);
      if (args_.grad_C.data != nullptr && tables_.constant_C) put(sums_.C, constant_C_);
      for (int64_t lane = 0; lane < at.lanes; ++lane) {
        const int64_t place = run * args_.dim + at.channel + lane;
        if (args_.grad_D != nullptr) numbers_of<Real>(sums_.D)[place] = grad_D_[i * kWidth + lane];
        if (args_.grad_delta_bias != nullptr) numbers_of<Real>(sums_.bias)[place] = grad_bias_[i * kWidth + lane];
      }
    }
  }

  void adjoint_sequence(const SequenceSpan& span) noexcept {
    const int64_t N = args_.d_state, tile_size = Base::tile_size(N), rows = args_.dim * N * kParts;
    const auto load = [&](const Real* states, int64_t row, Real* to) {
      if (states == nullptr || row < 0) return clear(to, block_size_);
      for (int64_t i = 0; i < block_->tiles; ++i) {
        Base::tile_from_rows(states + row * rows, tile(i), N, to + i * tile_size);
      }
    };
    load(args_.grad_last_state, span.final_row, R_);
    load(args_.initial_state, span.initial_row, state_);
    const int64_t chunks = ceil_div(span.end - span.begin, kChunk), segments = ceil_div(chunks, segment_);
    for (int64_t s = 0; s < segments; ++s) {
      copy(state_, segments_ + s * block_size_);
      if (s + 1 < segments) advance(span, s * segment_, (s + 1) * segment_, nullptr);
    }
    for (int64_t s = segments; s-- > 0;) {
      const int64_t from = s * segment_, to = smaller(chunks, from + segment_);
      copy(segments_ + s * block_size_, state_);
      advance(span, from, to, checkpoints_);
      for (int64_t chunk = to; chunk-- > from;) {
        adjoint_chunk(span, span.begin + chunk * kChunk, checkpoints_ + (chunk - from) * block_size_);
      }
    }
    if (args_.grad_initial_state == nullptr || span.initial_row < 0) return;
    for (int64_t i = 0; i < block_->tiles; ++i) {
      Base::rows_from_tile(R_ + i * tile_size, tile(i), N, args_.grad_initial_state + span.initial_row * rows);
    }
  }

  /// Takes `state_` over chunks [from, to); `keep` gets the state before each of them, and then the last is not run.
  void advance(const SequenceSpan& span, int64_t from, int64_t to, Real* keep) noexcept {
    const int64_t N = args_.d_state, tile_size = Base::tile_size(N);
    for (int64_t chunk = from; chunk < to; ++chunk) {
      if (keep != nullptr) {
        copy(state_, keep + (chunk - from) * block_size_);
        if (chunk + 1 == to) return;
      }
      const int64_t begin = span.begin + chunk * kChunk, steps = smaller(kChunk, span.end - begin);
      if (!tables_.constant_B) Base::read_weights(args_.B, span.batch, begin, steps, block_->b_group, N, B_);
      for (int64_t i = 0; i < block_->tiles; ++i) {
        typename Base::Steps data;
        data.load(args_, span.batch, begin, steps, tile(i));
        const int64_t table = (block_->first_tile + i) * tile_size;
        const typename Base::Weights B = {B_, tables_.B(table), N * kParts};
        for (int64_t n = 0; n < N; ++n) {
          Real* place = state_ + i * tile_size + n * kParts * kWidth;
          Complex h = Base::load_state(place);
          for (int64_t t = 0; t < steps; ++t) {
            h = Base::product(decay_at(data, table, n, t), h);
            add_drive(data, B, n, t, h);
          }
          Base::store_state(place, h);
        }
      }
    }
  }

  static STATESPACE_FORCED void add_drive(const typename Base::Steps& data, const typename Base::Weights& B, int64_t n,
                                          int64_t t, Complex& h) {
    const Vector drive = load_vector(data.drive + t * kWidth);
    const Complex b = B.at(t, n);
    h.re += drive * b.re;
    if constexpr (kComplex) h.im += drive * b.im;
  }
  STATESPACE_FORCED Complex decay_at(const typename Base::Steps& data, int64_t table, int64_t n, int64_t t) const {
    return Base::decay_of(load_vector(data.delta + t * kWidth), tables_.rates(table) + n * kParts * kWidth);
  }

  void adjoint_chunk(const SequenceSpan& span, int64_t begin, const Real* checkpoint) noexcept {
    const int64_t N = args_.d_state, steps = smaller(kChunk, span.end - begin), row = N * kParts;
    if (!tables_.constant_B) Base::read_weights(args_.B, span.batch, begin, steps, block_->b_group, N, B_);
    if (!tables_.constant_C) Base::read_weights(args_.C, span.batch, begin, steps, block_->c_group, N, C_);
    clear(grad_B_, steps * row);
    clear(grad_C_, steps * row);
    for (int64_t i = 0; i < block_->tiles; ++i) adjoint_tile(span.batch, begin, steps, i, checkpoint);
    const int64_t at = span.batch * args_.seq_len + begin;
    const auto store = [&](const Scratch& to, int64_t size, int64_t slot, int64_t groups, int64_t group,
                           const Real* from) {
      Real* rows = numbers_of<Real>(to) + slot * size + (at * groups + group) * row;
      for (int64_t t = 0; t < steps; ++t) {
        for (int64_t k = 0; k < row; ++k) rows[t * groups * row + k] = from[t * row + k];
      }
    };
    if (args_.grad_B.data != nullptr && !tables_.constant_B) {
      store(sums_.B, sums_.B_size, block_->b_slot, args_.b_groups, block_->b_group, grad_B_);
    }
    if (args_.grad_C.data != nullptr && !tables_.constant_C) {
      store(sums_.C, sums_.C_size, block_->c_slot, args_.c_groups, block_->c_group, grad_C_);
    }
  }

  /// What the states of one tile leave behind for each step, [step][lane].
  struct TileSums {
    Real dy[kRows];
    Real inner[kRows];  // Re<g, B*>
    Real slope[kRows];  // Re<g, A* p*>
    Real y[kRows];
  };

  void adjoint_tile(int64_t batch, int64_t begin, int64_t steps, int64_t i, const Real* checkpoint) noexcept {
    const ScanTile& at = tile(i);
    const int64_t N = args_.d_state, tile_size = Base::tile_size(N), table = (block_->first_tile + i) * tile_size;
    typename Base::Steps data;
    data.load(args_, batch, begin, steps, at);
    Real grad_out[kRows], z[kRows];
    Base::read_channels(args_.grad_out, args_.dim, batch, begin, steps, at, grad_out);
    if (args_.z.data != nullptr) Base::read_channels(args_.z, args_.dim, batch, begin, steps, at, z);
    const Vector skip = Base::channel_numbers(args_.D, at);
    TileSums sums;
    for (int64_t k = 0; k < steps * kWidth; k += kWidth) {
      Vector dy = load_vector(grad_out + k);
      if (args_.z.data != nullptr) dy *= real_silu<Real>(load_vector(z + k));
      store_vector<Real>(sums.dy + k, dy);
      store_vector<Real>(sums.inner + k, Vector{});
      store_vector<Real>(sums.slope + k, Vector{});
      store_vector<Real>(sums.y + k, skip * load_vector(data.u + k));
    }
    for (int64_t n = 0; n < N; ++n) adjoint_state(data, steps, i, table, n, checkpoint, sums);
    finish_tile(batch, begin, steps, i, data, grad_out, z, sums);
  }

  void adjoint_state(const typename Base::Steps& data, int64_t steps, int64_t i, int64_t table, int64_t n,
                     const Real* checkpoint, TileSums& sums) noexcept {
    const int64_t N = args_.d_state, place = n * kParts * kWidth, at = i * Base::tile_size(N) + place;
    const typename Base::Weights B = {B_, tables_.B(table), N * kParts}, C = {C_, tables_.C(table), N * kParts};
    const Real kappa = kComplex ? 2 : 1;
    Complex decay[kChunk], carried[kChunk];
    Complex h = Base::load_state(checkpoint + at);
    Complex sum_C = Base::load_state(constant_C_ + at);
    for (int64_t t = 0; t < steps; ++t) {
      decay[t] = decay_at(data, table, n, t);
      carried[t] = h = Base::product(decay[t], h);
      add_drive(data, B, n, t, h);
      const Complex c = C.at(t, n);
      const Vector dy = kappa * load_vector(sums.dy + t * kWidth);
      Vector part = c.re * h.re;
      if constexpr (kComplex) part = kappa * (part - c.im * h.im);
      store_vector<Real>(sums.y + t * kWidth, load_vector(sums.y + t * kWidth) + part);
      add_weight(dy * h.re, kComplex ? -(dy * h.im) : Vector{}, tables_.constant_C, t, n, grad_C_, sum_C);
    }
    Base::store_state(constant_C_ + at, sum_C);
    const Complex rate = Base::load_state(tables_.rates(table) + place);
    Complex R = Base::load_state(R_ + at), sum_A = Base::load_state(grad_A_ + at);
    Complex sum_B = Base::load_state(constant_B_ + at);
    for (int64_t t = steps; t-- > 0;) {
      const Vector dy = kappa * load_vector(sums.dy + t * kWidth), delta = load_vector(data.delta + t * kWidth);
      const Complex c = C.at(t, n);
      Complex g = {dy * c.re + R.re, Vector{}};
      if constexpr (kComplex) g.im = R.im - dy * c.im;
      const Complex q = Base::product_conjugate(g, carried[t]);
      sum_A.re += delta * q.re;
      if constexpr (kComplex) sum_A.im += delta * q.im;
      store_vector<Real>(sums.inner + t * kWidth, load_vector(sums.inner + t * kWidth) + Base::inner(g, B.at(t, n)));
      store_vector<Real>(sums.slope + t * kWidth, load_vector(sums.slope + t * kWidth) + Base::inner(q, rate));
      const Vector drive = load_vector(data.drive + t * kWidth);
      add_weight(drive * g.re, kComplex ? drive * g.im : Vector{}, tables_.constant_B, t, n, grad_B_, sum_B);
      R = Base::product_conjugate(g, decay[t]);
    }
    Base::store_state(R_ + at, R);
    Base::store_state(grad_A_ + at, sum_A);
    Base::store_state(constant_B_ + at, sum_B);
  }

  /// Adds a gradient of B or C: by channel where it is constant, else over the channels of the tile.
  STATESPACE_FORCED void add_weight(const Vector& re, const Vector& im, bool constant, int64_t t, int64_t n, Real* rows,
                                    Complex& by_channel) const {
    if (constant) {
      by_channel.re += re;
      if constexpr (kComplex) by_channel.im += im;
      return;
    }
    Real* to = rows + (t * args_.d_state + n) * kParts;
    to[0] += lane_total<Real>(re);
    if constexpr (kComplex) to[1] += lane_total<Real>(im);
  }

  void finish_tile(int64_t batch, int64_t begin, int64_t steps, int64_t i, const typename Base::Steps& data,
                   const Real* grad_out, const Real* z, TileSums& sums) noexcept {
    const ScanTile& at = tile(i);
    const Vector skip = Base::channel_numbers(args_.D, at);
    Vector sum_D = load_vector(grad_D_ + i * kWidth), sum_bias = load_vector(grad_bias_ + i * kWidth);
    for (int64_t k = 0; k < steps * kWidth; k += kWidth) {
      const Vector dy = load_vector(sums.dy + k), inner = load_vector(sums.inner + k), u = load_vector(data.u + k);
      Vector ddelta = u * inner + load_vector(sums.slope + k);
      if (args_.delta_softplus) ddelta *= real_softplus_slope<Real>(load_vector(data.raw + k));
      if (args_.grad_z.data != nullptr) {
        const Vector dz = load_vector(grad_out + k) * load_vector(sums.y + k) * real_silu_slope<Real>(load_vector(z + k));
        store_vector<Real>(sums.y + k, dz);
      }
      store_vector<Real>(sums.inner + k, skip * dy + load_vector(data.delta + k) * inner);
      store_vector<Real>(sums.slope + k, ddelta);
      sum_D += dy * u;
      sum_bias += ddelta;
    }
    store_vector<Real>(grad_D_ + i * kWidth, sum_D);
    store_vector<Real>(grad_bias_ + i * kWidth, sum_bias);
    Base::write_channels(sums.inner, args_.grad_u, args_.dim, batch, begin, steps, at);
    Base::write_channels(sums.slope, args_.grad_delta, args_.dim, batch, begin, steps, at);
    Base::write_channels(sums.y, args_.grad_z, args_.dim, batch, begin, steps, at);
  }

  static void clear_sums(const SelectiveScanBackwardArgsOf<Real>& args, const Sums& sums) noexcept {
    // Padding is in no chunk, and groups may have fewer slots than others.
    if (args.grad_B.data != nullptr) clear(numbers_of<Real>(sums.B), sums.slots_B * sums.B_size);
    if (args.grad_C.data != nullptr) clear(numbers_of<Real>(sums.C), sums.slots_C * sums.C_size);
  }

  static void store_sums(const SelectiveScanBackwardArgsOf<Real>& args, const Sums& sums) noexcept {
    const int64_t A_size = args.dim * args.d_state * kParts;
    const auto total = [](const Scratch& rows, int64_t count, int64_t size) {
      Real* sum = numbers_of<Real>(rows);
      for_ranges(size, 4096, [&](int64_t begin, int64_t end) noexcept {
        for (int64_t r = 1; r < count; ++r) {
          for (int64_t k = begin; k < end; ++k) sum[k] += sum[r * size + k];
        }
      });
      return static_cast<const Real*>(sum);
    };
    const auto put = [&](const Scratch& rows, int64_t count, int64_t size, Real* to) {
      if (to == nullptr || size == 0) return;
      const Real* sum = total(rows, count, size);
      for (int64_t k = 0; k < size; ++k) to[k] = sum[k];
    };
    put(sums.A, sums.runs, A_size, args.grad_A);
    put(sums.D, sums.runs, args.dim, args.grad_D);
    put(sums.bias, sums.runs, args.dim, args.grad_delta_bias);
    const auto put_weights = [&](const Scratch& rows, int64_t count, int64_t size, int64_t groups,
                                 const SequenceTarget& to) {
      if (groups == 0) return put(rows, count, size, static_cast<Real*>(to.data));
      if (to.data == nullptr || size == 0) return;
      Base::write_weights(total(rows, count, size), args.batch, args.seq_len, groups, args.d_state, to);
    };
    put_weights(sums.B, sums.slots_B, sums.B_size, args.b_groups, args.grad_B);
    put_weights(sums.C, sums.slots_C, sums.C_size, args.c_groups, args.grad_C);
  }

  static void clear(Real* to, int64_t count) noexcept {
    for (int64_t k = 0; k < count; ++k) to[k] = 0;
  }
  void copy(const Real* from, Real* to) const noexcept {
    for (int64_t k = 0; k < block_size_; ++k) to[k] = from[k];
  }
  const ScanTile& tile(int64_t i) const noexcept { return plan_.tile(block_->first_tile + i); }

  const SelectiveScanBackwardArgsOf<Real>& args_;
  const ScanPlan& plan_;
  const typename Base::Tables& tables_;
  const Sums& sums_;
  int64_t segment_;
  const ScanBlock* block_ = nullptr;
  int64_t block_size_ = 0;
  Real *B_, *C_, *grad_B_, *grad_C_, *R_, *grad_A_, *constant_B_, *constant_C_, *state_, *grad_D_,
      *grad_bias_, *checkpoints_, *segments_;
};

}  // namespace

Status selective_scan_backward_f64(const SelectiveScanBackwardArgsOf<double>& args) noexcept {
  return BackwardScan<double, false>::run(args);
}
Status selective_scan_backward_c64(const SelectiveScanBackwardArgsOf<float>& args) noexcept {
  return BackwardScan<float, true>::run(args);
}
Status selective_scan_backward_c128(const SelectiveScanBackwardArgsOf<double>& args) noexcept {
  return BackwardScan<double, true>::run(args);
}

}  // namespace statespace::STATESPACE_ISA_NS
