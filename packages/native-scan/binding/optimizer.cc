//   gradNorm: slots, maxNorm, counts... | [grads], norm, factor
//   adamw: slots, beta1, beta2, eps, then per slot count, lrScale, weightDecay
//     | [params], [grads], [m], [v] (offsets slot by slot, in that order), schedule, gradScale?
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

/// Far above any model, and small enough that the lists themselves always fit.
constexpr int32_t kMaxSlots = 1 << 20;

napi_value GradNorm(Call& call) {
  GradNormArgs a{};
  a.slot_count = call.Choice(kMaxSlots);
  a.max_norm = call.Number();
  const List grads = call.ReadList(a.slot_count);
  if (!call.ok()) return call.Result();
  std::vector<GradSlot> slots(static_cast<size_t>(a.slot_count));
  for (GradSlot& slot : slots) slot.count = call.Size();
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i].data = call.ListEntry(grads, static_cast<int64_t>(i), Role::kRead, slots[i].count);
  }
  a.slots = slots.data();
  a.norm = call.Out(1);
  a.factor = call.Out(1);
  return call.Run(a, cpu_kernels()->grad_norm);
}

napi_value AdamW(Call& call) {
  AdamWArgs a{};
  a.slot_count = call.Choice(kMaxSlots);
  a.beta1 = call.Number();
  a.beta2 = call.Number();
  a.eps = call.Number();
  const List params = call.ReadList(a.slot_count);
  const List grads = call.ReadList(a.slot_count);
  const List first_moments = call.ReadList(a.slot_count);
  const List second_moments = call.ReadList(a.slot_count);
  if (!call.ok()) return call.Result();
  std::vector<AdamWSlot> slots(static_cast<size_t>(a.slot_count));
  for (AdamWSlot& slot : slots) {
    slot.count = call.Size();
    slot.lr_scale = call.Float();
    slot.weight_decay = call.Float();
  }
  for (size_t i = 0; i < slots.size(); ++i) {
    AdamWSlot& slot = slots[i];
    const int64_t index = static_cast<int64_t>(i);
    slot.param = call.ListEntry(params, index, Role::kUpdate, slot.count);
    slot.grad = call.ListEntry(grads, index, Role::kRead, slot.count);
    slot.m = call.ListEntry(first_moments, index, Role::kUpdate, slot.count);
    slot.v = call.ListEntry(second_moments, index, Role::kUpdate, slot.count);
  }
  a.slots = slots.data();
  a.schedule = call.In(3);
  a.grad_scale = call.OptionalIn(1);
  return call.Run(a, cpu_kernels()->adamw);
}

constexpr Method kMethods[] = {{"gradNorm", Sync<GradNorm>}, {"adamw", Sync<AdamW>}};

}  // namespace

std::span<const Method> OptimizerMethods() { return kMethods; }

}  // namespace statespace::binding
