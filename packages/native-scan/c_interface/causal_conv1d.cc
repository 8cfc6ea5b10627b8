#include "../arguments/causal_conv1d.h"

#include "statespace/kernels.h"
#include "tensor_source.h"

namespace statespace::c_interface {
namespace {

template <typename Args, typename GivenArgs>
int32_t Run(TensorSource& source, const GivenArgs& given, Status (*kernel)(const Args&) noexcept) {
  Args a;
  a.activation = static_cast<Activation>(source.Choice(given.activation, 2));
  source.Zero(given.reserved);
  const int32_t x = source.At(offsetof(GivenArgs, x)), weight = source.At(offsetof(GivenArgs, weight));
  const auto sequences =
      source.Sequences(given.sequences, given.reverse, source.At(offsetof(GivenArgs, sequence_indices)));
  if (source.HasRank(x, 3, 3) && source.HasRank(weight, 2, 2)) {
    a.batch = source.Batch(x);
    a.seq_len = given.x.shape[1];
    a.dim = given.x.shape[2];
    a.width = given.weight.shape[1];
    if (a.width < 1) source.Fault(STATESPACE_WRONG_SHAPE, weight);
    if (a.width > kCausalConv1dMaxWidth) source.Fault(STATESPACE_TOO_LARGE, weight);
  }
  if (source.ok()) arguments::ReadConv(source, sequences, a);
  return source.Run(a, kernel);
}

template <typename GivenArgs, typename Single, typename Double>
int32_t Convolve(Form form, const GivenArgs* caller, Status (*f32)(const Single&) noexcept,
                 Status (*f64)(const Double&) noexcept) {
  TensorSource source(form);
  GivenArgs given;
  if (!source.Open(caller, offsetof(GivenArgs, x), &given)) return source.status();
  const bool wide = given.weight.dtype == STATESPACE_F64;
  source.SetWide(wide);
  return wide ? Run(source, given, f64) : Run(source, given, f32);
}

}  // namespace

int32_t CausalConv1d(const statespace_causal_conv1d_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Convolve(Form::kCausalConv1d, args, k.causal_conv1d, k.causal_conv1d_f64);
}

int32_t CausalConv1dBackward(const statespace_causal_conv1d_backward_args* args) noexcept {
  const KernelTable& k = *cpu_kernels();
  return Convolve(Form::kCausalConv1dBackward, args, k.causal_conv1d_backward, k.causal_conv1d_backward_f64);
}

}  // namespace statespace::c_interface
