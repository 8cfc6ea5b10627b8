/// Row lookup and its transpose. Oracle: packages/ssd-core/src/ops/embedding.
#include <string.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

bool ids_in_range(const int32_t* ids, int64_t count, int64_t vocab) noexcept {
  int32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) bad |= (ids[i] < 0) | (ids[i] >= vocab);
  return bad == 0;
}

/// Rows of one chunk when the table is cut for the scatter.
constexpr int64_t kVocabTiles = 64;

}  // namespace

Status embedding(const EmbeddingArgs& args) noexcept {
  const Status checked = check_embedding(args);
  if (checked != Status::kOk || args.count == 0 || args.dim == 0) return checked;
  if (!ids_in_range(args.ids, args.count, args.vocab)) return Status::kIndexOutOfRange;
  const size_t row_bytes = static_cast<size_t>(args.dim) * sizeof(float);
  for_ranges(args.count, larger<int64_t>(1, kElementGrain / args.dim), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t i = begin; i < end; ++i) {
      memcpy(args.out + i * args.dim, args.weight + args.ids[i] * args.dim, row_bytes);
    }
  });
  return Status::kOk;
}

/// A counting sort brings the positions of each id together, in order; then every table row is the work of one
/// chunk, so no two threads add to the same row and the order of additions is that of the positions.
Status embedding_backward(const EmbeddingBackwardArgs& args) noexcept {
  const Status checked = check_embedding_backward(args);
  if (checked != Status::kOk || args.count == 0 || args.dim == 0) return checked;
  if (!ids_in_range(args.ids, args.count, args.vocab)) return Status::kIndexOutOfRange;

  // starts (vocab + 1) then positions (count), as int32 in float-sized places
  Scratch scratch(args.vocab + 1 + args.count);
  if (!scratch.ok()) return Status::kOutOfMemory;
  int32_t* starts = reinterpret_cast<int32_t*>(scratch.data());
  int32_t* positions = starts + args.vocab + 1;
  memset(starts, 0, static_cast<size_t>(args.vocab + 1) * sizeof(int32_t));
  for (int64_t i = 0; i < args.count; ++i) ++starts[args.ids[i] + 1];
  for (int64_t v = 0; v < args.vocab; ++v) starts[v + 1] += starts[v];
  // After this pass starts[v] is the end of v's positions, so v's begin is starts[v - 1].
  for (int64_t i = 0; i < args.count; ++i) positions[starts[args.ids[i]]++] = static_cast<int32_t>(i);

  // Chunks cut the sorted positions evenly, moved to the borders of ids.
  const int64_t chunks = smaller(kVocabTiles, ceil_div(args.count * args.dim, kElementGrain));
  const auto border = [&](int64_t chunk) {
    int64_t at = args.count * chunk / chunks;
    while (at > 0 && at < args.count && args.ids[positions[at]] == args.ids[positions[at - 1]]) ++at;
    return at;
  };
  for_chunks(chunks, worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    const int64_t end = border(chunk + 1);
    for (int64_t at = border(chunk); at < end; ++at) {
      const int64_t position = positions[at];
      const float* grad = args.grad_out + position * args.dim;
      float* row = args.grad_weight + args.ids[position] * args.dim;
      int64_t i = 0;
      for (; i + kLanes <= args.dim; i += kLanes) store(row + i, load(row + i) + load(grad + i));
      if (i < args.dim) {
        const int64_t n = args.dim - i;
        store_partial(row + i, load_partial(row + i, n) + load_partial(grad + i, n), n);
      }
    }
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
