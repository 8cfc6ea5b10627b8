#include "../arguments/gemm.h"

#include "statespace/kernels.h"
#include "tensor_source.h"

namespace statespace::c_interface {

int32_t Sgemm(const statespace_sgemm_args* args) noexcept {
  using Given = statespace_sgemm_args;
  TensorSource source(Form::kSgemm);
  Given given;
  if (!source.Open(args, offsetof(Given, a), &given)) return source.status();
  GemmArgs g;
  g.transpose_a = source.Flag(given.transpose_a);
  g.transpose_b = source.Flag(given.transpose_b);
  g.accumulate = source.Flag(given.accumulate);
  g.activation = static_cast<Activation>(source.Choice(given.activation, 2));
  const int32_t a = source.At(offsetof(Given, a)), out = source.At(offsetof(Given, out));
  if (source.HasRank(a, 2, 3) && source.HasRank(out, 2, 3)) {
    const int32_t rows = given.out.rank - 2;
    g.batch = rows == 1 ? source.Batch(out) : 1;
    g.m = given.out.shape[rows];
    g.n = given.out.shape[rows + 1];
    g.k = given.a.shape[given.a.rank - (g.transpose_a ? 2 : 1)];
  }
  if (source.ok()) arguments::ReadGemm(source, g);
  return source.Run(g, cpu_kernels()->gemm);
}

}  // namespace statespace::c_interface
