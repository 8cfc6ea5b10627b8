#include "peer_gemm.h"

#if defined(STATESPACE_WITH_OPENBLAS)
#include <cblas.h>
#endif
#if defined(STATESPACE_WITH_ONEDNN)
#include <dnnl.h>
#include <omp.h>
#endif

#include "thread_pool.h"

namespace statespace::bench {
namespace {

/// One strip of a product, rows or columns.
using StripProduct = void (*)(const GemmArgs& strip) noexcept;

struct Strips {
  const GemmArgs* args;
  StripProduct product;
  int64_t count;
  bool along_m;
};

[[maybe_unused]] void run_strip(void* context, int64_t chunk, int32_t) noexcept {
  const Strips& strips = *static_cast<const Strips*>(context);
  GemmArgs g = *strips.args;
  int64_t& size = strips.along_m ? g.m : g.n;
  const int64_t begin = size * chunk / strips.count;
  size = size * (chunk + 1) / strips.count - begin;
  if (strips.along_m) {
    g.a += begin * (g.transpose_a ? 1 : g.a_row_stride);
    g.out += begin * g.out_row_stride;
  } else {
    g.b += begin * (g.transpose_b ? g.b_row_stride : 1);
    g.out += begin;
  }
  strips.product(g);
}

template <StripProduct kProduct>
[[maybe_unused]] void run_strips(const GemmArgs& args) {
  Strips strips{&args, kProduct, worker_limit(), args.m >= args.n};
  parallel_for(strips.count, worker_limit(), run_strip, &strips);
}

#if defined(STATESPACE_WITH_OPENBLAS)
void openblas(const GemmArgs& g) noexcept {
  openblas_set_num_threads(1);
  cblas_sgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans, g.transpose_b ? CblasTrans : CblasNoTrans,
              static_cast<int>(g.m), static_cast<int>(g.n), static_cast<int>(g.k), 1.0f, g.a,
              static_cast<int>(g.a_row_stride), g.b, static_cast<int>(g.b_row_stride), g.accumulate ? 1.0f : 0.0f,
              g.out, static_cast<int>(g.out_row_stride));
}
#endif

#if defined(STATESPACE_WITH_ONEDNN)
void onednn(const GemmArgs& g) noexcept {
  omp_set_num_threads(1);
  dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.m, g.n, g.k, 1.0f, g.a, g.a_row_stride, g.b,
             g.b_row_stride, g.accumulate ? 1.0f : 0.0f, g.out, g.out_row_stride);
}
#endif

constexpr PeerGemm kPeers[] = {
#if defined(STATESPACE_WITH_OPENBLAS)
    {"OpenBLAS", run_strips<openblas>},
#endif
#if defined(STATESPACE_WITH_ONEDNN)
    {"oneDNN", run_strips<onednn>},
#endif
    {nullptr, nullptr},
};

}  // namespace

std::span<const PeerGemm> peer_gemms() { return {kPeers, std::size(kPeers) - 1}; }

}  // namespace statespace::bench
