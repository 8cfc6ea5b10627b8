/// Gradient norm and AdamW over many tensors at once. Oracle: packages/ssd-core/src/ops/{grad-norm,adamw}.
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Elements of one chunk of work on all slots together.
constexpr int64_t kGrain = 16384;

int64_t chunk_count(int64_t elements) noexcept { return ceil_div(elements, kGrain); }

template <typename Slot>
int64_t chunk_count(const Slot* slots, int64_t slot_count) noexcept {
  int64_t chunks = 0;
  for (int64_t i = 0; i < slot_count; ++i) chunks += chunk_count(slots[i].count);
  return chunks;
}

/// Calls body(slot, begin, end, chunk) for the pieces of all slots, kGrain elements at most each.
template <typename Slot, typename Body>
void for_slot_pieces(const Slot* slots, int64_t slot_count, int64_t chunks, const Body& body) noexcept {
  for_chunks(chunks, worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    int64_t rest = chunk;
    int64_t slot = 0;
    while (slot < slot_count && rest >= chunk_count(slots[slot].count)) rest -= chunk_count(slots[slot++].count);
    const int64_t begin = rest * kGrain;
    body(slots[slot], begin, smaller(begin + kGrain, slots[slot].count), chunk);
  });
}

double sum_of_squares(const float* x, int64_t n) noexcept {
  Doubles sum = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Doubles v = to_doubles(load(x + i));
    sum += v * v;
  }
  const Doubles rest = to_doubles(load_partial(x + i, n - i));
  return reduce_add(sum + rest * rest);
}

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

struct AdamWState {
  Floats param;
  Floats m;
  Floats v;
};

STATESPACE_INLINE AdamWState adamw_step(const AdamWFactors& f, Floats param, Floats grad, Floats m, Floats v) {
  const Floats g = grad * f.grad_scale;
  const Floats m_new = fma(m, broadcast(f.beta1), g * f.one_minus_beta1);
  const Floats v_new = fma(v, broadcast(f.beta2), g * g * f.one_minus_beta2);
  const Floats denominator = fma(sqrt(v_new), broadcast(f.root_scale), broadcast(f.eps));
  return {fma(param, broadcast(f.decay), -(f.rate * m_new) / denominator), m_new, v_new};
}

void adamw_range(const AdamWSlot& slot, const AdamWFactors& f, int64_t begin, int64_t end) noexcept {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    const AdamWState now = adamw_step(f, load(slot.param + i), load(slot.grad + i), load(slot.m + i), load(slot.v + i));
    store(slot.param + i, now.param);
    store(slot.m + i, now.m);
    store(slot.v + i, now.v);
  }
  const int64_t n = end - i;
  if (n == 0) return;
  const AdamWState now = adamw_step(f, load_partial(slot.param + i, n), load_partial(slot.grad + i, n),
                                    load_partial(slot.m + i, n), load_partial(slot.v + i, n));
  store_partial(slot.param + i, now.param, n);
  store_partial(slot.m + i, now.m, n);
  store_partial(slot.v + i, now.v, n);
}

}  // namespace

Status grad_norm(const GradNormArgs& args) noexcept {
  const Status checked = check_grad_norm(args);
  if (checked != Status::kOk) return checked;
  const int64_t chunks = chunk_count(args.slots, args.slot_count);
  Scratch scratch(2 * chunks);
  if (!scratch.ok()) return Status::kOutOfMemory;
  double* partials = reinterpret_cast<double*>(scratch.data());
  for_slot_pieces(args.slots, args.slot_count, chunks,
                  [&](const GradSlot& slot, int64_t begin, int64_t end, int64_t chunk) noexcept {
                    partials[chunk] = sum_of_squares(slot.data + begin, end - begin);
                  });
  double sum = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += partials[chunk];
  const double norm = ::sqrt(sum);
  *args.norm = static_cast<float>(norm);
  if (args.max_norm == __builtin_inf() && norm == norm) {
    *args.factor = 1;
  } else {
    const double factor = args.max_norm / (norm + 1e-6);
    *args.factor = static_cast<float>(factor > 1 ? 1 : factor);
  }
  return Status::kOk;
}

Status adamw(const AdamWArgs& args) noexcept {
  const Status checked = check_adamw(args);
  if (checked != Status::kOk) return checked;
  const int64_t chunks = chunk_count(args.slots, args.slot_count);
  const double lr = args.schedule[0];
  const double c1 = args.schedule[1];
  const double c2 = args.schedule[2];
  const float grad_scale = args.grad_scale == nullptr ? 1.0f : *args.grad_scale;
  for_slot_pieces(args.slots, args.slot_count, chunks,
                  [&](const AdamWSlot& slot, int64_t begin, int64_t end, int64_t) noexcept {
                    const double rate = lr * static_cast<double>(slot.lr_scale);
                    const AdamWFactors factors = {static_cast<float>(args.beta1),
                                                  static_cast<float>(1 - args.beta1),
                                                  static_cast<float>(args.beta2),
                                                  static_cast<float>(1 - args.beta2),
                                                  static_cast<float>(args.eps),
                                                  grad_scale,
                                                  static_cast<float>(rate / c1),
                                                  static_cast<float>(1 / ::sqrt(c2)),
                                                  static_cast<float>(1 - rate * static_cast<double>(slot.weight_decay))};
                    adamw_range(slot, factors, begin, end);
                  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS
