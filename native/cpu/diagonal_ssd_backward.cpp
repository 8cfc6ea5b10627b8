/// Diagonal state-space-duality scan, backward: the walk over chunks, and the sums over heads and sequences.
///
/// A worker takes a block of heads of one group and one sequence. It first rebuilds states: one before every segment
/// of chunks, then, segment by segment from the last, one before every chunk of the segment; short sequences are one
/// segment. Chunks then run backwards (diagonal_ssd_adjoint.cpp). No state of a step outlives its chunk. Sums over the
/// heads of a block, over the blocks of a group and over sequences all have a fixed order.
///
/// Why a recurrence here too: a form by matrix products has all the products of the scalar scan's backward, and sums
/// over pairs of steps for each state besides, so that scan bounds it from below. Measured on one core with AVX-512,
/// that scan took 1.4 times as long as this one at 64 channels and 16 states and 1.2 times at 128 and 16, but 0.75 at
/// 64 and 64, and 0.65 at 64 and 128: with many states products may yet win.
/// Oracle: packages/ssd-core diagonalSsdBackwardRef; native/test/ssd_oracle.h holds a second one in double.
#include "diagonal_ssd_adjoint.h"
#include "isa_kernels.h"
#include "lane_sums.h"
#include "parallel.h"
#include "scratch.h"
#include "ssd_stage.h"
#include "ssd_weight_gradients.h"
#include "weight_target.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Steps of a chunk: the history of a few states, and the step data beside it, stay in L1.
constexpr int64_t kAdjointChunk = 16;

/// Floats of states that a worker holds per head before it recomputes: 4 MiB.
constexpr int64_t kHeldStates = int64_t{1} << 20;

void copy_state(const float* from, int64_t count, float* to) noexcept {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i];
}

/// Folds the lanes of (q, row + 1, kLanes) sums into rows of a gradient of B or C.
void store_weights(const DiagonalPass& pass, const SsdItem& item, int64_t begin, int64_t q, const float* sums,
                   const WeightGradients& to) noexcept {
  if (to.gradient == nullptr) return;
  const int64_t N = pass.args.d_state;
  for (int64_t t = 0; t < q; ++t) {
    const int64_t step = item.sequence.batch * pass.args.seq_len + begin + t;
    float* row = to.of(item.slot) + (step * pass.args.n_groups + item.group) * N;
    for (int64_t n = 0; n < N; n += kLanes) {
      store_rest(row + n, lane_sums<kLanes>(sums + t * pass.sizes.sums_step + n * kLanes), N - n);
    }
  }
}

/// One item of work: chunks of one sequence, heads of one block.
class ItemWalk {
 public:
  ItemWalk(const DiagonalPass& pass, const SsdItem& item, const DiagonalSpace& space,
           SsdBackwardStage<DiagonalSsdBackwardArgs>& stage) noexcept
      : pass_(pass),
        item_(item),
        space_(space),
        stage_(stage),
        chunks_(ceil_div(item.sequence.end - item.sequence.begin, pass.plan.chunk)) {}

  void run(const WeightGradients& grad_B, const WeightGradients& grad_C) noexcept {
    for (int64_t i = 0; i < item_.heads; ++i) {
      double* sums = pass_.sums_of(item_, head(i));
      for (int64_t k = 0; k < pass_.sums_size(); ++k) sums[k] = 0;
      load_panels(outside(pass_.args.grad_final_states, item_.sequence.final_row, i), pass_.args.head_dim,
                  pass_.args.d_state, grad_state(i));
      load_panels(outside(pass_.args.initial_states, item_.sequence.initial_row, i), pass_.args.head_dim,
                  pass_.args.d_state, boundary(i, 0));
    }
    const int64_t segments = ceil_div(chunks_, pass_.sizes.segment);
    for (int64_t segment = 0; segment + 1 < segments; ++segment) find_boundary(segment + 1);
    for (int64_t segment = segments; segment-- > 0;) {
      const int64_t first = segment * pass_.sizes.segment;
      const int64_t count = smaller(pass_.sizes.segment, chunks_ - first);
      find_states(segment, first, count);
      for (int64_t i = count; i-- > 0;) adjoint_chunk(first + i, i, grad_B, grad_C);
    }
    const int64_t row = item_.sequence.initial_row;
    if (pass_.args.grad_initial_states == nullptr || row < 0) return;
    for (int64_t i = 0; i < item_.heads; ++i) {
      store_panels(grad_state(i), pass_.args.head_dim, pass_.args.d_state,
                   outside(pass_.args.grad_initial_states, row, i));
    }
  }

 private:
  int64_t head(int64_t i) const noexcept { return item_.first_head + i; }
  int64_t begin(int64_t chunk) const noexcept { return item_.sequence.begin + chunk * pass_.plan.chunk; }
  int64_t length(int64_t chunk) const noexcept {
    if (chunk < 0 || chunk >= chunks_) return 0;
    return smaller(pass_.plan.chunk, item_.sequence.end - begin(chunk));
  }
  float* grad_state(int64_t i) const noexcept { return space_.grad_states + i * pass_.sizes.state_size; }
  float* boundary(int64_t i, int64_t segment) const noexcept {
    return space_.boundaries + (i * pass_.sizes.segments + segment) * pass_.sizes.state_size;
  }
  float* state(int64_t i, int64_t chunk) const noexcept {
    return space_.states + (i * pass_.sizes.segment + chunk) * pass_.sizes.state_size;
  }
  /// The caller's state of head i in row `row`, if any.
  template <typename Float>
  Float* outside(Float* states, int64_t row, int64_t i) const noexcept {
    if (states == nullptr || row < 0) return nullptr;
    return states + (row * pass_.args.n_heads + head(i)) * pass_.args.head_dim * pass_.args.d_state;
  }
  /// What follows head i of `chunk` when chunks go in direction `step`.
  NextChunk next(int64_t i, int64_t chunk, int64_t step) const noexcept {
    if (i + 1 < item_.heads) return {head(i + 1), begin(chunk), length(chunk)};
    return {head(0), begin(chunk + step), length(chunk + step)};
  }

  void advance(int64_t i, int64_t chunk, const float* from, float* to) noexcept {
    advance_diagonal(pass_, item_, head(i), begin(chunk), length(chunk), next(i, chunk, 1), space_, from, to);
  }

  /// The states before `segment` from those before the one ahead of it.
  void find_boundary(int64_t segment) noexcept {
    for (int64_t i = 0; i < item_.heads; ++i) {
      copy_state(boundary(i, segment - 1), pass_.sizes.state_size, boundary(i, segment));
    }
    for (int64_t c = (segment - 1) * pass_.sizes.segment; c < segment * pass_.sizes.segment; ++c) {
      stage_.load(item_, begin(c), length(c), true);
      for (int64_t i = 0; i < item_.heads; ++i) advance(i, c, boundary(i, segment), boundary(i, segment));
    }
  }

  void find_states(int64_t segment, int64_t first, int64_t count) noexcept {
    for (int64_t i = 0; i < item_.heads; ++i) {
      copy_state(boundary(i, segment), pass_.sizes.state_size, state(i, 0));
    }
    for (int64_t c = 0; c + 1 < count; ++c) {
      stage_.load(item_, begin(first + c), length(first + c), true);
      for (int64_t i = 0; i < item_.heads; ++i) advance(i, first + c, state(i, c), state(i, c + 1));
    }
  }

  void adjoint_chunk(int64_t chunk, int64_t held, const WeightGradients& grad_B,
                     const WeightGradients& grad_C) noexcept {
    const int64_t q = length(chunk);
    stage_.load_adjoint(item_, begin(chunk), q);
    fill_zero(space_.grad_B, q * pass_.sizes.sums_step);
    fill_zero(space_.grad_C, q * pass_.sizes.sums_step);
    for (int64_t i = 0; i < item_.heads; ++i) {
      adjoint_diagonal(pass_, item_, head(i), begin(chunk), q, next(i, chunk, -1), space_, state(i, held),
                       grad_state(i));
    }
    stage_.store();
    store_weights(pass_, item_, begin(chunk), q, space_.grad_B, grad_B);
    store_weights(pass_, item_, begin(chunk), q, space_.grad_C, grad_C);
  }

  const DiagonalPass& pass_;
  const SsdItem& item_;
  const DiagonalSpace& space_;
  SsdBackwardStage<DiagonalSsdBackwardArgs>& stage_;
  int64_t chunks_;
};

/// Adds the sums of the sequences, in order.
void store_head_sums(const DiagonalPass& pass) noexcept {
  const DiagonalSsdBackwardArgs& args = pass.args;
  const int64_t P = args.head_dim, N = args.d_state, sequences = sequence_count(args);
  for (int64_t h = 0; h < args.n_heads; ++h) {
    const auto total = [&](int64_t k) noexcept {
      double sum = 0;
      for (int64_t i = 0; i < sequences; ++i) sum += pass.sums[(i * args.n_heads + h) * pass.sums_size() + k];
      return sum;
    };
    for (int64_t n = 0; n < N && args.grad_A != nullptr; ++n) args.grad_A[h * N + n] = static_cast<float>(total(P + n));
    if (args.grad_dt_bias != nullptr) args.grad_dt_bias[h] = static_cast<float>(total(P + N));
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
void clear_gradients(const DiagonalSsdBackwardArgs& args) noexcept {
  const auto clear = [](float* gradient, int64_t count) noexcept {
    if (gradient != nullptr) fill_zero(gradient, count);
  };
  clear_sequence(args.batch, args.seq_len, 1, args.n_heads, args.grad_dt);
  clear(args.grad_A, args.n_heads * args.d_state);
  clear(args.grad_dt_bias, args.n_heads);
  clear(args.grad_D, args.d_has_head_dim ? args.n_heads * args.head_dim : args.n_heads);
  clear_sequence(args.batch, args.seq_len, args.n_groups, args.d_state, args.grad_B);
  clear_sequence(args.batch, args.seq_len, args.n_groups, args.d_state, args.grad_C);
  clear_sequence(args.batch, args.seq_len, args.n_heads, args.head_dim, args.grad_x);
  clear_sequence(args.batch, args.seq_len, args.n_heads, args.head_dim, args.grad_z);
}

}  // namespace

DiagonalSizes::DiagonalSizes(const DiagonalSsdInputs& args, const SsdPlan& plan) noexcept {
  channels = round_up(args.head_dim, kLanes);
  row = round_up(args.d_state, kLanes);
  state_size = args.d_state * channels;
  sums_step = (row + 1) * kLanes;
  const int64_t chunks = larger<int64_t>(1, ceil_div(longest_sequence(args), plan.chunk));
  segment = kHeldStates / larger<int64_t>(1, state_size);
  // Segments as long as there are segments hold the fewest states.
  while (segment * segment < chunks) ++segment;
  segment = smaller(segment, chunks);
  segments = ceil_div(chunks, segment);
}

Status diagonal_ssd_backward(const DiagonalSsdBackwardArgs& args) noexcept {
  const Status status = check_diagonal_ssd(args);
  if (status != Status::kOk) return status;
  if (sequence_count(args) == 0 || args.n_heads == 0 || args.head_dim == 0) {
    clear_gradients(args);
    return Status::kOk;
  }
  if (args.batch > 0 && args.seq_len > 0 && args.grad_out.data == nullptr) return Status::kBadArgument;
  if (args.grad_z.data != nullptr && args.z.data == nullptr && args.seq_len > 0) return Status::kBadArgument;

  SsdPlan plan(args, 16, false);
  plan.chunk = smaller(kAdjointChunk, plan.chunk);
  const DiagonalSizes sizes(args, plan);
  DiagonalSpace layout;
  const int64_t space_size = layout.lay_out(plan, sizes, nullptr);
  const int64_t size = space_size + SsdBackwardStage<DiagonalSsdBackwardArgs>(args, plan).floats();
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), plan.items));
  const WeightTarget target_B(args.grad_B, args, args.n_groups), target_C(args.grad_C, args, args.n_groups);
  const int64_t weights = target_B.size();
  const int64_t parts = (plan.slots - 1) * weights;
  const Scratch scratch(workers * size);
  const Scratch parts_B(args.grad_B.data != nullptr ? parts : 0), parts_C(args.grad_C.data != nullptr ? parts : 0);
  constexpr int64_t kFloatsPerDouble = sizeof(double) / sizeof(float);
  const int64_t sums_size = args.head_dim + args.d_state + 1;
  const Scratch sums(sequence_count(args) * args.n_heads * sums_size * kFloatsPerDouble);
  if (!scratch.ok() || !parts_B.ok() || !parts_C.ok() || !sums.ok()) return Status::kOutOfMemory;
  if (!target_B.ok() || !target_C.ok()) return Status::kOutOfMemory;

  const DiagonalPass pass = {args, plan, sizes, reinterpret_cast<double*>(sums.data())};
  const WeightGradients grad_B = {target_B.data(), parts_B.data(), weights};
  const WeightGradients grad_C = {target_C.data(), parts_C.data(), weights};
  for_chunks(plan.items, workers, [&](int64_t i, int32_t worker) noexcept {
    DiagonalSpace space;
    float* const memory = scratch.data() + worker * size;
    space.lay_out(plan, sizes, memory);
    SsdBackwardStage<DiagonalSsdBackwardArgs> stage(args, plan);
    stage.use(memory + space_size);
    const DiagonalPass local = {stage.args(), plan, sizes, pass.sums};
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
