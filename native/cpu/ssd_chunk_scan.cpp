/// Chunked state-space-duality scan, forward.
///
///   1 diagonal     y[l]  = sum_{s <= l} (C[l] . B[s]) E[l,s] dt[s] x[s]
///   2 carried      y[l] += O[l] H C[l]
///   3 chunk state  H     = exp(S) H + sum_s R[s] dt[s] x[s] B[s]'
///
/// with the decays E between steps, O from the start and R to the end of the chunk, and S over all of it.
/// Source: Dao & Gu 2024, arXiv:2405.21060, section 6. Oracle: packages/ssd-core ssdChunkScanRef;
/// native/test/ssd_oracle.h holds a second one in double.
/// Layout: lanes run over head_dim, in panels of two vectors; the state of a panel is (N, panel) and contiguous, so
/// that one product reads it from L1 for the output of all steps of a chunk, and the next one updates it.
#include "gemm_kernel.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "ssd_chunk.h"
#include "ssd_product.h"
#include "ssd_stage.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Scratch of one worker.
struct Workspace {
  float* states;        // (heads, N * channels), panel after panel
  float* transposed_B;  // (N, width)
  float* scores;        // (q, width)
  float* masked;        // (q, width)
  float* drive;         // dt x, (q, channels)
  float* decayed;       // R dt x, (q, channels)
  float* y;             // (q, channels)
  int64_t width;
  int64_t channels;  // head_dim of the block in whole vectors

  static int64_t size(const SsdPlan& plan, int64_t d_state) noexcept {
    Workspace none;
    return none.lay_out(plan, d_state, nullptr);
  }

  /// Takes its parts from `memory`; returns how many floats they need.
  int64_t lay_out(const SsdPlan& plan, int64_t d_state, float* memory) noexcept {
    width = round_up(plan.chunk, kLanes);
    channels = round_up(plan.p_block, kLanes);
    int64_t used = 0;
    const auto take = [&](int64_t count) noexcept {
      float* part = memory == nullptr ? nullptr : memory + used;
      used += round_up(count, 16);
      return part;
    };
    states = take(plan.heads_per_block * d_state * channels);
    transposed_B = take(d_state * width);
    scores = take(plan.chunk * width);
    masked = take(plan.chunk * width);
    drive = take(plan.chunk * channels);
    decayed = take(plan.chunk * channels);
    y = take(plan.chunk * channels);
    return used;
  }
};

/// Calls visit(first channel, whole-vector width, channels that count) for every panel of the block.
template <typename Visit>
STATESPACE_INLINE void for_panels(int64_t p_count, const Visit& visit) {
  for (int64_t p = 0; p < p_count; p += kTileCols) {
    const int64_t count = smaller<int64_t>(kTileCols, p_count - p);
    visit(p, round_up(count, kLanes), count);
  }
}

int64_t state_offset(const SsdChunkScanInputs& args, const SsdItem& item, int64_t row, int64_t head) noexcept {
  return ((row * args.n_heads + head) * args.head_dim + item.first_p) * args.d_state;
}

void load_state(const SsdChunkScanArgs& args, const SsdItem& item, int64_t head, float* state) noexcept {
  const int64_t d_state = args.d_state, row = item.sequence.initial_row;
  const bool zero = args.initial_states == nullptr || row < 0;
  for_panels(item.p_count, [&](int64_t p, int64_t width, int64_t count) {
    float* panel = state + p * d_state;
    if (zero || count < width) {
      for (int64_t i = 0; i < d_state * width; ++i) panel[i] = 0;
    }
    if (zero) return;
    transpose_into(args.initial_states + state_offset(args, item, row, head) + p * d_state, d_state, count, d_state,
                   panel, width);
  });
}

void store_state(const SsdChunkScanArgs& args, const SsdItem& item, int64_t head, const float* state) noexcept {
  const int64_t d_state = args.d_state;
  for_panels(item.p_count, [&](int64_t p, int64_t width, int64_t count) {
    transpose_into(state + p * d_state, width, d_state, count,
                   args.final_states + state_offset(args, item, item.sequence.final_row, head) + p * d_state,
                   d_state);
  });
}

/// drive = dt x and decayed = R dt x, filled up with zeros to whole vectors.
void load_drive(const SsdChunkScanArgs& args, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                const ChunkSteps& steps, const Workspace& w) noexcept {
  for (int64_t t = 0; t < q; ++t) {
    const float* x = row_at(args.x, item.sequence.batch, begin + t) + head * args.head_dim + item.first_p;
    for (int64_t p = 0; p < item.p_count; p += kLanes) {
      const Floats value = load_rest(x + p, item.p_count - p) * steps.dt[t];
      store(w.drive + t * w.channels + p, value);
      store(w.decayed + t * w.channels + p, value * steps.to_end[t]);
    }
  }
}

/// out = (y + D x) silu(z)
void store_output(const SsdChunkScanArgs& args, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                  const Workspace& w) noexcept {
  const int64_t offset = head * args.head_dim + item.first_p;
  for (int64_t t = 0; t < q; ++t) {
    const float* x = row_at(args.x, item.sequence.batch, begin + t) + offset;
    const float* z = args.z.data == nullptr ? nullptr : row_at(args.z, item.sequence.batch, begin + t) + offset;
    float* out = row_at(args.out, item.sequence.batch, begin + t) + offset;
    for (int64_t p = 0; p < item.p_count; p += kLanes) {
      const int64_t lanes = item.p_count - p;
      Floats value = load(w.y + t * w.channels + p);
      if (args.D != nullptr) {
        const Floats skip = args.d_has_head_dim ? load_rest(args.D + offset + p, lanes) : broadcast(args.D[head]);
        value = fma(skip, load_rest(x + p, lanes), value);
      }
      if (z != nullptr) value *= silu(load_rest(z + p, lanes));
      store_rest(out + p, value, lanes);
    }
  }
}

/// One head, one chunk: `state` goes from before the chunk to after it.
void scan_chunk(const SsdChunkScanArgs& args, const SsdItem& item, int64_t head, int64_t begin, int64_t q,
                const Workspace& w, float* state) noexcept {
  ChunkSteps steps;
  load_steps(args, item.sequence, head, begin, q, steps);
  mask_scores(steps, q, w.width, w.scores, nullptr, w.masked);
  load_drive(args, item, head, begin, q, steps, w);
  const int64_t d_state = args.d_state;
  const float* B = d_state == 0 ? nullptr : row_at(args.B, item.sequence.batch, begin) + item.group * d_state;
  const float* C = d_state == 0 ? nullptr : row_at(args.C, item.sequence.batch, begin) + item.group * d_state;
  for_panels(item.p_count, [&](int64_t p, int64_t width, int64_t) {
    float* panel = state + p * d_state;
    Product output;
    output.first = {C, args.C.len_stride, 1, panel, width, d_state};
    output.row_scale = steps.from_start;
    output.second = {w.masked, w.width, 1, w.drive + p, w.channels, q};
    output.triangle = Triangle::kLower;
    output.c = w.y + p, output.c_row = w.channels;
    multiply(output, q, width);
    Product update;
    update.first = {B, 1, args.B.len_stride, w.decayed + p, w.channels, q};
    update.from = panel, update.factor = steps.whole;
    update.c = panel, update.c_row = width;
    multiply(update, d_state, width);
  });
  store_output(args, item, head, begin, q, w);
}

void scan_item(const SsdChunkScanArgs& given, const SsdPlan& plan, const SsdItem& item, float* memory) noexcept {
  Workspace w;
  memory += w.lay_out(plan, given.d_state, memory);
  SsdForwardStage<SsdChunkScanArgs> stage(given, plan);
  stage.use(memory);
  const SsdChunkScanArgs& args = stage.args();
  const int64_t state_size = args.d_state * w.channels;
  for (int64_t i = 0; i < item.heads; ++i) load_state(args, item, item.first_head + i, w.states + i * state_size);
  for (int64_t begin = item.sequence.begin; begin < item.sequence.end; begin += plan.chunk) {
    const int64_t q = smaller(plan.chunk, item.sequence.end - begin);
    stage.load(item, begin, q);
    chunk_scores(args, item.sequence, item.group, begin, q, w.width, w.transposed_B, w.scores);
    for (int64_t i = 0; i < item.heads; ++i) {
      scan_chunk(args, item, item.first_head + i, begin, q, w, w.states + i * state_size);
    }
    stage.store(item);
  }
  if (args.final_states == nullptr || item.sequence.final_row < 0) return;
  for (int64_t i = 0; i < item.heads; ++i) store_state(args, item, item.first_head + i, w.states + i * state_size);
}

}  // namespace

Status ssd_chunk_scan(const SsdChunkScanArgs& args) noexcept {
  const Status status = check_ssd(args);
  if (status != Status::kOk) return status;
  if (args.batch == 0 || args.n_heads == 0 || args.head_dim == 0) return Status::kOk;
  if (args.seq_len > 0 && args.out.data == nullptr) return Status::kBadArgument;
  clear_padding(args.sequences, args.out, args.n_heads, args.head_dim);
  if (sequence_count(args) == 0) return Status::kOk;
  const SsdPlan plan(args, 16, true);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), plan.items));
  const int64_t size = Workspace::size(plan, args.d_state) + SsdForwardStage<SsdChunkScanArgs>(args, plan).floats();
  const Scratch scratch(workers * size);
  if (!scratch.ok()) return Status::kOutOfMemory;
  for_chunks(plan.items, workers, [&](int64_t i, int32_t worker) noexcept {
    scan_item(args, plan, plan.item(args, i), scratch.data() + worker * size);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
