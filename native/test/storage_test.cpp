/// Kernels on 16-bit tensors, mixed formats and tensors whose length comes last, against the same kernels on floats row after
/// row that hold the same values.
#include "causal_conv1d_case.h"
#include "selective_scan_case.h"
#include "ssd_case.h"
#include "stored_tensors.h"

using namespace statespace;
using namespace statespace::test;

namespace {

const Storage kStorages[] = {{"f16", {DType::kF16}},
                             {"bf16", {DType::kBf16}},
                             {"f32, length last", {DType::kF32}, true},
                             {"bf16, length last", {DType::kBf16}, true},
                             {"mixed", {DType::kF32, DType::kBf16, DType::kF16}}};

/// Runs kernel(args) on both, and compares outputs and the arrays that keep their form.
template <typename Args>
void compare(Status (*kernel)(const Args&) noexcept, const Args& stored, const Args& plain, const StoredTensors& tensors,
             const char* what) {
  CHECK(kernel(stored) == Status::kOk);
  CHECK(kernel(plain) == Status::kOk);
  tensors.check(what);
}

void check_scan(const KernelTable& kernels, const Storage& storage, const ScanShape& s) {
  const ScanCase problem(s, {}, 5);
  const Axes steps = {s.batch, s.seq_len, 1, s.dim};
  const Axes b = {s.batch, s.seq_len, s.b_groups, s.d_state}, c = {s.batch, s.seq_len, s.c_groups, s.d_state};
  const auto place = [&](auto& stored, auto& plain, StoredTensors& tensors) {
    tensors.input(stored.u, plain.u, steps), tensors.input(stored.delta, plain.delta, steps);
    tensors.input(stored.z, plain.z, steps);
    tensors.input(stored.B, plain.B, b), tensors.input(stored.C, plain.C, c);
  };
  StoredTensors forward(storage), backward(storage);
  SelectiveScanArgs args, plain;
  problem.fill(args), problem.fill(plain);
  place(args, plain, forward);
  forward.output(args.out, plain.out, steps);
  compare(kernels.selective_scan, args, plain, forward, storage.name);

  SelectiveScanBackwardArgs grads, plain_grads;
  problem.fill(grads), problem.fill(plain_grads);
  place(grads, plain_grads, backward);
  grads.grad_out = plain_grads.grad_out = problem.grad_rows.view(s.seq_len);
  backward.input(grads.grad_out, plain_grads.grad_out, steps);
  backward.output(grads.grad_u, plain_grads.grad_u, steps);
  backward.output(grads.grad_delta, plain_grads.grad_delta, steps);
  backward.output(grads.grad_z, plain_grads.grad_z, steps);
  backward.output(grads.grad_B, plain_grads.grad_B, b);
  backward.output(grads.grad_C, plain_grads.grad_C, c);
  compare(kernels.selective_scan_backward, grads, plain_grads, backward, storage.name);
}

void check_conv(const KernelTable& kernels, const Storage& storage, const ConvShape& s) {
  const ConvProblem problem(s, {}, 6);
  const Axes steps = {s.batch, s.seq_len, 1, s.dim};
  StoredTensors forward(storage), backward(storage);
  CausalConv1dArgs args, plain;
  problem.fill(args), problem.fill(plain);
  forward.input(args.x, plain.x, steps);
  forward.output(args.out, plain.out, steps);
  compare(kernels.causal_conv1d, args, plain, forward, storage.name);

  CausalConv1dBackwardArgs grads, plain_grads;
  problem.fill(grads), problem.fill(plain_grads);
  backward.input(grads.x, plain_grads.x, steps);
  grads.grad_out = plain_grads.grad_out = problem.grad_view();
  backward.input(grads.grad_out, plain_grads.grad_out, steps);
  backward.output(grads.grad_x, plain_grads.grad_x, steps);
  compare(kernels.causal_conv1d_backward, grads, plain_grads, backward, storage.name);
}

void check_ssd(const KernelTable& kernels, const Storage& storage, const SsdShape& s) {
  const SsdCase problem(s, {}, 7);
  const Axes rows = {s.batch, s.seq_len, s.heads, s.head_dim}, steps = {s.batch, s.seq_len, 1, s.heads};
  const Axes states = {s.batch, s.seq_len, s.groups, s.d_state};
  const auto place = [&](auto& stored, auto& plain, StoredTensors& tensors) {
    tensors.input(stored.x, plain.x, rows), tensors.input(stored.z, plain.z, rows);
    tensors.input(stored.dt, plain.dt, steps);
    tensors.input(stored.B, plain.B, states), tensors.input(stored.C, plain.C, states);
  };
  StoredTensors forward(storage), backward(storage);
  SsdChunkScanArgs args, plain;
  problem.fill(args), problem.fill(plain);
  place(args, plain, forward);
  forward.output(args.out, plain.out, rows);
  compare(kernels.ssd_chunk_scan, args, plain, forward, storage.name);

  SsdChunkScanBackwardArgs grads, plain_grads;
  problem.fill(grads), problem.fill(plain_grads);
  place(grads, plain_grads, backward);
  grads.grad_out = plain_grads.grad_out = problem.grad_rows.view(s.seq_len);
  backward.input(grads.grad_out, plain_grads.grad_out, rows);
  backward.output(grads.grad_x, plain_grads.grad_x, rows), backward.output(grads.grad_z, plain_grads.grad_z, rows);
  backward.output(grads.grad_dt, plain_grads.grad_dt, steps);
  backward.output(grads.grad_B, plain_grads.grad_B, states);
  backward.output(grads.grad_C, plain_grads.grad_C, states);
  compare(kernels.ssd_chunk_scan_backward, grads, plain_grads, backward, storage.name);
}

}  // namespace

int main() {
  for_each_isa([](const KernelTable& kernels) {
    for (const Storage& storage : kStorages) {
      check_scan(kernels, storage, {2, 37, 19, 16, 1, 1, {}});
      check_scan(kernels, storage, {1, 35, 12, 5, 3, 2, {}});
      check_conv(kernels, storage, {2, 41, 19, 4, {}});
      check_conv(kernels, storage, {1, 83, 7, 11, {0, 17, 40, 83}});
      check_ssd(kernels, storage, {2, 41, 4, 17, 16, 2});
      check_ssd(kernels, storage, {1, 83, 2, 64, 128, 1, 64, {0, 17, 40, 83}});
    }
  });
  return finish("storage");
}
