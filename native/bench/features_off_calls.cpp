/// Compiled for every instruction set twice; see features_off.h.
#include "features_off.h"

#include "isa_kernels.h"

namespace statespace::STATESPACE_ISA_NS {

namespace {

using features_off::Operands;

SequenceView view(const float* data, const Operands& o, int64_t width) { return {data, o.seq_len * width, width}; }
SequenceTarget target(float* data, const Operands& o, int64_t width) { return {data, o.seq_len * width, width}; }

/// The operands were made here: they fit.
void expect(Status status) {
  if (status != Status::kOk) __builtin_trap();
}

void fill(const Operands& o, SelectiveScanInputs& args) {
  args.batch = o.batch, args.seq_len = o.seq_len, args.dim = o.channels, args.d_state = o.d_state;
  args.u = view(o.x, o, o.channels), args.delta = view(o.step, o, o.channels), args.A = o.A;
  args.B = view(o.B, o, o.d_state), args.C = view(o.C, o, o.d_state), args.delta_softplus = true;
}

void scan(const Operands& o) noexcept {
  SelectiveScanArgs args;
  fill(o, args);
  args.out = target(o.out, o, o.channels);
  expect(selective_scan(args));
}

void scan_backward(const Operands& o) noexcept {
  SelectiveScanBackwardArgs args;
  fill(o, args);
  args.grad_out = view(o.grad_out, o, o.channels), args.grad_u = target(o.grad_x, o, o.channels);
  args.grad_delta = target(o.grad_step, o, o.channels), args.grad_A = o.grad_A;
  args.grad_B = target(o.grad_B, o, o.d_state), args.grad_C = target(o.grad_C, o, o.d_state);
  expect(selective_scan_backward(args));
}

void fill(const Operands& o, CausalConv1dInputs& args) {
  args.batch = o.batch, args.seq_len = o.seq_len, args.dim = o.channels, args.width = o.width;
  args.x = view(o.x, o, o.channels), args.weight = o.weight, args.activation = Activation::kSilu;
}

void conv(const Operands& o) noexcept {
  CausalConv1dArgs args;
  fill(o, args);
  args.out = target(o.out, o, o.channels);
  expect(causal_conv1d(args));
}

void conv_backward(const Operands& o) noexcept {
  CausalConv1dBackwardArgs args;
  fill(o, args);
  args.grad_out = view(o.grad_out, o, o.channels), args.grad_x = target(o.grad_x, o, o.channels);
  args.grad_weight = o.grad_weight;
  expect(causal_conv1d_backward(args));
}

void fill(const Operands& o, SsdChunkScanInputs& args) {
  args.batch = o.batch, args.seq_len = o.seq_len, args.n_heads = o.heads, args.head_dim = o.channels / o.heads;
  args.d_state = o.d_state, args.x = view(o.x, o, o.channels), args.dt = view(o.step, o, o.heads), args.A = o.A;
  args.B = view(o.B, o, o.d_state), args.C = view(o.C, o, o.d_state), args.dt_softplus = true;
}

void ssd(const Operands& o) noexcept {
  SsdChunkScanArgs args;
  fill(o, args);
  args.out = target(o.out, o, o.channels);
  expect(ssd_chunk_scan(args));
}

void ssd_backward(const Operands& o) noexcept {
  SsdChunkScanBackwardArgs args;
  fill(o, args);
  args.grad_out = view(o.grad_out, o, o.channels), args.grad_x = target(o.grad_x, o, o.channels);
  args.grad_dt = target(o.grad_step, o, o.heads), args.grad_A = o.grad_A;
  args.grad_B = target(o.grad_B, o, o.d_state), args.grad_C = target(o.grad_C, o, o.d_state);
  expect(ssd_chunk_scan_backward(args));
}

}  // namespace

extern const features_off::Calls features_off_calls;
const features_off::Calls features_off_calls = {scan, scan_backward, conv, conv_backward, ssd, ssd_backward};

}  // namespace statespace::STATESPACE_ISA_NS
