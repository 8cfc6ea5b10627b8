/// Index of the largest entry of each row. Oracle: packages/ssd-core/src/ops/reduce.
#include "dense_checks.h"
#include "kernels.h"
#include "row_team.h"
#include "storage.h"

namespace statespace::cuda {
namespace {

/// A number and its index as one integer: the larger number wins, then the lower index; NaN is largest of all.
__device__ __forceinline__ uint64_t rank_of(float x, int64_t index) {
  const uint32_t bits = bits_of_float(x + 0.0f);  // -0 becomes 0
  const uint32_t ordered = x != x ? 0xffffffffu : (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return static_cast<uint64_t>(ordered) << 32 | (0xffffffffu - static_cast<uint32_t>(index));
}

template <bool kLong>
__global__ void __launch_bounds__(kRowThreads) argmax_kernel(const ArgmaxArgs args) {
  RowTeam<kLong> team;
  team.for_rows(args.rows, [&](int64_t row) {
    const float* const x = args.x + row * args.x_row_stride;
    uint64_t best = 0;
    team.for_entries(args.dim, [&](int64_t i) {
      const uint64_t rank = rank_of(x[i], i);
      if (rank > best) best = rank;
    });
    best = team.join(best, JoinMaxima{});
    if (team.index() == 0) args.out[row] = static_cast<int32_t>(0xffffffffu - static_cast<uint32_t>(best));
  });
}

}  // namespace

Status argmax(const ArgmaxArgs& args) noexcept {
  const Status checked = check_argmax(args);
  if (checked != Status::kOk || args.rows == 0) return checked;
  return launch_rows([](auto is_long) { return argmax_kernel<decltype(is_long)::value>; }, args.rows, args.dim, args);
}

}  // namespace statespace::cuda
