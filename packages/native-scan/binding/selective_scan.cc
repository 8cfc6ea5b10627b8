// Numbers: batch, seqLen, dim, dState, bGroups, cGroups, softplus, sequences.
// Arrays: u, delta, A, B, C, D?, z?, deltaBias?, initialState?, cuSeqlens?, then out, lastState? or
// gradOut, gradLastState?, gradU?, gradDelta?, gradA?, gradB?, gradC?, gradD?, gradZ?, gradDeltaBias?,
// gradInitialState?. Sequences take two strides; a constant B or C has bGroups or cGroups 0 and takes none.
#include "methods.h"
#include "packed.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

SequenceView ReadCoefficient(Call& call, const SelectiveScanInputs& a, int64_t groups) {
  if (groups > 0) return call.Sequence(a.batch, a.seq_len, call.Product({groups, a.d_state}));
  SequenceView constant;
  constant.data = call.In(call.Product({a.dim, a.d_state}));
  return constant;
}

/// Answers the rows of state tensors.
int64_t ReadInputs(Call& call, SelectiveScanInputs& a) {
  a.batch = call.Size();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.d_state = call.Choice(kSelectiveScanMaxState + 1);
  a.b_groups = call.Size();
  a.c_groups = call.Size();
  if (a.b_groups > a.dim || a.c_groups > a.dim) call.Refuse(Refusal::kBadNumber);
  a.delta_softplus = call.Flag();
  const PackedCount packed = ReadPackedCount(call);
  const int64_t rows = packed.rows(a.batch);
  if (!call.ok()) return 0;

  a.u = call.Sequence(a.batch, a.seq_len, a.dim);
  a.delta = call.Sequence(a.batch, a.seq_len, a.dim);
  a.A = call.In(call.Product({a.dim, a.d_state}));
  a.B = ReadCoefficient(call, a, a.b_groups);
  a.C = ReadCoefficient(call, a, a.c_groups);
  a.D = call.OptionalIn(a.dim);
  a.z = call.Sequence(a.batch, a.seq_len, a.dim, false);
  a.delta_bias = call.OptionalIn(a.dim);
  a.initial_state = call.OptionalIn(call.Product({rows, a.dim, a.d_state}));
  a.packed = ReadBoundaries(call, packed, a.seq_len);
  return rows;
}

napi_value SelectiveScan(Call& call) {
  SelectiveScanArgs a;
  const int64_t rows = ReadInputs(call, a);
  a.out = call.Out(call.Product({a.batch, a.seq_len, a.dim}));
  a.last_state = call.OptionalOut(call.Product({rows, a.dim, a.d_state}));
  return call.Run(a, cpu_kernels()->selective_scan);
}

float* GradOfCoefficient(Call& call, const SelectiveScanInputs& a, int64_t groups) {
  return call.OptionalOut(groups == 0 ? call.Product({a.dim, a.d_state})
                                      : call.Product({a.batch, a.seq_len, groups, a.d_state}));
}

napi_value SelectiveScanBackward(Call& call) {
  SelectiveScanBackwardArgs a;
  const int64_t rows = ReadInputs(call, a);
  const int64_t sequence = call.Product({a.batch, a.seq_len, a.dim});
  const int64_t states = call.Product({rows, a.dim, a.d_state});
  a.grad_out = call.Sequence(a.batch, a.seq_len, a.dim);
  a.grad_last_state = call.OptionalIn(states);
  a.grad_u = call.OptionalOut(sequence);
  a.grad_delta = call.OptionalOut(sequence);
  a.grad_A = call.OptionalOut(call.Product({a.dim, a.d_state}));
  a.grad_B = GradOfCoefficient(call, a, a.b_groups);
  a.grad_C = GradOfCoefficient(call, a, a.c_groups);
  a.grad_D = call.OptionalOut(a.dim);
  a.grad_z = call.OptionalOut(sequence);
  a.grad_delta_bias = call.OptionalOut(a.dim);
  a.grad_initial_state = call.OptionalOut(states);
  return call.Run(a, cpu_kernels()->selective_scan_backward);
}

constexpr Method kMethods[] = {
    {"selectiveScan", Sync<SelectiveScan>},
    {"selectiveScanAsync", Async<SelectiveScan>},
    {"selectiveScanBackward", Sync<SelectiveScanBackward>},
    {"selectiveScanBackwardAsync", Async<SelectiveScanBackward>},
};

}  // namespace

std::span<const Method> ScanMethods() { return kMethods; }

}  // namespace statespace::binding
