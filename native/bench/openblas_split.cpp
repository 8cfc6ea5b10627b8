#include "openblas_split.h"

#include <cblas.h>

#include "thread_pool.h"

namespace statespace::bench {
namespace {

struct Strips {
  const GemmArgs* args;
  int64_t count;
  bool along_m;
};

void strip(void* context, int64_t chunk, int32_t) noexcept {
  const Strips& strips = *static_cast<const Strips*>(context);
  const GemmArgs& g = *strips.args;
  const int64_t total = strips.along_m ? g.m : g.n;
  const int64_t begin = total * chunk / strips.count;
  const int64_t size = total * (chunk + 1) / strips.count - begin;
  const int64_t row = strips.along_m ? begin : 0;
  const int64_t col = strips.along_m ? 0 : begin;
  cblas_sgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans, g.transpose_b ? CblasTrans : CblasNoTrans,
              static_cast<int>(strips.along_m ? size : g.m), static_cast<int>(strips.along_m ? g.n : size),
              static_cast<int>(g.k), 1.0f, g.a + row * (g.transpose_a ? 1 : g.a_row_stride),
              static_cast<int>(g.a_row_stride), g.b + col * (g.transpose_b ? g.b_row_stride : 1),
              static_cast<int>(g.b_row_stride), g.accumulate ? 1.0f : 0.0f, g.out + row * g.out_row_stride + col,
              static_cast<int>(g.out_row_stride));
}

}  // namespace

void openblas_gemm(const GemmArgs& args) {
  openblas_set_num_threads(1);
  Strips strips{&args, worker_limit(), args.m >= args.n};
  parallel_for(strips.count, worker_limit(), strip, &strips);
}

}  // namespace statespace::bench
