/// Steps, decays and scores of one chunk of the SSD scan.
#include "ssd_chunk.h"

#include "gemm_kernel.h"
#include "ssd_product.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {

static_assert(kMaxChunk % kLanes == 0);

void step_sizes(const SsdChunkScanInputs& args, const SequenceSpan& sequence, int64_t head, int64_t begin, int64_t q,
                float* raw, float* delta) noexcept {
  const float bias = args.dt_bias != nullptr ? args.dt_bias[head] : 0.0f;
  for (int64_t t = 0; t < q; ++t) raw[t] = row_at(args.dt, sequence.batch, begin + t)[head] + bias;
  for (int64_t t = q; t < kMaxChunk; ++t) raw[t] = 0;
  for (int64_t t = 0; t < kMaxChunk; t += kLanes) {
    Floats step = load(raw + t);
    if (args.dt_softplus) step = softplus(step);
    // In this order a NaN stays a NaN.
    step = select(step < args.dt_min, broadcast(args.dt_min), step);
    step = select(step > args.dt_max, broadcast(args.dt_max), step);
    store(delta + t, select(iota() < static_cast<int32_t>(q - t), step, Floats{}));
  }
}

void load_steps(const SsdChunkScanInputs& args, const SequenceSpan& sequence, int64_t head, int64_t begin, int64_t q,
                ChunkSteps& steps) noexcept {
  step_sizes(args, sequence, head, begin, q, steps.raw, steps.dt);
  for (int64_t t = 0; t < kMaxChunk; t += kLanes) store(steps.a + t, load(steps.dt + t) * args.A[head]);
  float sum = 0;
  for (int64_t t = 0; t < q; ++t) steps.from_start[t] = sum += steps.a[t];
  for (int64_t t = q; t < kMaxChunk; ++t) steps.from_start[t] = sum;
  sum = 0;
  for (int64_t t = kMaxChunk; t-- > 0;) {
    steps.to_end[t] = sum;
    if (t < q) sum += steps.a[t];
  }
  for (int64_t t = 0; t < kMaxChunk; t += kLanes) {
    store(steps.from_start + t, exp(load(steps.from_start + t)));
    store(steps.to_end + t, exp(load(steps.to_end + t)));
  }
  steps.whole = steps.from_start[kMaxChunk - 1];
}

void mask_scores(const ChunkSteps& steps, int64_t q, int64_t width, const float* scores, float* decays,
                 float* masked) noexcept {
  // Exponents are sums of a over segments, grown row by row. Differences of one cumulative sum would lose digits, and
  // above the diagonal they would overflow: there the exponent is held at 0 and the product is not selected.
  alignas(64) float segment[kMaxChunk] = {};
  for (int64_t l = 0; l < q; ++l) {
    const Floats a = broadcast(steps.a[l]);
    for (int64_t s = 0; s < width; s += kLanes) {
      float* to = masked + l * width + s;
      if (s > l) {
        store(to, Floats{});
        if (decays != nullptr) store(decays + l * width + s, Floats{});
        continue;
      }
      const Ints behind = iota() < static_cast<int32_t>(l - s);
      const Ints reached = iota() <= static_cast<int32_t>(l - s);
      const Floats exponent = select(behind, load(segment + s) + a, Floats{});
      store(segment + s, exponent);
      const Floats decay = exp(exponent);
      store(to, select(reached, load(scores + l * width + s) * decay, Floats{}));
      if (decays != nullptr) store(decays + l * width + s, select(reached, decay, Floats{}));
    }
  }
}

void chunk_scores(const SsdChunkScanInputs& args, const SequenceSpan& sequence, int64_t group, int64_t begin, int64_t q,
                  int64_t width, float* transposed_B, float* scores) noexcept {
  const int64_t d_state = args.d_state;
  const float* B = d_state == 0 ? nullptr : row_at(args.B, sequence.batch, begin) + group * d_state;
  const float* C = d_state == 0 ? nullptr : row_at(args.C, sequence.batch, begin) + group * d_state;
  transpose_into(B, args.B.len_stride, q, d_state, transposed_B, width);
  for (int64_t n = 0; n < d_state; ++n) {
    for (int64_t s = q; s < width; ++s) transposed_B[n * width + s] = 0;
  }
  Product product;
  product.first = {C, args.C.len_stride, 1, transposed_B, width, d_state};
  product.c = scores, product.c_row = width, product.lower_only = true;
  multiply(product, q, width);
}

}  // namespace statespace::STATESPACE_ISA_NS
