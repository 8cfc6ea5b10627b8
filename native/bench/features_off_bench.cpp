/// What the features cost that a call does not use: see features_off.h.
///
///   bench_features_off SECONDS [NAME...]
///     one JSON object a kernel, for bench/; only the kernels named, if any
///
/// Both sides take turns on the same memory, and each one's best time counts. Their results must be the same to the bit.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "bench_tensor.h"
#include "features_off.h"
#include "statespace/runtime.h"
#include "timing.h"

#define STATESPACE_CALLS_OF(isa)                       \
  namespace statespace::isa {                          \
  extern const features_off::Calls features_off_calls; \
  }                                                    \
  namespace statespace_plain::isa {                    \
  extern const features_off::Calls features_off_calls; \
  }
#if defined(STATESPACE_HAVE_SSE2)
STATESPACE_CALLS_OF(sse2)
STATESPACE_CALLS_OF(avx2)
STATESPACE_CALLS_OF(avx512)
#else
STATESPACE_CALLS_OF(neon)
#endif
#undef STATESPACE_CALLS_OF

namespace {

using features_off::Calls;
using features_off::Operands;
using statespace::bench::now;
using statespace::bench::Tensor;

struct Sides {
  const Calls& shipped;
  const Calls& plain;
};

Sides sides() {
#if defined(STATESPACE_HAVE_SSE2)
  const std::string_view isa = statespace::isa_name();
  if (isa == "avx512") return {statespace::avx512::features_off_calls, statespace_plain::avx512::features_off_calls};
  if (isa == "avx2") return {statespace::avx2::features_off_calls, statespace_plain::avx2::features_off_calls};
  return {statespace::sse2::features_off_calls, statespace_plain::sse2::features_off_calls};
#else
  return {statespace::neon::features_off_calls, statespace_plain::neon::features_off_calls};
#endif
}

using Call = void (*Calls::*)(const Operands&) noexcept;

struct Case {
  const char* name;
  Call call;
};

struct Family {
  int64_t batch, seq_len, heads, channels, d_state, width;
  float step_low;
  float step_high;
  Case cases[2];
};

constexpr Family kFamilies[] = {
    {4, 1024, 768, 768, 16, 4, -4, 0,
     {{"selective scan forward", &Calls::scan}, {"selective scan backward", &Calls::scan_backward}}},
    {4, 1024, 768, 768, 16, 4, 0, 0,
     {{"causal conv1d forward", &Calls::conv}, {"causal conv1d backward", &Calls::conv_backward}}},
    {4, 512, 12, 768, 64, 4, -4, 0,
     {{"SSD chunk scan forward", &Calls::ssd}, {"SSD chunk scan backward", &Calls::ssd_backward}}},
};

/// Whether both sides write the same bits into `results`.
bool agree(const Case& one, const Operands& operands, const Sides& both, std::span<Tensor* const> results) {
  std::vector<float> written[2];
  const Calls* const calls[2] = {&both.shipped, &both.plain};
  for (int side = 0; side < 2; ++side) {
    for (Tensor* result : results) std::fill_n(result->data(), result->size(), -1.0f);
    (calls[side]->*one.call)(operands);
    for (Tensor* result : results) {
      written[side].insert(written[side].end(), result->data(), result->data() + result->size());
    }
  }
  return std::memcmp(written[0].data(), written[1].data(), written[0].size() * sizeof(float)) == 0;
}

void measure(const Case& one, const Operands& operands, const Sides& both, double seconds) {
  const Calls* const calls[2] = {&both.shipped, &both.plain};
  double best[2] = {1e30, 1e30};
  const double begin = now();
  for (int turn = 0; turn < 10 || now() - begin < seconds; ++turn) {
    for (int side = 0; side < 2; ++side) {
      const double start = now();
      (calls[side]->*one.call)(operands);
      const double time = now() - start;
      best[side] = std::min(best[side], time);
    }
  }
  std::printf("{\"name\": \"%s\", \"secondsShipped\": %.9g, \"secondsPlain\": %.9g}\n", one.name, best[0], best[1]);
  std::fflush(stdout);
}

/// False where the sides differ.
bool run(const Family& f, double seconds, char* const* names, int count) {
  const int64_t rows = f.batch * f.seq_len, elements = rows * f.channels, weights = rows * f.d_state;
  Tensor x(elements, -1, 1), step(rows * f.heads, f.step_low, f.step_high), A(f.channels * f.d_state, -16, -0.1f),
      B(weights, -1, 1), C(weights, -1, 1), weight(f.channels * f.width, -1, 1), out(elements),
      grad_out(elements, -1, 1), grad_x(elements), grad_step(rows * f.heads), grad_A(f.channels * f.d_state),
      grad_B(weights), grad_C(weights), grad_weight(f.channels * f.width);
  const Operands operands = {f.batch,          f.seq_len,     f.heads,       f.channels,      f.d_state,
                             f.width,          x.data(),      step.data(),   A.data(),        B.data(),
                             C.data(),         weight.data(), out.data(),    grad_out.data(), grad_x.data(),
                             grad_step.data(), grad_A.data(), grad_B.data(), grad_C.data(),   grad_weight.data()};
  Tensor* const results[] = {&out, &grad_x, &grad_step, &grad_A, &grad_B, &grad_C, &grad_weight};
  const Sides both = sides();
  for (const Case& one : f.cases) {
    const bool wanted = count == 0 || std::any_of(names, names + count, [&](const char* name) {
                          return std::strcmp(name, one.name) == 0;
                        });
    if (!wanted) continue;
    if (!agree(one, operands, both, results)) {
      std::fprintf(stderr, "%s: the two builds differ in their results\n", one.name);
      return false;
    }
    measure(one, operands, both, seconds);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  if (statespace::isa_request() != statespace::Status::kOk) {
    std::fprintf(stderr, "STATESPACE_ISA names an instruction set that this machine or this build lacks\n");
    return 1;
  }
  for (const Family& family : kFamilies) {
    if (!run(family, std::atof(argv[1]), argv + 2, argc - 2)) return 1;
  }
  return 0;
}
