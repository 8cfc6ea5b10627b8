/// How the selective scan cuts its work: sequences along time, tiles of channels across, chunks of 16 steps.
///
/// A tile is at most a vector of neighbouring channels that share one group of B and one of C; its channels are the
/// lanes. A block is a run of tiles inside one pair of groups. All cuts depend on the shape alone.
#pragma once

#include "scratch.h"
#include "sequence_rows.h"
#include "statespace/selective_scan.h"

namespace statespace::STATESPACE_ISA_NS {

inline constexpr int64_t kChunk = kSelectiveScanChunk;

struct ScanTile {
  int64_t channel;
  int64_t lanes;
};

struct ScanBlock {
  int64_t first_tile;
  int64_t tiles;
  int64_t b_group;
  int64_t c_group;
  /// Position among the blocks of the same group of B, and of C: where its partial sums of dB and dC go.
  int64_t b_slot;
  int64_t c_slot;
};

/// Cuts channels into tiles and blocks of at most `tiles_wanted` tiles.
class ScanPlan {
 public:
  template <typename Inputs>
  ScanPlan(const Inputs& args, int64_t tiles_wanted, int64_t lanes = kLanes) noexcept
      : tile_memory_(words(tile_limit(args, lanes), sizeof(ScanTile))),
        block_memory_(words(tile_limit(args, lanes), sizeof(ScanBlock))) {
    if (!ok()) return;
    const int64_t b_size = args.b_groups > 0 ? args.dim / args.b_groups : args.dim;
    const int64_t c_size = args.c_groups > 0 ? args.dim / args.c_groups : args.dim;
    auto* tiles = reinterpret_cast<ScanTile*>(tile_memory_.data());
    auto* blocks = reinterpret_cast<ScanBlock*>(block_memory_.data());
    for (int64_t channel = 0; channel < args.dim;) {
      const int64_t b_group = channel / b_size;
      const int64_t c_group = channel / c_size;
      const int64_t end = smaller((b_group + 1) * b_size, (c_group + 1) * c_size);
      const int64_t run = ceil_div(end - channel, lanes);
      const int64_t pieces = ceil_div(run, tiles_wanted);
      const int64_t size = ceil_div(run, pieces);
      for (int64_t tile = 0; tile < run; ++tile, channel += lanes) {
        if (tile % size == 0) {
          ScanBlock block = {tile_count_, 0, b_group, c_group, 0, 0};
          if (block_count_ > 0) {
            const ScanBlock& last = blocks[block_count_ - 1];
            block.b_slot = last.b_group == b_group ? last.b_slot + 1 : 0;
            block.c_slot = last.c_group == c_group ? last.c_slot + 1 : 0;
          }
          b_slots_ = larger(b_slots_, block.b_slot + 1);
          c_slots_ = larger(c_slots_, block.c_slot + 1);
          blocks[block_count_++] = block;
        }
        tiles[tile_count_++] = {channel, smaller(lanes, end - channel)};
        ScanBlock& current = blocks[block_count_ - 1];
        ++current.tiles;
        widest_ = larger(widest_, current.tiles);
      }
      channel = end;
    }
  }

  bool ok() const noexcept { return tile_memory_.ok() && block_memory_.ok(); }
  int64_t tile_count() const noexcept { return tile_count_; }
  int64_t block_count() const noexcept { return block_count_; }
  /// Tiles of the widest block.
  int64_t widest() const noexcept { return widest_; }
  int64_t b_slots() const noexcept { return b_slots_; }
  int64_t c_slots() const noexcept { return c_slots_; }
  const ScanTile& tile(int64_t i) const noexcept { return reinterpret_cast<const ScanTile*>(tile_memory_.data())[i]; }
  const ScanBlock& block(int64_t i) const noexcept {
    return reinterpret_cast<const ScanBlock*>(block_memory_.data())[i];
  }
  int64_t first_channel(const ScanBlock& block) const noexcept { return tile(block.first_tile).channel; }
  int64_t channels(const ScanBlock& block) const noexcept {
    const ScanTile& last = tile(block.first_tile + block.tiles - 1);
    return last.channel + last.lanes - first_channel(block);
  }

 private:
  static int64_t words(int64_t count, size_t bytes) noexcept {
    return count * static_cast<int64_t>(bytes / sizeof(float));
  }
  template <typename Inputs>
  static int64_t tile_limit(const Inputs& args, int64_t lanes) noexcept {
    return ceil_div(args.dim, lanes) + args.b_groups + args.c_groups;
  }

  Scratch tile_memory_;
  Scratch block_memory_;
  int64_t tile_count_ = 0;
  int64_t block_count_ = 0;
  int64_t widest_ = 0;
  int64_t b_slots_ = 1;
  int64_t c_slots_ = 1;
};

/// Tiles per block: at least 16, so that the rows of a chunk are read in pieces of a kilobyte and a page is entered
/// seldom, but no more than make about `pieces` items of work, and states that fit into L2 beside the chunk. Fewer than
/// 16 where there would not be four items of work otherwise.
STATESPACE_INLINE int64_t tiles_per_block(const SelectiveScanInputs& args, int64_t sequences, int64_t pieces) {
  const int64_t tiles = ceil_div(args.dim, kLanes);
  const int64_t rows = larger<int64_t>(1, sequences);
  const int64_t fit = larger<int64_t>(1, 65536 / (larger<int64_t>(1, args.d_state) * kLanes));
  constexpr int64_t kWide = 256 / kLanes;
  const int64_t least = rows * ceil_div(tiles, kWide) >= 4 ? kWide : larger<int64_t>(kWide / 4, ceil_div(tiles * rows, 4));
  return smaller(fit, larger(least, ceil_div(tiles, ceil_div(pieces, rows))));
}

/// First row of `checkpoints` of every sequence, where there are checkpoints.
class CheckpointRows {
 public:
  CheckpointRows(const SelectiveScanInputs& args, bool wanted) noexcept
      : per_row_(ceil_div(args.seq_len, kChunk)),
        memory_(wanted && args.sequences.spans != nullptr
                    ? sequence_count(args) * static_cast<int64_t>(sizeof(int64_t) / sizeof(float))
                    : 0) {
    if (!wanted || args.sequences.spans == nullptr || !memory_.ok()) return;
    rows_ = reinterpret_cast<int64_t*>(memory_.data());
    int64_t row = 0;
    for (int64_t i = 0; i < args.sequences.count; ++i) {
      rows_[i] = row;
      row += ceil_div(args.sequences.spans[i].end - args.sequences.spans[i].begin, kChunk);
    }
  }
  bool ok() const noexcept { return memory_.ok(); }
  int64_t of(int64_t index) const noexcept { return rows_ == nullptr ? index * per_row_ : rows_[index]; }

 private:
  int64_t per_row_;
  Scratch memory_;
  int64_t* rows_ = nullptr;
};

/// Copies rows (channel, n) of a (dim, N) tensor into lanes: to[n][lane] = from[channel + lane][n] * factor, 0 beyond.
STATESPACE_INLINE void tile_from_rows(const float* from, const ScanTile& tile, int64_t d_state, float factor,
                                      float* to) {
  const float* rows = from + tile.channel * d_state;
  for (int64_t n = 0; n < d_state; ++n) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      to[n * kLanes + lane] = lane < tile.lanes ? rows[lane * d_state + n] * factor : 0.0f;
    }
  }
}

/// The way back: to[channel + lane][n] = from[n][lane].
STATESPACE_INLINE void rows_from_tile(const float* from, const ScanTile& tile, int64_t d_state, float* to) {
  float* rows = to + tile.channel * d_state;
  for (int64_t lane = 0; lane < tile.lanes; ++lane) {
    for (int64_t n = 0; n < d_state; ++n) rows[lane * d_state + n] = from[n * kLanes + lane];
  }
}

}  // namespace statespace::STATESPACE_ISA_NS
