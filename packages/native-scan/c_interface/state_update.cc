#include "../arguments/state_update.h"

#include "statespace/kernels.h"
#include "tensor_source.h"

namespace statespace::c_interface {

namespace {

template <typename Real>
int32_t UpdateState(TensorSource& source, const statespace_selective_state_update_args& given,
                    Status (*kernel)(const SelectiveStateUpdateArgsOf<Real>&) noexcept) {
  using Given = statespace_selective_state_update_args;
  SelectiveStateUpdateArgsOf<Real> a;
  a.dt_softplus = source.Flag(given.dt_softplus);
  double dt_min = 0, dt_max = 0;
  source.DtLimit(given.has_dt_limit, given.dt_min, given.dt_max, &dt_min, &dt_max);
  a.dt_min = static_cast<Real>(dt_min);
  a.dt_max = static_cast<Real>(dt_max);
  const int32_t state = source.At(offsetof(Given, state)), x = source.At(offsetof(Given, x));
  const int32_t B = source.At(offsetof(Given, B));
  if (source.HasRank(state, 3, 4) && source.HasRank(x, 1, 3) && source.HasRank(B, 2, 3)) {
    a.batch = source.Batch(x);
    a.state_rows = given.state.shape[0];
    a.n_heads = given.state.shape[1];
    a.head_dim = given.state.rank == 4 ? given.state.shape[2] : 1;
    a.d_state = given.state.shape[given.state.rank - 1];
    a.n_groups = given.B.rank == 3 ? given.B.shape[1] : 1;
    a.dt_has_head_dim = given.dt.rank == 3;
    a.a_has_state = given.A.rank > 1;
    a.d_has_head_dim = given.D.rank == 2;
    a.dt_bias_has_head_dim = given.dt_bias.rank == 2;
  }
  if (source.ok()) arguments::ReadStateUpdate(source, a);
  return source.Run(a, kernel);
}

template <typename Real>
int32_t UpdateConv(TensorSource& source, const statespace_causal_conv1d_update_args& given,
                   Status (*kernel)(const CausalConv1dUpdateArgsOf<Real>&) noexcept) {
  using Given = statespace_causal_conv1d_update_args;
  CausalConv1dUpdateArgsOf<Real> a;
  a.activation = static_cast<Activation>(source.Choice(given.activation, 2));
  source.Zero(given.reserved);
  const int32_t x = source.At(offsetof(Given, x)), state = source.At(offsetof(Given, conv_state));
  const int32_t weight = source.At(offsetof(Given, weight));
  if (source.HasRank(x, 3, 3) && source.HasRank(state, 3, 3) && source.HasRank(weight, 2, 2)) {
    a.batch = source.Batch(x);
    a.seq_len = given.x.shape[1];
    a.dim = given.x.shape[2];
    a.state_rows = given.conv_state.shape[0];
    a.state_len = given.conv_state.shape[2];
    a.width = given.weight.shape[1];
    if (a.width < 1) source.Fault(STATESPACE_WRONG_SHAPE, weight);
    if (a.width > kCausalConv1dMaxWidth) source.Fault(STATESPACE_TOO_LARGE, weight);
    if (a.state_len < a.width - 1) source.Fault(STATESPACE_WRONG_SHAPE, state);
  }
  if (source.ok()) arguments::ReadConvUpdate(source, a);
  return source.Run(a, kernel);
}

}  // namespace

int32_t SelectiveStateUpdate(const statespace_selective_state_update_args* args) noexcept {
  TensorSource source(Form::kSelectiveStateUpdate);
  statespace_selective_state_update_args given;
  if (!source.Open(args, offsetof(statespace_selective_state_update_args, state), &given)) return source.status();
  const KernelTable& k = *cpu_kernels();
  const bool wide = given.A.dtype == STATESPACE_F64;
  source.SetWide(wide);
  return wide ? UpdateState(source, given, k.selective_state_update_f64)
              : UpdateState(source, given, k.selective_state_update);
}

int32_t CausalConv1dUpdate(const statespace_causal_conv1d_update_args* args) noexcept {
  TensorSource source(Form::kCausalConv1dUpdate);
  statespace_causal_conv1d_update_args given;
  if (!source.Open(args, offsetof(statespace_causal_conv1d_update_args, x), &given)) return source.status();
  const KernelTable& k = *cpu_kernels();
  const bool wide = given.weight.dtype == STATESPACE_F64;
  source.SetWide(wide);
  return wide ? UpdateConv(source, given, k.causal_conv1d_update_f64)
              : UpdateConv(source, given, k.causal_conv1d_update);
}

}  // namespace statespace::c_interface
