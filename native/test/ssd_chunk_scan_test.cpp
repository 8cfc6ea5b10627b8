/// SSD scan, forward, against the double oracle: every instruction set, every thread count.
#include "ssd_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

constexpr double kTolerance = 1.6e-5;

void check_case(const KernelTable& kernels, const SsdCase& problem, double tolerance = kTolerance) {
  const SsdShape& s = problem.shape;
  const SsdResult wanted = ssd_oracle(s, problem.tensors);
  const auto run = [&] {
    SsdChunkScanArgs args;
    problem.fill(args);
    Output out(s.elements()), states(s.states());
    args.out = problem.output(out.data());
    args.final_states = states.data();
    CHECK(kernels.ssd_chunk_scan(args) == Status::kOk);
    CHECK(out.intact() && states.intact());
    std::vector<float> all(out.data(), out.data() + s.elements());
    all.insert(all.end(), states.data(), states.data() + s.states());
    return all;
  };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "SSD scan");
  CHECK_CLOSE(ours.data(), wanted.out.data(), s.elements(), tolerance, "out");
  CHECK_CLOSE(ours.data() + s.elements(), wanted.final_states.data(), s.states(), tolerance, "final_states");
}

/// Decays that underflow at once, decays that never show, growing states, and softplus around its threshold.
void check_extremes(const KernelTable& kernels) {
  for (const float step : {-90.0f, -20.0f, 19.99f, 20.0f, 20.01f, 300.0f}) {
    SsdCase problem({1, 70, 2, 5, 4, 1}, {.bias = false}, 7);
    for (float& value : problem.dt) value = step;
    problem.rebuild();
    check_case(kernels, problem);
  }
  SsdCase steep({1, 70, 2, 5, 4, 1}, {}, 8);
  for (float& value : steep.A) value = -1e6f;
  steep.rebuild();
  check_case(kernels, steep);
  SsdCase growing({1, 70, 2, 5, 4, 1}, {}, 9);
  for (float& value : growing.A) value = 0.25f;
  growing.rebuild();
  check_case(kernels, growing);
}

/// A NaN step spoils its own head from there on, and nothing else.
void check_nan(const KernelTable& kernels) {
  SsdCase problem({1, 70, 2, 5, 4, 1}, {}, 11);
  problem.dt[40 * 2 + 1] = NAN;
  problem.rebuild();
  SsdChunkScanArgs args;
  problem.fill(args);
  Output out(problem.shape.elements());
  args.out = problem.output(out.data());
  CHECK(kernels.ssd_chunk_scan(args) == Status::kOk);
  for (int64_t i = 0; i < out.size(); ++i) {
    const bool spoilt = i / 10 >= 40 && i / 5 % 2 == 1;
    CHECK(std::isnan(out.data()[i]) == spoilt);
  }
}

void check_refusals(const KernelTable& kernels) {
  const SsdCase problem({1, 4, 4, 2, 3, 2}, {}, 1);
  Output out(problem.shape.elements());
  SsdChunkScanArgs args;
  problem.fill(args);
  args.out = problem.output(out.data());
  const auto refuses = [&](const SsdChunkScanArgs& bad, Status status) {
    CHECK(kernels.ssd_chunk_scan(bad) == status);
  };
  SsdChunkScanArgs bad = args;
  bad.n_groups = 3;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.n_groups = 0;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.chunk_size = 0;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.d_state = -1;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.dt_min = NAN;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.out.data = nullptr;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.B.data = nullptr;
  refuses(bad, Status::kBadArgument);
  bad = args;
  for (const std::vector<SequenceSpan>& spans : bad_spans(1, 4)) {
    bad.sequences = sequences_of(spans);
    refuses(bad, Status::kIndexOutOfRange);
  }
  CHECK(std::isnan(out.data()[0]));
}

}  // namespace

int main() {
  for_each_isa([](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const SsdShape& shape : ssd_shapes()) check_case(kernels, SsdCase(shape, {}, seed++));
    for (int bits = 0; bits < 256; bits += kEmulated ? 5 : 1) {
      const auto on = [&](int bit) { return (bits >> bit & 1) != 0; };
      const SsdOptions options = {on(0), on(1), on(2), on(3), on(4), on(5), on(6), on(7) ? 3 : 0};
      check_case(kernels, SsdCase({2, 37, 2, 7, 3, 1}, options, seed++));
    }
    check_case(kernels, SsdCase({1, 300, 3, 64, 128, 1, 256}, {}, seed++));
    check_extremes(kernels);
    check_nan(kernels);
    check_refusals(kernels);
  });
  return finish("ssd_chunk_scan");
}
