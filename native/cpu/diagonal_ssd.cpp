/// Diagonal state-space-duality scan, forward.
///
///   H[t,p,n] = exp(Delta[t] A[n]) H[t-1,p,n] + Delta[t] x[t,p] B[t,n];  out[t] = (H[t] C[t] + D x[t]) silu(z[t])
///
/// Oracle: packages/ssd-core diagonalSsdRef; native/test/ssd_oracle.h holds a second one in double.
/// Layout: lanes run over head_dim. A worker takes a block of heads of one sequence and goes through it chunk by
/// chunk; inside a chunk, for a panel of channels and a few states at a time, the recurrence runs over all steps with
/// those states in registers. The decays are computed once per step and state and serve all channels of the head.
///
/// Why a recurrence and not matrix products, as in the scalar scan: there the scores C B' of a chunk serve all heads,
/// here each head has its own, and they cost as much as one more vector of channels. Against 3 products for a state and
/// step, products of chunks of 16 steps need 2, and for the scores 3 for every vector of steps. Both were measured, on
/// one core with AVX-512: at 64 channels and 16, 64, 128 states the recurrence took 0.64, 0.68, 0.83 of the time of
/// products, at 128 channels 0.75 (16 states) and 0.82 (128), at 256 channels and 128 states 0.92. It rounds less, too.
#include "diagonal_ssd_panel.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "ssd_stage.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Scratch of one worker.
struct Workspace {
  float* states;  // (heads, N * channels), in panels
  float* decays;  // (q, row)
  float* drive;   // Delta x, (q, channels)
  float* y;       // (q, channels)
  int64_t row;       // d_state in whole vectors
  int64_t channels;  // head_dim of the block in whole vectors

  static int64_t size(const SsdPlan& plan, int64_t d_state) noexcept {
    Workspace none;
    return none.lay_out(plan, d_state, nullptr);
  }

  /// Takes its parts from `memory`; returns how many floats they need.
  int64_t lay_out(const SsdPlan& plan, int64_t d_state, float* memory) noexcept {
    row = round_up(d_state, kLanes);
    channels = round_up(plan.p_block, kLanes);
    int64_t used = 0;
    const auto take = [&](int64_t count) noexcept {
      float* part = memory == nullptr ? nullptr : memory + used;
      used += round_up(count, 16);
      return part;
    };
    states = take(plan.heads_per_block * d_state * channels);
    decays = take(plan.chunk * row);
    drive = take(plan.chunk * channels);
    y = take(plan.chunk * channels);
    return used;
  }
};

/// Rows of `next` from channel p of the block on; none where the chunk ahead is shorter than this one.
RowsAhead rows_ahead(const DiagonalSsdArgs& args, const SsdItem& item, const NextChunk& next, int64_t q,
                     int64_t p) noexcept {
  RowsAhead ahead;
  if (next.steps < q) return ahead;
  const int64_t offset = next.head * args.head_dim + item.first_p + p;
  ahead.add(args.x, item.sequence.batch, next.begin, offset);
  ahead.add(args.out, item.sequence.batch, next.begin, offset);
  ahead.add(args.z, item.sequence.batch, next.begin, offset);
  return ahead;
}

/// drive = Delta x and y = D x, filled up with zeros to whole vectors.
void load_inputs(const DiagonalSsdArgs& args, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                 const float* delta, const Workspace& w) noexcept {
  const int64_t offset = head * args.head_dim + item.first_p;
  for (int64_t p = 0; p < item.p_count; p += kLanes) {
    const int64_t rest = item.p_count - p;
    Floats skip = {};
    if (args.D != nullptr) skip = args.d_has_head_dim ? load_rest(args.D + offset + p, rest) : broadcast(args.D[head]);
    for (int64_t t = 0; t < q; ++t) {
      const Floats x = load_rest(row_at(args.x, item.sequence.batch, begin + t) + offset + p, rest);
      store(w.drive + t * w.channels + p, x * delta[t]);
      store(w.y + t * w.channels + p, args.D != nullptr ? x * skip : Floats{});
    }
  }
}

/// out = y silu(z)
void store_output(const DiagonalSsdArgs& args, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                  const Workspace& w) noexcept {
  const int64_t offset = head * args.head_dim + item.first_p;
  for (int64_t t = 0; t < q; ++t) {
    const float* z = args.z.data == nullptr ? nullptr : row_at(args.z, item.sequence.batch, begin + t) + offset;
    float* out = row_at(args.out, item.sequence.batch, begin + t) + offset;
    for (int64_t p = 0; p < item.p_count; p += kLanes) {
      const int64_t rest = item.p_count - p;
      Floats value = load(w.y + t * w.channels + p);
      if (z != nullptr) value *= silu(load_rest(z + p, rest));
      store_rest(out + p, value, rest);
    }
  }
}

/// One head, one chunk: `state` goes from before the chunk to after it.
void scan_chunk(const DiagonalSsdArgs& args, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                const NextChunk& next, const Workspace& w, float* state) noexcept {
  alignas(64) float raw[kMaxChunk], delta[kMaxChunk];
  step_sizes(args, item.sequence, head, begin, q, raw, delta);
  load_inputs(args, item, head, begin, q, delta, w);
  if (args.d_state > 0) {
    chunk_decays(args.A + head * args.d_state, args.d_state, delta, q, w.decays);
    const int64_t weights = item.group * args.d_state;
    for_state_panels(item.p_count, [&](int64_t p, int64_t vectors, int64_t) {
      const PanelSteps steps = {w.decays,
                                w.row,
                                row_at(args.B, item.sequence.batch, begin) + weights,
                                args.B.len_stride,
                                row_at(args.C, item.sequence.batch, begin) + weights,
                                args.C.len_stride,
                                w.drive + p,
                                w.y + p,
                                w.channels,
                                rows_ahead(args, item, next, q, p)};
      advance_panel<true>(steps, q, vectors, args.d_state, state + p * args.d_state, state + p * args.d_state);
    });
  }
  store_output(args, item, head, begin, q, w);
}

void scan_item(const DiagonalSsdArgs& given, const SsdPlan& plan, const SsdItem& item, float* memory) noexcept {
  Workspace w;
  memory += w.lay_out(plan, given.d_state, memory);
  SsdForwardStage<DiagonalSsdArgs> stage(given, plan);
  stage.use(memory);
  const DiagonalSsdArgs& args = stage.args();
  const int64_t state_size = args.d_state * w.channels;
  const auto outside = [&](auto* states, int64_t row, int64_t i) noexcept {
    const int64_t head = row * args.n_heads + item.first_head + i;
    using States = decltype(states);
    return states == nullptr || row < 0 ? States{nullptr}
                                        : states + (head * args.head_dim + item.first_p) * args.d_state;
  };
  for (int64_t i = 0; i < item.heads; ++i) {
    load_panels(outside(args.initial_states, item.sequence.initial_row, i), item.p_count, args.d_state,
                w.states + i * state_size);
  }
  for (int64_t begin = item.sequence.begin; begin < item.sequence.end; begin += plan.chunk) {
    const int64_t q = smaller(plan.chunk, item.sequence.end - begin);
    const int64_t behind = begin + q;
    stage.load(item, begin, q);
    for (int64_t i = 0; i < item.heads; ++i) {
      const NextChunk next = i + 1 < item.heads
                                 ? NextChunk{item.first_head + i + 1, begin, q}
                                 : NextChunk{item.first_head, behind, smaller(q, item.sequence.end - behind)};
      scan_chunk(args, item, item.first_head + i, begin, q, next, w, w.states + i * state_size);
    }
    stage.store(item);
  }
  const int64_t final_row = item.sequence.final_row;
  if (args.final_states == nullptr || final_row < 0) return;
  for (int64_t i = 0; i < item.heads; ++i) {
    store_panels(w.states + i * state_size, item.p_count, args.d_state, outside(args.final_states, final_row, i));
  }
}

}  // namespace

Status diagonal_ssd(const DiagonalSsdArgs& args) noexcept {
  const Status status = check_diagonal_ssd(args);
  if (status != Status::kOk) return status;
  if (args.batch == 0 || args.n_heads == 0 || args.head_dim == 0) return Status::kOk;
  if (args.seq_len > 0 && args.out.data == nullptr) return Status::kBadArgument;
  clear_padding(args.sequences, args.out, args.n_heads, args.head_dim);
  if (sequence_count(args) == 0) return Status::kOk;
  const SsdPlan plan(args, 16, true);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), plan.items));
  const int64_t size = Workspace::size(plan, args.d_state) + SsdForwardStage<DiagonalSsdArgs>(args, plan).floats();
  const Scratch scratch(workers * size);
  if (!scratch.ok()) return Status::kOutOfMemory;
  for_chunks(plan.items, workers, [&](int64_t i, int32_t worker) noexcept {
    scan_item(args, plan, plan.item(args, i), scratch.data() + worker * size);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
