/// Selective scan, forward, against the double oracle: every instruction set, every thread count.
#include "selective_scan_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

// f32 against f64: the golden README measures 7e-7 for a float32 reference, the contract allows 3e-6.
constexpr double kTolerance = 3e-6;

void check_case(const KernelTable& kernels, const ScanCase& problem) {
  const ScanShape& s = problem.shape;
  const ScanResult wanted = scan_oracle(s, problem.tensors);
  const int64_t out_size = s.batch * s.seq_len * s.dim;
  const int64_t state_size = s.sequences() * s.dim * s.d_state;
  const auto run = [&] {
    SelectiveScanArgs args;
    problem.fill(args);
    Output out(out_size), last(state_size), checkpoints(selective_scan_checkpoint_size(args));
    args.out = problem.output(out.data());
    args.last_state = last.data();
    args.checkpoints = checkpoints.data();
    CHECK(kernels.selective_scan(args) == Status::kOk);
    CHECK(out.intact() && last.intact() && checkpoints.intact());
    std::vector<float> all(out.data(), out.data() + out_size);
    all.insert(all.end(), last.data(), last.data() + state_size);
    return all;
  };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "selective scan");
  CHECK_CLOSE(ours.data(), wanted.out.data(), out_size, kTolerance, "out");
  CHECK_CLOSE(ours.data() + out_size, wanted.last_state.data(), state_size, kTolerance, "last_state");
}

/// Running two halves with the state handed over gives the bits of one run, when the cut is a chunk boundary.
void check_handover(const KernelTable& kernels) {
  ScanCase problem({1, 64, 24, 8, 1, 1, {}}, {}, 99);
  SelectiveScanArgs args;
  problem.fill(args);
  Output whole(64 * 24), parts(64 * 24), middle(24 * 8), last(24 * 8), last_of_parts(24 * 8);
  args.out = problem.output(whole.data()), args.last_state = last.data();
  CHECK(kernels.selective_scan(args) == Status::kOk);
  args.seq_len = 32, args.out = problem.output(parts.data()), args.last_state = middle.data();
  CHECK(kernels.selective_scan(args) == Status::kOk);
  for (SequenceView* view : {&args.u, &args.delta, &args.B, &args.C, &args.z}) {
    view->data = static_cast<const float*>(view->data) + 32 * view->len_stride;
  }
  args.initial_state = middle.data(), args.out = problem.output(parts.data() + 32 * 24);
  args.last_state = last_of_parts.data();
  CHECK(kernels.selective_scan(args) == Status::kOk);
  CHECK_SAME_BITS(whole.data(), parts.data(), 64 * 24, "handover");
  CHECK_SAME_BITS(last.data(), last_of_parts.data(), 24 * 8, "handover state");
}

/// Steps so large that every decay underflows, so small that none is visible, and softplus around its threshold.
void check_extremes(const KernelTable& kernels) {
  for (const float step : {-90.0f, -20.0f, 19.99f, 20.0f, 20.01f, 200.0f}) {
    ScanCase problem({1, 20, 16, 4, 1, 1, {}}, {}, 7);
    for (float& value : problem.delta) value = step;
    problem.options.bias = false;
    problem.delta_rows = Rows(problem.delta, 20, 16, 0);
    problem.tensors.delta = widen(problem.delta);
    problem.tensors.delta_bias.clear();
    check_case(kernels, problem);
  }
}

void check_refusals(const KernelTable& kernels) {
  ScanCase problem({1, 4, 4, 4, 1, 1, {}}, {}, 1);
  Output out(16);
  SelectiveScanArgs args;
  problem.fill(args);
  args.out = problem.output(out.data());
  SelectiveScanArgs bad = args;
  bad.dim = -1;
  CHECK(kernels.selective_scan(bad) == Status::kBadArgument);
  bad = args;
  bad.b_groups = 3;
  CHECK(kernels.selective_scan(bad) == Status::kBadArgument);
  bad = args;
  bad.d_state = kSelectiveScanMaxState + 1;
  CHECK(kernels.selective_scan(bad) == Status::kBadArgument);
  bad = args;
  bad.out.data = nullptr;
  CHECK(kernels.selective_scan(bad) == Status::kBadArgument);
  bad = args;
  for (const std::vector<SequenceSpan>& spans : bad_spans(1, 4)) {
    bad.sequences = sequences_of(spans);
    CHECK(kernels.selective_scan(bad) == Status::kIndexOutOfRange);
  }
  CHECK(std::isnan(out.data()[0]));
}

}  // namespace

int main() {
  for_each_isa([](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const ScanShape& shape : scan_shapes()) check_case(kernels, ScanCase(shape, {}, seed++));
    for (int bits = 0; bits < 64; ++bits) {
      const ScanOptions options = {(bits & 1) != 0, (bits & 2) != 0,  (bits & 4) != 0,
                                   (bits & 8) != 0, (bits & 16) != 0, (bits & 32) != 0 ? 5 : 0};
      check_case(kernels, ScanCase({2, 21, 19, 3, 1, 1, {}}, options, seed++));
    }
    check_handover(kernels);
    check_extremes(kernels);
    check_refusals(kernels);
  });
  return finish("selective_scan");
}
