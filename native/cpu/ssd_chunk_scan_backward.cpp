/// Chunked state-space-duality scan, backward: the walk over chunks, and the sums over heads and sequences.
///
/// A worker takes a block of heads of one group and one sequence. It first rebuilds states: one before every segment
/// of chunks, then, segment by segment from the last, one before every chunk of the segment; short sequences are one
/// segment, and then nothing is computed twice. Chunks then run backwards (ssd_adjoint.cpp). Sums over the heads of a
/// block, over the blocks of a group and over sequences all have a fixed order.
/// Oracle: packages/ssd-core ssdChunkScanBackwardRef; native/test/ssd_oracle.h holds a second one in double.
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "ssd_adjoint.h"
#include "ssd_stage.h"
#include "ssd_weight_gradients.h"
#include "weight_target.h"

namespace statespace::STATESPACE_ISA_NS {

namespace {

/// Floats of states that a worker holds per head before it recomputes: 4 MiB.
constexpr int64_t kHeldStates = int64_t{1} << 20;

}  // namespace

AdjointSizes::AdjointSizes(const SsdChunkScanInputs& args, const SsdPlan& plan) noexcept {
  width = round_up(plan.chunk, kLanes);
  channels = round_up(args.head_dim, kLanes);
  row = round_up(args.d_state, kLanes);
  state_size = args.head_dim * row;
  const int64_t chunks = larger<int64_t>(1, ceil_div(longest_sequence(args), plan.chunk));
  segment = kHeldStates / larger<int64_t>(1, state_size);
  // Segments as long as there are segments hold the fewest states.
  while (segment * segment < chunks) ++segment;
  segment = smaller(segment, chunks);
  segments = ceil_div(chunks, segment);
}

int64_t AdjointSpace::lay_out(const SsdPlan& plan, const AdjointSizes& sizes, int64_t d_state,
                              float* memory) noexcept {
  int64_t used = 0;
  const auto take = [&](int64_t count) noexcept {
    float* part = memory == nullptr ? nullptr : memory + used;
    used += round_up(count, 16);
    return part;
  };
  const int64_t q = plan.chunk, heads = plan.heads_per_block;
  grad_states = take(heads * sizes.state_size);
  boundaries = take(heads * sizes.segments * sizes.state_size);
  states = take(heads * sizes.segment * sizes.state_size);
  B = take(q * sizes.row), C = take(q * sizes.row);
  transposed_B = take(d_state * sizes.width), transposed_C = take(d_state * sizes.width);
  scores = take(q * sizes.width);
  grad_B = take(q * sizes.row), grad_C = take(q * sizes.row);
  decays = take(q * sizes.width), masked = take(q * sizes.width), products = take(q * sizes.width);
  pair_sums = take(q * sizes.width);
  dy = take(q * sizes.channels), dy_decayed = take(q * sizes.channels);
  drive = take(q * sizes.channels), decayed = take(q * sizes.channels), by_step = take(q * sizes.channels);
  transposed_x = take(sizes.channels * sizes.width), transposed_q = take(sizes.channels * sizes.width);
  carried = take(q * sizes.row);
  return used;
}

namespace {

/// A (P, N) state of the caller, in row `state_row` of `from`, into rows of whole vectors; zero where there is none.
void load_state(const AdjointPass& pass, int64_t state_row, int64_t head, const float* from, float* to) noexcept {
  const int64_t P = pass.args.head_dim, N = pass.args.d_state, row = pass.sizes.row;
  fill_zero(to, pass.sizes.state_size);
  if (from == nullptr || state_row < 0) return;
  from += (state_row * pass.args.n_heads + head) * P * N;
  for (int64_t p = 0; p < P; ++p) {
    for (int64_t n = 0; n < N; ++n) to[p * row + n] = from[p * N + n];
  }
}

void store_state(const AdjointPass& pass, int64_t state_row, int64_t head, const float* from, float* to) noexcept {
  const int64_t P = pass.args.head_dim, N = pass.args.d_state, row = pass.sizes.row;
  to += (state_row * pass.args.n_heads + head) * P * N;
  for (int64_t p = 0; p < P; ++p) {
    for (int64_t n = 0; n < N; ++n) to[p * N + n] = from[p * row + n];
  }
}

void copy_state(const float* from, int64_t count, float* to) noexcept {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i];
}

void store_weights(const AdjointPass& pass, const SsdItem& item, int64_t begin, int64_t q, const float* from,
                   const WeightGradients& to) noexcept {
  if (to.gradient == nullptr) return;
  const int64_t N = pass.args.d_state;
  for (int64_t t = 0; t < q; ++t) {
    const int64_t step = item.sequence.batch * pass.args.seq_len + begin + t;
    float* row = to.of(item.slot) + (step * pass.args.n_groups + item.group) * N;
    for (int64_t n = 0; n < N; n += kLanes) store_rest(row + n, load(from + t * pass.sizes.row + n), N - n);
  }
}

/// One item of work: chunks of one sequence, heads of one block.
class ItemWalk {
 public:
  ItemWalk(const AdjointPass& pass, const SsdItem& item, const AdjointSpace& space,
           SsdBackwardStage<SsdChunkScanBackwardArgs>& stage) noexcept
      : pass_(pass),
        item_(item),
        space_(space),
        stage_(stage),
        chunks_(ceil_div(item.sequence.end - item.sequence.begin, pass.plan.chunk)) {}

  void run(const WeightGradients& grad_B, const WeightGradients& grad_C) noexcept {
    for (int64_t i = 0; i < item_.heads; ++i) {
      double* sums = pass_.sums_of(item_, head(i));
      for (int64_t k = 0; k < pass_.args.head_dim + 2; ++k) sums[k] = 0;
      load_state(pass_, item_.sequence.final_row, head(i), pass_.args.grad_final_states, grad_state(i));
      load_state(pass_, item_.sequence.initial_row, head(i), pass_.args.initial_states, boundary(i, 0));
    }
    const int64_t segments = ceil_div(chunks_, pass_.sizes.segment);
    for (int64_t segment = 0; segment + 1 < segments; ++segment) find_boundary(segment + 1);
    for (int64_t segment = segments; segment-- > 0;) {
      const int64_t first = segment * pass_.sizes.segment;
      const int64_t count = smaller(pass_.sizes.segment, chunks_ - first);
      find_states(segment, first, count);
      for (int64_t i = count; i-- > 0;) {
        const int64_t at = begin(first + i), q = length(first + i);
        stage_.load_adjoint(item_, at, q);
        load_chunk(pass_, item_, at, q, space_);
        for (int64_t j = 0; j < item_.heads; ++j) {
          adjoint_chunk(pass_, item_, head(j), at, q, space_, state(j, i), grad_state(j));
        }
        add_pair_sums(pass_, q, space_);
        stage_.store();
        store_weights(pass_, item_, at, q, space_.grad_B, grad_B);
        store_weights(pass_, item_, at, q, space_.grad_C, grad_C);
      }
    }
    const int64_t row = item_.sequence.initial_row;
    if (pass_.args.grad_initial_states == nullptr || row < 0) return;
    for (int64_t i = 0; i < item_.heads; ++i) {
      store_state(pass_, row, head(i), grad_state(i), pass_.args.grad_initial_states);
    }
  }

 private:
  int64_t head(int64_t i) const noexcept { return item_.first_head + i; }
  int64_t begin(int64_t chunk) const noexcept { return item_.sequence.begin + chunk * pass_.plan.chunk; }
  int64_t length(int64_t chunk) const noexcept {
    return smaller(pass_.plan.chunk, item_.sequence.end - begin(chunk));
  }
  float* grad_state(int64_t i) const noexcept { return space_.grad_states + i * pass_.sizes.state_size; }
  float* boundary(int64_t i, int64_t segment) const noexcept {
    return space_.boundaries + (i * pass_.sizes.segments + segment) * pass_.sizes.state_size;
  }
  float* state(int64_t i, int64_t chunk) const noexcept {
    return space_.states + (i * pass_.sizes.segment + chunk) * pass_.sizes.state_size;
  }

  /// The states before `segment` from those before the one ahead of it.
  void find_boundary(int64_t segment) noexcept {
    for (int64_t i = 0; i < item_.heads; ++i) {
      copy_state(boundary(i, segment - 1), pass_.sizes.state_size, boundary(i, segment));
    }
    for (int64_t c = (segment - 1) * pass_.sizes.segment; c < segment * pass_.sizes.segment; ++c) {
      stage_.load(item_, begin(c), length(c), true);
      load_chunk_B(pass_, item_, begin(c), length(c), space_);
      for (int64_t i = 0; i < item_.heads; ++i) {
        advance_state(pass_, item_, head(i), begin(c), length(c), space_, boundary(i, segment), boundary(i, segment));
      }
    }
  }

  void find_states(int64_t segment, int64_t first, int64_t count) noexcept {
    for (int64_t i = 0; i < item_.heads; ++i) {
      copy_state(boundary(i, segment), pass_.sizes.state_size, state(i, 0));
    }
    for (int64_t c = 0; c + 1 < count; ++c) {
      stage_.load(item_, begin(first + c), length(first + c), true);
      load_chunk_B(pass_, item_, begin(first + c), length(first + c), space_);
      for (int64_t i = 0; i < item_.heads; ++i) {
        advance_state(pass_, item_, head(i), begin(first + c), length(first + c), space_, state(i, c), state(i, c + 1));
      }
    }
  }

  const AdjointPass& pass_;
  const SsdItem& item_;
  const AdjointSpace& space_;
  SsdBackwardStage<SsdChunkScanBackwardArgs>& stage_;
  int64_t chunks_;
};

/// Adds the sums of the sequences, in order.
void store_head_sums(const AdjointPass& pass) noexcept {
  const SsdChunkScanBackwardArgs& args = pass.args;
  const int64_t P = args.head_dim, sequences = sequence_count(args);
  for (int64_t h = 0; h < args.n_heads; ++h) {
    const auto total = [&](int64_t k) noexcept {
      double sum = 0;
      for (int64_t i = 0; i < sequences; ++i) sum += pass.sums[(i * args.n_heads + h) * (P + 2) + k];
      return sum;
    };
    if (args.grad_A != nullptr) args.grad_A[h] = static_cast<float>(total(P));
    if (args.grad_dt_bias != nullptr) args.grad_dt_bias[h] = static_cast<float>(total(P + 1));
    if (args.grad_D == nullptr) continue;
    double skip = 0;
    for (int64_t p = 0; p < P; ++p) {
      if (args.d_has_head_dim) {
        args.grad_D[h * P + p] = static_cast<float>(total(p));
      } else {
        skip += total(p);
      }
    }
    if (!args.d_has_head_dim) args.grad_D[h] = static_cast<float>(skip);
  }
}

/// Gradients of a call without channels or sequences: whatever has elements is zero.
void clear_gradients(const SsdChunkScanBackwardArgs& args) noexcept {
  const auto clear = [](float* gradient, int64_t count) noexcept {
    if (gradient != nullptr) fill_zero(gradient, count);
  };
  clear_sequence(args.batch, args.seq_len, 1, args.n_heads, args.grad_dt);
  clear(args.grad_A, args.n_heads);
  clear(args.grad_dt_bias, args.n_heads);
  clear(args.grad_D, args.d_has_head_dim ? args.n_heads * args.head_dim : args.n_heads);
  clear_sequence(args.batch, args.seq_len, args.n_groups, args.d_state, args.grad_B);
  clear_sequence(args.batch, args.seq_len, args.n_groups, args.d_state, args.grad_C);
  clear_sequence(args.batch, args.seq_len, args.n_heads, args.head_dim, args.grad_x);
  clear_sequence(args.batch, args.seq_len, args.n_heads, args.head_dim, args.grad_z);
}

}  // namespace

Status ssd_chunk_scan_backward(const SsdChunkScanBackwardArgs& args) noexcept {
  const Status status = check_ssd(args);
  if (status != Status::kOk) return status;
  if (sequence_count(args) == 0 || args.n_heads == 0 || args.head_dim == 0) {
    clear_gradients(args);
    return Status::kOk;
  }
  if (args.batch > 0 && args.seq_len > 0 && args.grad_out.data == nullptr) return Status::kBadArgument;
  if (args.grad_z.data != nullptr && args.z.data == nullptr && args.seq_len > 0) return Status::kBadArgument;

  const SsdPlan plan(args, 16, false);
  const AdjointSizes sizes(args, plan);
  AdjointSpace layout;
  const int64_t space_size = layout.lay_out(plan, sizes, args.d_state, nullptr);
  const int64_t size = space_size + SsdBackwardStage<SsdChunkScanBackwardArgs>(args, plan).floats();
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), plan.items));
  const WeightTarget target_B(args.grad_B, args, args.n_groups), target_C(args.grad_C, args, args.n_groups);
  const int64_t weights = target_B.size();
  const int64_t parts = (plan.slots - 1) * weights;
  const Scratch scratch(workers * size);
  const Scratch parts_B(args.grad_B.data != nullptr ? parts : 0), parts_C(args.grad_C.data != nullptr ? parts : 0);
  constexpr int64_t kFloatsPerDouble = sizeof(double) / sizeof(float);
  const Scratch sums(sequence_count(args) * args.n_heads * (args.head_dim + 2) * kFloatsPerDouble);
  if (!scratch.ok() || !parts_B.ok() || !parts_C.ok() || !sums.ok()) return Status::kOutOfMemory;
  if (!target_B.ok() || !target_C.ok()) return Status::kOutOfMemory;

  const AdjointPass pass = {args, plan, sizes, reinterpret_cast<double*>(sums.data())};
  const WeightGradients grad_B = {target_B.data(), parts_B.data(), weights};
  const WeightGradients grad_C = {target_C.data(), parts_C.data(), weights};
  for_chunks(plan.items, workers, [&](int64_t i, int32_t worker) noexcept {
    AdjointSpace space;
    float* const memory = scratch.data() + worker * size;
    space.lay_out(plan, sizes, args.d_state, memory);
    SsdBackwardStage<SsdChunkScanBackwardArgs> stage(args, plan);
    stage.use(memory + space_size);
    const AdjointPass local = {stage.args(), plan, sizes, pass.sums};
    const SsdItem item = plan.item(args, i);
    ItemWalk(local, item, space, stage).run(grad_B, grad_C);
  });
  add_parts(grad_B, plan.slots);
  add_parts(grad_C, plan.slots);
  target_B.store();
  target_C.store();
  clear_padding(args.sequences, args.grad_x, args.n_heads, args.head_dim);
  clear_padding(args.sequences, args.grad_z, args.n_heads, args.head_dim);
  clear_padding(args.sequences, args.grad_dt, 1, args.n_heads);
  store_head_sums(pass);
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
