/// What both directions of the SSD scan share: how work is cut, and the decays of one chunk.
///
/// An item of work is one sequence and a block of heads of one group; it goes through the sequence chunk by chunk, so
/// that the scores C B' of a chunk are computed once for all heads of the block.
#pragma once

#include "argument_checks.h"
#include "sequence_rows.h"
#include "simd.h"
#include "statespace/ssd_chunk_scan.h"

namespace statespace::STATESPACE_ISA_NS {

/// Longest chunk used inside, whatever chunk_size allows. On CPUs products over the state dominate, and the work
/// inside a chunk only adds to them.
inline constexpr int64_t kMaxChunk = 32;

/// One item of work.
struct SsdItem {
  SequenceSpan sequence;
  int64_t sequence_index;
  int64_t group;
  int64_t slot;  // position of the block among the blocks of its group
  int64_t first_head;
  int64_t heads;
  int64_t first_p;  // channels [first_p, first_p + p_count) of every head
  int64_t p_count;
};

/// Cuts of one call, by shape alone.
struct SsdPlan {
  int64_t chunk;
  int64_t heads_per_group;
  int64_t heads_per_block;
  int64_t slots;  // blocks of heads per group
  int64_t p_block;
  int64_t p_blocks;
  int64_t items;

  /// About `wanted` items where the heads allow it; `split_p` also cuts head_dim when they do not.
  SsdPlan(const SsdChunkScanInputs& args, int64_t wanted, bool split_p) noexcept {
    chunk = smaller(kMaxChunk, args.chunk_size);
    heads_per_group = args.n_heads / args.n_groups;
    const int64_t runs = larger<int64_t>(1, sequence_count(args) * args.n_groups);
    heads_per_block = ceil_div(heads_per_group, smaller(heads_per_group, ceil_div(wanted, runs)));
    slots = ceil_div(heads_per_group, heads_per_block);
    const int64_t pieces = split_p ? ceil_div(wanted, runs * slots) : 1;
    p_block = round_up(ceil_div(args.head_dim, smaller(pieces, args.head_dim)), 2 * kLanes);
    p_block = smaller(p_block, args.head_dim);
    p_blocks = ceil_div(args.head_dim, p_block);
    items = sequence_count(args) * args.n_groups * slots * p_blocks;
  }

  SsdItem item(const SsdChunkScanInputs& args, int64_t i) const noexcept {
    const int64_t first_p = i % p_blocks * p_block;
    i /= p_blocks;
    const int64_t slot = i % slots;
    i /= slots;
    const int64_t group = i % args.n_groups;
    const int64_t first = slot * heads_per_block;
    return {sequence_at(args, i / args.n_groups),
            i / args.n_groups,
            group,
            slot,
            group * heads_per_group + first,
            smaller(heads_per_block, heads_per_group - first),
            first_p,
            smaller(p_block, args.head_dim - first_p)};
  }
};

/// Steps and decays of one head in one chunk of q steps; entries from q on are those of steps of length 0.
struct ChunkSteps {
  alignas(64) float raw[kMaxChunk];         // dt + dt_bias
  alignas(64) float dt[kMaxChunk];          // Delta
  alignas(64) float a[kMaxChunk];           // Delta A
  alignas(64) float from_start[kMaxChunk];  // exp(a[0] + ... + a[l])
  alignas(64) float to_end[kMaxChunk];      // exp(a[s+1] + ... + a[q-1])
  float whole;                              // exp(a[0] + ... + a[q-1])
};

/// raw[t] = dt + dt_bias and delta[t] = Delta of q steps of one head; both (kMaxChunk), Delta 0 from q on.
void step_sizes(const SsdChunkScanInputs& args, const SequenceSpan& sequence, int64_t head, int64_t begin, int64_t q,
                float* raw, float* delta) noexcept;

void load_steps(const SsdChunkScanInputs& args, const SequenceSpan& sequence, int64_t head, int64_t begin, int64_t q,
                ChunkSteps& steps) noexcept;

/// decays[l * width + s] = exp(a[s+1] + ... + a[l]) for s <= l and 0 elsewhere, and masked = scores decays; width is
/// a multiple of kLanes not below q. `decays` may be null.
void mask_scores(const ChunkSteps& steps, int64_t q, int64_t width, const float* scores, float* decays,
                 float* masked) noexcept;

/// scores[l * width + s] = C[l] . B[s] for s <= l, garbage elsewhere. `transposed_B` receives B' as (N, width).
void chunk_scores(const SsdChunkScanInputs& args, const SequenceSpan& sequence, int64_t group, int64_t begin, int64_t q,
                  int64_t width, float* transposed_B, float* scores) noexcept;

/// The vector at p where `rest` elements of a row remain; lanes beyond them are 0.
STATESPACE_INLINE Floats load_rest(const float* p, int64_t rest) {
  return load_lanes(p, smaller<int64_t>(rest, kLanes));
}

STATESPACE_INLINE void store_rest(float* p, Floats v, int64_t rest) {
  store_lanes(p, v, smaller<int64_t>(rest, kLanes));
}

}  // namespace statespace::STATESPACE_ISA_NS
