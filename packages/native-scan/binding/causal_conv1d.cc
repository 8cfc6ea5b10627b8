// Numbers: real (0 f32, 1 f64), batch, seqLen, dim, width, activation, those of sequences.h.
// Arrays: ../arguments/causal_conv1d.h.
#include "../arguments/causal_conv1d.h"

#include "methods.h"
#include "sequences.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

template <typename Args>
napi_value Convolve(Call& call, Status (*kernel)(const Args&) noexcept) {
  Args a;
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.width = call.Choice(kCausalConv1dMaxWidth + 1);
  if (a.width < 1) call.Refuse(Refusal::kBadNumber);
  a.activation = static_cast<Activation>(call.Choice(2));
  arguments::ReadConv(call, ReadSequencesHeader(call), a);
  return call.Run(a, kernel);
}

napi_value CausalConv1d(Call& call) {
  const bool wide = call.Choice(2) == 1;
  return wide ? Convolve(call, cpu_kernels()->causal_conv1d_f64)
              : Convolve(call, cpu_kernels()->causal_conv1d);
}

napi_value CausalConv1dBackward(Call& call) {
  const bool wide = call.Choice(2) == 1;
  return wide ? Convolve(call, cpu_kernels()->causal_conv1d_backward_f64)
              : Convolve(call, cpu_kernels()->causal_conv1d_backward);
}

constexpr Method kMethods[] = {
    {"causalConv1d", Sync<CausalConv1d>},
    {"causalConv1dAsync", Async<CausalConv1d>},
    {"causalConv1dBackward", Sync<CausalConv1dBackward>},
    {"causalConv1dBackwardAsync", Async<CausalConv1dBackward>},
};

}  // namespace

std::span<const Method> ConvMethods() { return kMethods; }

}  // namespace statespace::binding
