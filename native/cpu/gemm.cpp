/// Matrix product with fused epilogue. Oracle: packages/ssd-core/src/ops/gemm.
///
/// Four forms, chosen by shape:
///   blocks   the general one: tiles of out, each a chunk of work that belongs to one thread. b is packed once for all
///            row tiles; a block of b's panels (kDepth deep) stays in the second-level cache while rows of a pass
///   parts    a small out and a long sum: the depth is cut into parts, each of them a product of its own, added up in
///            order
///   dots     few rows or columns whose vectors lie along the depth: no packing (gemm_dots.cpp)
///   turned   few columns otherwise: out^T = op(b)^T op(a)^T, so that the lanes are rows of out
/// Every cut follows from the shape, whatever the number of threads, so every sum has one order.
#include "gemm_arguments.h"
#include "gemm_dots.h"
#include "gemm_plan.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Bias and activation on a finished tile of out.
void finish_tile(const GemmArgs& args, float* out, int64_t rows, int64_t cols, const float* bias) noexcept {
  const bool silu_at_end = args.activation == Activation::kSilu;
  if (bias == nullptr && !silu_at_end) return;
  for (int64_t row = 0; row < rows; ++row, out += args.out_row_stride) {
    for_vectors(cols, [&](int64_t col, int64_t lanes) {
      Floats v = load_some(out + col, lanes);
      if (bias != nullptr) v += load_some(bias + col, lanes);
      store_some(out + col, silu_at_end ? silu(v) : v, lanes);
    });
  }
}

/// One product under way. Columns are taken in spans whose packed b is shared by all threads.
struct Product {
  const GemmArgs& args;
  const GemmPlan& plan;
  int64_t span_begin;
  int64_t span_cols;
  /// Packed b of the span, each pass behind the one before; null where each chunk packs its own.
  float* shared_b;
  /// Sums of the parts but the first, (parts - 1, m, n).
  float* part_sums;
};

/// A worker's own memory.
struct Worker {
  float* a;
  float* b;
  /// Which columns of which member stand in b; negative for none.
  int64_t* kept;
};
constexpr int64_t kWorkerFloats = 16;

const float* b_at(const GemmArgs& args, int64_t member, int64_t depth, int64_t col) noexcept {
  return args.b + member * args.b_batch_stride +
         (args.transpose_b ? col * args.b_row_stride + depth : depth * args.b_row_stride + col);
}

/// Where the pass that begins at `depth` has its packed columns of a span.
int64_t pass_offset(int64_t depth, int64_t span_cols) noexcept { return packed_b_size(depth, span_cols); }

/// Packs the span's b for everybody.
void pack_span(const Product& p) noexcept {
  const GemmPlan& plan = p.plan;
  const int64_t passes = ceil_div(p.args.k, plan.pass);
  const int64_t grain = kMicroCols * larger<int64_t>(1, kPackGrain / (plan.pass * kMicroCols));
  const int64_t pieces = ceil_div(p.span_cols, grain);
  for_chunks(passes * pieces, worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    const int64_t depth0 = chunk / pieces * plan.pass;
    const int64_t depth = smaller(plan.pass, p.args.k - depth0);
    const int64_t col = chunk % pieces * grain;
    pack_b(b_at(p.args, 0, depth0, p.span_begin + col), p.args.b_row_stride, p.args.transpose_b, depth,
           smaller(grain, p.span_cols - col),
           p.shared_b + pass_offset(depth0, p.span_cols) + packed_b_offset(depth, col));
  });
}

/// One tile of one part of one batch member.
struct Tile {
  int64_t member;
  int64_t rows, cols;
  /// Column counted from the begin of the span.
  int64_t col0;
  /// The part's depths.
  int64_t begin, end;
  /// The tile's first row of op(a).
  const float* a;
  float* out;
  int64_t out_step;
  /// Bias of the tile's first column, or null.
  const float* bias;
  /// Whether the first pass adds to what stands in out, and whether the last one applies the epilogue.
  bool add_first;
  bool finish;
};

int64_t a_row_step(const GemmArgs& args) noexcept { return args.transpose_a ? 1 : args.a_row_stride; }
int64_t a_depth_step(const GemmArgs& args) noexcept { return args.transpose_a ? args.a_row_stride : 1; }

Tile tile_at(const Product& p, int64_t member, int64_t part, int64_t row0, int64_t col0) noexcept {
  const GemmArgs& args = p.args;
  const GemmPlan& plan = p.plan;
  const int64_t col = p.span_begin + col0;
  const bool to_sums = part > 0;
  Tile t;
  t.member = member;
  t.rows = smaller(plan.rows, args.m - row0);
  t.cols = smaller(plan.cols, p.span_cols - col0);
  t.col0 = col0;
  t.begin = part * plan.part_depth;
  t.end = smaller(t.begin + plan.part_depth, args.k);
  t.a = args.a + member * args.a_batch_stride + row0 * a_row_step(args);
  t.out_step = to_sums ? args.n : args.out_row_stride;
  float* first = to_sums ? p.part_sums + (part - 1) * args.m * args.n : args.out + member * args.out_batch_stride;
  t.out = first + row0 * t.out_step + col;
  t.bias = args.bias == nullptr ? nullptr : args.bias + col;
  t.add_first = args.accumulate && !to_sums;
  t.finish = plan.parts == 1;
  return t;
}

/// Packed b of the tile's columns over one pass: everybody's, what the worker has kept, or packed now.
const float* packed_columns(const Product& p, const Tile& t, int64_t depth0, int64_t depth,
                            const Worker& worker) noexcept {
  if (p.shared_b != nullptr) {
    return p.shared_b + pass_offset(depth0, p.span_cols) + packed_b_offset(depth, t.col0);
  }
  const int64_t columns = p.args.b_batch_stride == 0 ? t.col0 : t.member * p.args.n + t.col0;
  if (*worker.kept != columns) {
    pack_b(b_at(p.args, t.member, depth0, p.span_begin + t.col0), p.args.b_row_stride, p.args.transpose_b, depth,
           t.cols, worker.b);
    if (p.plan.keep_b) *worker.kept = columns;
  }
  return worker.b;
}

/// The block of a after the one at (row, depth0): of the next rows, or of the next pass; empty where it is not packed.
Ahead next_block(const Product& p, const Tile& t, int64_t row, int64_t depth0) noexcept {
  const GemmArgs& args = p.args;
  row += p.plan.block_rows;
  if (row >= t.rows) {
    row = 0;
    depth0 += p.plan.pass;
  }
  if (!p.plan.pack_a || depth0 >= t.end) return {};
  const int64_t height = smaller(p.plan.block_rows, t.rows - row);
  const int64_t depth = smaller(p.plan.pass, t.end - depth0);
  const float* from = t.a + row * a_row_step(args) + depth0 * a_depth_step(args);
  return args.transpose_a ? Ahead{from, args.a_row_stride, depth, height}
                          : Ahead{from, args.a_row_stride, height, depth};
}

/// One pass over the tile, block by block of rows. `readable` rows of op(a) from the tile's first one on are in memory.
void packed_pass(const Product& p, const Tile& t, int64_t depth0, int64_t depth, bool add, bool finish,
                 int64_t readable, const Worker& worker) noexcept {
  const GemmArgs& args = p.args;
  const int64_t row_step = a_row_step(args);
  const int64_t depth_step = a_depth_step(args);
  const float* b = packed_columns(p, t, depth0, depth, worker);
  for (int64_t row = 0; row < t.rows; row += p.plan.block_rows) {
    const int64_t height = smaller(p.plan.block_rows, t.rows - row);
    const float* block = t.a + row * row_step + depth0 * depth_step;
    const LeftBlock left =
        p.plan.pack_a
            ? pack_a(block, args.a_row_stride, args.transpose_a, height, readable - row, depth, worker.a)
            : LeftBlock{block, row_step, depth_step, kMicroRows * row_step};
    float* out = t.out + row * t.out_step;
    panel_product(height, t.cols, depth, left, b, out, t.out_step, add, next_block(p, t, row, depth0));
    if (finish) finish_tile(args, out, height, t.cols, t.bias);
  }
}

/// One tile; col0 counts from the begin of the span.
void compute_tile(const Product& p, int64_t member, int64_t part, int64_t row0, int64_t col0,
                  const Worker& worker) noexcept {
  const GemmArgs& args = p.args;
  const Tile t = tile_at(p, member, part, row0, col0);
  for (int64_t depth0 = t.begin; depth0 < t.end; depth0 += p.plan.pass) {
    const int64_t depth = smaller(p.plan.pass, t.end - depth0);
    const bool add = depth0 > t.begin || t.add_first;
    const bool finish = t.finish && depth0 + depth == t.end;
    if (p.plan.direct_b) {
      direct_product(t.rows, t.cols, depth, t.a + depth0 * a_depth_step(args), a_row_step(args), a_depth_step(args),
                     b_at(args, member, depth0, p.span_begin + col0), args.b_row_stride, t.out, t.out_step, add);
      if (finish) finish_tile(args, t.out, t.rows, t.cols, t.bias);
    } else {
      packed_pass(p, t, depth0, depth, add, finish, args.m - row0, worker);
    }
  }
}

/// Adds up the parts, in order.
void join_parts(const Product& p) noexcept {
  const GemmArgs& args = p.args;
  const int64_t grain = larger<int64_t>(1, kPackGrain / (args.n * p.plan.parts));
  for_ranges(args.m, grain, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      float* out = args.out + row * args.out_row_stride;
      const float* sums = p.part_sums + row * args.n;
      for_vectors(args.n, [&](int64_t col, int64_t lanes) {
        Floats sum = load_some(out + col, lanes);
        for (int64_t part = 1; part < p.plan.parts; ++part) {
          sum += load_some(sums + (part - 1) * args.m * args.n + col, lanes);
        }
        store_some(out + col, sum, lanes);
      });
      finish_tile(args, out, 1, args.n, args.bias);
    }
  });
}

Status block_form(const GemmArgs& args) noexcept {
  const GemmPlan plan = choose_plan(args);
  const int32_t workers = worker_limit();
  const int64_t a_size = plan.pack_a ? round_up(packed_a_size(args.transpose_a, plan.block_rows, plan.pass), 16) : 0;
  const int64_t b_size = plan.share_b || plan.direct_b ? 0 : packed_b_size(plan.pass, plan.cols);
  const int64_t shared_size = plan.share_b ? packed_b_size(args.k, plan.span) : 0;
  const int64_t sums_size = (plan.parts - 1) * args.m * args.n;
  const int64_t own_size = kWorkerFloats + a_size + b_size;
  Scratch scratch(workers * own_size + shared_size + sums_size);
  if (!scratch.ok()) return Status::kOutOfMemory;
  const auto worker_at = [&](int32_t worker) {
    float* own = scratch.data() + worker * own_size;
    return Worker{own + kWorkerFloats, own + kWorkerFloats + a_size, reinterpret_cast<int64_t*>(own)};
  };
  for (int32_t i = 0; i < workers; ++i) *worker_at(i).kept = -1;
  float* shared = scratch.data() + workers * own_size;
  for (int64_t begin = 0; begin < args.n; begin += plan.span) {
    const Product p{args,
                    plan,
                    begin,
                    smaller(plan.span, args.n - begin),
                    plan.share_b ? shared : nullptr,
                    shared + shared_size};
    if (plan.share_b) pack_span(p);
    const int64_t col_tiles = ceil_div(p.span_cols, plan.cols);
    // Row tiles follow one another, so that a worker meets the same columns of b again.
    const int64_t chunks = args.batch * plan.parts * col_tiles * plan.row_tiles;
    for_chunks(chunks, workers, [&](int64_t chunk, int32_t worker) noexcept {
      const int64_t row_tile = chunk % plan.row_tiles;
      const int64_t col_tile = chunk / plan.row_tiles % col_tiles;
      const int64_t member = chunk / (plan.row_tiles * col_tiles);
      compute_tile(p, member / plan.parts, member % plan.parts, row_tile * plan.rows, col_tile * plan.cols,
                   worker_at(worker));
    });
    if (plan.parts > 1) join_parts(p);
  }
  return Status::kOk;
}

/// Few columns and rows that lie across the depth: lanes that are rows of out leave none idle.
bool suits_turned_form(const GemmArgs& args) noexcept {
  return args.batch == 1 && args.transpose_a && 2 * args.n <= kLanes && args.m >= kLanes;
}

Status turned_form(const GemmArgs& args) noexcept {
  Scratch scratch(args.n * args.m);
  if (!scratch.ok()) return Status::kOutOfMemory;
  const float* sums = scratch.data();
  GemmArgs turned;
  turned.m = args.n;
  turned.n = args.m;
  turned.k = args.k;
  turned.transpose_a = !args.transpose_b;
  turned.a = args.b;
  turned.a_row_stride = args.b_row_stride;
  turned.b = args.a;
  turned.b_row_stride = args.a_row_stride;
  turned.out = scratch.data();
  turned.out_row_stride = args.m;
  if (const Status status = block_form(turned); status != Status::kOk) return status;
  for_ranges(args.m, kPackGrain / kLanes, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      float* out = args.out + row * args.out_row_stride;
      for (int64_t col = 0; col < args.n; ++col) {
        const float sum = sums[col * args.m + row];
        out[col] = args.accumulate ? out[col] + sum : sum;
      }
      finish_tile(args, out, 1, args.n, args.bias);
    }
  });
  return Status::kOk;
}

/// An empty sum.
void zero_form(const GemmArgs& args) noexcept {
  for (int64_t member = 0; member < args.batch; ++member) {
    for (int64_t row = 0; row < args.m; ++row) {
      float* out = args.out + member * args.out_batch_stride + row * args.out_row_stride;
      for (int64_t col = 0; !args.accumulate && col < args.n; ++col) out[col] = 0;
      finish_tile(args, out, 1, args.n, args.bias);
    }
  }
}

}  // namespace

Status gemm(const GemmArgs& given) noexcept {
  if (const Status checked = check_gemm(given); checked != Status::kOk) return checked;
  if (given.batch == 0 || given.m == 0 || given.n == 0) return Status::kOk;
  const GemmArgs args = merge_batch(given);
  if (args.k == 0) {
    zero_form(args);
    return Status::kOk;
  }
  if (suits_dots_form(args)) return dots_form(args);
  if (suits_turned_form(args)) return turned_form(args);
  return block_form(args);
}

}  // namespace statespace::STATESPACE_ISA_NS
