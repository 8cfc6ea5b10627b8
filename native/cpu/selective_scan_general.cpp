/// Selective scan, forward, in double and with complex A.
///
///   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t];  out[t] = (kappa Re sum_n C[t,n] h[t,n] + D u[t]) silu(z[t])
///
/// with kappa = 2 where A is complex. Oracle: packages/ssd-core selectiveScanRef;
/// native/test/float64_test.cpp holds a second one. Layout: lanes over channels, state after state through
/// chunks of 16 steps. Channels never mix, so no cut can change a bit.
#include "general_scan.h"
#include "isa_kernels.h"
#include "parallel.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

template <typename Real, bool kComplex>
class ForwardScan : GeneralScan<Real, kComplex> {
  using Base = GeneralScan<Real, kComplex>;
  using Vector = typename Base::Vector;
  static constexpr int64_t kWidth = Base::kWidth;

 public:
  static Status run(const SelectiveScanArgsOf<Real>& args) noexcept {
    const Status status = check_selective_scan(args);
    if (status != Status::kOk) return status;
    if (args.dim == 0) return Status::kOk;
    if (args.batch * args.seq_len > 0 && args.out.data == nullptr) return Status::kBadArgument;
    clear_padding(args.sequences, args.out, 1, args.dim);
    const int64_t sequences = sequence_count(args);
    if (sequences == 0) return Status::kOk;
    const ScanPlan plan(args, Base::tiles_per_block(args, 16), kWidth);
    if (!plan.ok()) return Status::kOutOfMemory;
    const typename Base::Tables tables(args, plan);
    const int64_t weights = kChunk * args.d_state * Base::kParts;
    const int64_t size = round_up(plan.widest() * Base::tile_size(args.d_state) + 2 * weights, 16);
    const int32_t workers = worker_limit();
    const Scratch memory(scratch_words<Real>(workers * size));
    if (!tables.memory.ok() || !memory.ok()) return Status::kOutOfMemory;
    const int64_t blocks = plan.block_count();
    for_chunks(sequences * blocks, workers, [&](int64_t item, int32_t worker) noexcept {
      ForwardScan(args, plan, tables, numbers_of<Real>(memory) + worker * size)
          .scan_block(sequence_at(args, item / blocks), plan.block(item % blocks));
    });
    return Status::kOk;
  }

 private:
  ForwardScan(const SelectiveScanArgsOf<Real>& args, const ScanPlan& plan, const typename Base::Tables& tables,
              Real* memory) noexcept
      : args_(args),
        plan_(plan),
        tables_(tables),
        B_(memory),
        C_(B_ + kChunk * args.d_state * Base::kParts),
        states_(C_ + kChunk * args.d_state * Base::kParts) {}

  void scan_block(const SequenceSpan& span, const ScanBlock& block) noexcept {
    const int64_t N = args_.d_state, tile_size = Base::tile_size(N), rows = args_.dim * N * Base::kParts;
    for (int64_t i = 0; i < block.tiles; ++i) {
      Real* state = states_ + i * tile_size;
      if (args_.initial_state != nullptr && span.initial_row >= 0) {
        Base::tile_from_rows(args_.initial_state + span.initial_row * rows, tile(block, i), N, state);
      } else {
        for (int64_t k = 0; k < tile_size; ++k) state[k] = 0;
      }
    }
    for (int64_t begin = span.begin; begin < span.end; begin += kChunk) {
      const int64_t steps = smaller(kChunk, span.end - begin);
      if (!tables_.constant_B) Base::read_weights(args_.B, span.batch, begin, steps, block.b_group, N, B_);
      if (!tables_.constant_C) Base::read_weights(args_.C, span.batch, begin, steps, block.c_group, N, C_);
      for (int64_t i = 0; i < block.tiles; ++i) {
        scan_tile(span.batch, begin, steps, block.first_tile + i, states_ + i * tile_size);
      }
    }
    if (args_.last_state == nullptr || span.final_row < 0) return;
    for (int64_t i = 0; i < block.tiles; ++i) {
      Base::rows_from_tile(states_ + i * tile_size, tile(block, i), N, args_.last_state + span.final_row * rows);
    }
  }

  void scan_tile(int64_t batch, int64_t begin, int64_t steps, int64_t index, Real* state) noexcept {
    const ScanTile& at = plan_.tile(index);
    const int64_t N = args_.d_state, table = index * Base::tile_size(N);
    typename Base::Steps data;
    data.load(args_, batch, begin, steps, at);
    const Vector skip = Base::channel_numbers(args_.D, at);
    Real y[Base::kRows];
    for (int64_t i = 0; i < steps * kWidth; i += kWidth) store_vector<Real>(y + i, skip * load_vector(data.u + i));
    const typename Base::Weights B = {B_, tables_.B(table), N * Base::kParts};
    const typename Base::Weights C = {C_, tables_.C(table), N * Base::kParts};
    for (int64_t n = 0; n < N; ++n) {
      const int64_t place = n * Base::kParts * kWidth;
      typename Base::Complex h = Base::load_state(state + place);
      for (int64_t t = 0; t < steps; ++t) {
        const auto decay = Base::decay_of(load_vector(data.delta + t * kWidth), tables_.rates(table) + place);
        const Vector drive = load_vector(data.drive + t * kWidth);
        const auto b = B.at(t, n), c = C.at(t, n);
        h = Base::product(decay, h);
        h.re += drive * b.re;
        Vector part = c.re * h.re;
        if constexpr (kComplex) {
          h.im += drive * b.im;
          part = 2 * (c.re * h.re - c.im * h.im);
        }
        store_vector<Real>(y + t * kWidth, load_vector(y + t * kWidth) + part);
      }
      Base::store_state(state + place, h);
    }
    if (args_.z.data != nullptr) {
      Real z[Base::kRows];
      Base::read_channels(args_.z, args_.dim, batch, begin, steps, at, z);
      for (int64_t i = 0; i < steps * kWidth; i += kWidth) {
        store_vector<Real>(y + i, load_vector(y + i) * real_silu<Real>(load_vector(z + i)));
      }
    }
    Base::write_channels(y, args_.out, args_.dim, batch, begin, steps, at);
  }

  const ScanTile& tile(const ScanBlock& block, int64_t i) const noexcept { return plan_.tile(block.first_tile + i); }

  const SelectiveScanArgsOf<Real>& args_;
  const ScanPlan& plan_;
  const typename Base::Tables& tables_;
  Real* B_;
  Real* C_;
  Real* states_;
};

}  // namespace

Status selective_scan_f64(const SelectiveScanArgsOf<double>& args) noexcept {
  return ForwardScan<double, false>::run(args);
}
Status selective_scan_c64(const SelectiveScanArgsOf<float>& args) noexcept {
  return ForwardScan<float, true>::run(args);
}
Status selective_scan_c128(const SelectiveScanArgsOf<double>& args) noexcept {
  return ForwardScan<double, true>::run(args);
}

}  // namespace statespace::STATESPACE_ISA_NS
