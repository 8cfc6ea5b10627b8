/// Gradient norm and AdamW over many tensors at once. Oracle: packages/ssd-core/src/ops/{grad-norm,adamw}.
#include "dense_checks.h"
#include "elementwise_map.h"
#include "kernels.h"
#include "row_team.h"
#include "slot_batches.h"

namespace statespace::cuda {
namespace {

__global__ void __launch_bounds__(kRowThreads)
    squares_kernel(const SlotBatch<GradSlot> batch, double* partials) {
  RowTeam<true> team;
  team.for_rows(batch.chunks(), [&](int64_t chunk) {
    const SlotPiece piece = slot_piece(batch, chunk);
    const float* const x = batch.slots[piece.slot].data + piece.begin;
    double sum = 0;
    team.for_entries(piece.end - piece.begin, [&](int64_t i) {
      const auto value = static_cast<double>(x[i]);
      sum += value * value;
    });
    sum = team.sum(sum);
    if (team.index() == 0) partials[batch.chunks_before + chunk] = sum;
  });
}

/// One block.
__global__ void __launch_bounds__(kRowThreads)
    norm_kernel(const double* partials, const int64_t chunks, const double max_norm, float* norm, float* factor) {
  RowTeam<true> team;
  double sum = 0;
  team.for_entries(chunks, [&](int64_t i) { sum += partials[i]; });
  const double length = sqrt(team.sum(sum));
  if (team.index() != 0) return;
  *norm = static_cast<float>(length);
  const bool unlimited = max_norm == kInfinity && length == length;
  const double wanted = unlimited ? 1 : max_norm / (length + 1e-6);
  *factor = static_cast<float>(wanted > 1 ? 1 : wanted);
}

/// What all slots of a call share; the schedule lies on the device.
struct AdamWCall {
  double beta1;
  double beta2;
  float eps;
  const float* schedule;
  const float* grad_scale;
};

struct AdamWFactors {
  float beta1;
  float one_minus_beta1;
  float beta2;
  float one_minus_beta2;
  float eps;
  float grad_scale;
  /// lr lr_scale / c1
  float rate;
  /// 1 / sqrt(c2)
  float root_scale;
  float decay;
};

__device__ AdamWFactors factors_of(const AdamWCall& call, const AdamWSlot& slot) {
  const double rate = static_cast<double>(call.schedule[0]) * static_cast<double>(slot.lr_scale);
  return {static_cast<float>(call.beta1),
          static_cast<float>(1 - call.beta1),
          static_cast<float>(call.beta2),
          static_cast<float>(1 - call.beta2),
          call.eps,
          call.grad_scale == nullptr ? 1.0f : *call.grad_scale,
          static_cast<float>(rate / static_cast<double>(call.schedule[1])),
          static_cast<float>(1 / sqrt(static_cast<double>(call.schedule[2]))),
          static_cast<float>(1 - rate * static_cast<double>(slot.weight_decay))};
}

__device__ __forceinline__ void adamw_step(const AdamWFactors& f, float grad, float& param, float& m, float& v) {
  const float g = grad * f.grad_scale;
  m = fmaf(m, f.beta1, g * f.one_minus_beta1);
  v = fmaf(v, f.beta2, g * g * f.one_minus_beta2);
  param = fmaf(param, f.decay, -(f.rate * m) / fmaf(sqrtf(v), f.root_scale, f.eps));
}

/// Four elements, all of whose addresses allow packs.
__device__ __forceinline__ void adamw_pack(const AdamWFactors& f, const AdamWSlot& slot, int64_t at) {
  const auto grad = *reinterpret_cast<const Pack<float>*>(slot.grad + at);
  auto& to_param = *reinterpret_cast<Pack<float>*>(slot.param + at);
  auto& to_m = *reinterpret_cast<Pack<float>*>(slot.m + at);
  auto& to_v = *reinterpret_cast<Pack<float>*>(slot.v + at);
  Pack<float> param = to_param, m = to_m, v = to_v;
#pragma unroll
  for (int k = 0; k < 4; ++k) adamw_step(f, grad.value[k], param.value[k], m.value[k], v.value[k]);
  to_param = param;
  to_m = m;
  to_v = v;
}

__global__ void __launch_bounds__(kMapThreads) adamw_kernel(const SlotBatch<AdamWSlot> batch, const AdamWCall call) {
  auto& factors = shared_memory<AdamWFactors>();
  for (int64_t chunk = blockIdx.x; chunk < batch.chunks(); chunk += gridDim.x) {
    const SlotPiece piece = slot_piece(batch, chunk);
    const AdamWSlot slot = batch.slots[piece.slot];
    __syncthreads();
    if (threadIdx.x == 0) factors = factors_of(call, slot);
    __syncthreads();
    const AdamWFactors f = factors;
    const auto addresses = reinterpret_cast<uintptr_t>(slot.param) | reinterpret_cast<uintptr_t>(slot.grad) |
                           reinterpret_cast<uintptr_t>(slot.m) | reinterpret_cast<uintptr_t>(slot.v);
    const bool aligned = addresses % alignof(Pack<float>) == 0;
    for (int64_t at = piece.begin + 4 * threadIdx.x; at < piece.end; at += 4 * kMapThreads) {
      if (aligned && piece.end - at >= 4) {
        adamw_pack(f, slot, at);
        continue;
      }
      for (int64_t i = at; i < at + 4 && i < piece.end; ++i) {
        adamw_step(f, slot.grad[i], slot.param[i], slot.m[i], slot.v[i]);
      }
    }
  }
}

}  // namespace

Status grad_norm(const GradNormArgs& args) noexcept {
  const Status checked = check_grad_norm(args);
  if (checked != Status::kOk) return checked;
  constexpr auto kShared = static_cast<int64_t>(sizeof(RowShared));
  const int64_t chunks = chunks_of(args.slots, args.slot_count);
  DeviceScratch scratch;
  auto* partials = scratch.take<double>(chunks);
  if (scratch.status() != Status::kOk) return scratch.status();
  const Status status = for_slot_batches(args.slots, args.slot_count, [&](const SlotBatch<GradSlot>& batch) {
    return launch(squares_kernel, {blocks_for(batch.chunks()), kRowThreads, kShared}, batch, partials);
  });
  if (status != Status::kOk) return status;
  return launch(norm_kernel, {1, kRowThreads, kShared}, partials, chunks, args.max_norm, args.norm, args.factor);
}

Status adamw(const AdamWArgs& args) noexcept {
  const Status checked = check_adamw(args);
  if (checked != Status::kOk) return checked;
  const AdamWCall call = {args.beta1, args.beta2, static_cast<float>(args.eps), args.schedule, args.grad_scale};
  return for_slot_batches(args.slots, args.slot_count, [&](const SlotBatch<AdamWSlot>& batch) {
    const GridShape grid = {blocks_for(batch.chunks()), kMapThreads, static_cast<int64_t>(sizeof(AdamWFactors))};
    return launch(adamw_kernel, grid, batch, call);
  });
}

}  // namespace statespace::cuda
