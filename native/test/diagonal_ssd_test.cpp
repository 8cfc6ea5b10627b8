/// Diagonal SSD scan, forward, against the double oracle: every instruction set, every thread count.
#include "ssd_case.h"
#include "statespace/diagonal_ssd.h"

using namespace statespace;
using namespace statespace::test;

namespace {

/// A recurrence in float, as the selective scan, and its tolerance.
constexpr double kTolerance = 3e-6;

SsdCase diagonal_case(const SsdShape& shape, SsdOptions options, uint64_t seed) {
  options.rate_per_state = true;
  return SsdCase(shape, options, seed);
}

/// Output, then final states.
std::vector<float> run_kernel(const KernelTable& kernels, const SsdCase& problem) {
  const SsdShape& s = problem.shape;
  DiagonalSsdArgs args;
  problem.fill(args);
  Output out(s.elements()), states(s.states());
  args.out = problem.output(out.data());
  args.final_states = states.data();
  CHECK(kernels.diagonal_ssd(args) == Status::kOk);
  CHECK(out.intact() && states.intact());
  std::vector<float> all(out.data(), out.data() + s.elements());
  all.insert(all.end(), states.data(), states.data() + s.states());
  return all;
}

void check_case(const KernelTable& kernels, const SsdCase& problem) {
  const SsdShape& s = problem.shape;
  const SsdResult wanted = ssd_oracle(s, problem.tensors);
  const auto run = [&] { return run_kernel(kernels, problem); };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "diagonal SSD scan");
  CHECK_CLOSE(ours.data(), wanted.out.data(), s.elements(), kTolerance, "out");
  CHECK_CLOSE(ours.data() + s.elements(), wanted.final_states.data(), s.states(), kTolerance, "final_states");
}

/// Decays that underflow at once beside some that never show, growing states, and softplus around its threshold.
void check_extremes(const KernelTable& kernels) {
  for (const float step : {-90.0f, -20.0f, 19.99f, 20.0f, 20.01f, 300.0f}) {
    SsdCase problem = diagonal_case({1, 70, 2, 5, 4, 1}, {.bias = false}, 7);
    for (float& value : problem.dt) value = step;
    problem.rebuild();
    check_case(kernels, problem);
  }
  SsdCase steep = diagonal_case({1, 70, 2, 5, 4, 1}, {}, 8);
  for (size_t i = 0; i < steep.A.size(); ++i) steep.A[i] = i % 2 == 0 ? -1e6f : -1e-6f;
  steep.rebuild();
  check_case(kernels, steep);
  SsdCase growing = diagonal_case({1, 70, 2, 5, 4, 1}, {}, 9);
  for (float& value : growing.A) value = 0.25f;
  growing.rebuild();
  check_case(kernels, growing);
}

/// The chunk length changes no bit: the recurrence is the same one, step by step.
void check_chunks(const KernelTable& kernels) {
  SsdCase problem = diagonal_case({2, 75, 3, 37, 11, 1}, {}, 12);
  const std::vector<float> wanted = run_kernel(kernels, problem);
  for (const int64_t chunk : {1, 2, 7, 16, 31, 1000}) {
    problem.shape.chunk = chunk;
    const std::vector<float> ours = run_kernel(kernels, problem);
    CHECK_SAME_BITS(ours.data(), wanted.data(), static_cast<int64_t>(wanted.size()), "another chunk length");
  }
}

/// With the same decay for every state of a head it is the scalar SSD scan.
void check_equal_decays(const KernelTable& kernels) {
  const SsdShape shape = {2, 75, 4, 20, 9, 2};
  SsdCase scalar(shape, {}, 13);
  SsdCase diagonal = diagonal_case(shape, {}, 13);
  diagonal.x = scalar.x, diagonal.dt = scalar.dt, diagonal.B = scalar.B, diagonal.C = scalar.C, diagonal.D = scalar.D;
  diagonal.z = scalar.z, diagonal.bias = scalar.bias, diagonal.initial = scalar.initial;
  for (size_t i = 0; i < diagonal.A.size(); ++i) diagonal.A[i] = scalar.A[i / 9];
  diagonal.rebuild();
  SsdChunkScanArgs args;
  scalar.fill(args);
  Output out(shape.elements()), states(shape.states());
  args.out = scalar.output(out.data()), args.final_states = states.data();
  CHECK(kernels.ssd_chunk_scan(args) == Status::kOk);
  const std::vector<float> ours = run_kernel(kernels, diagonal);
  std::vector<float> wanted(out.data(), out.data() + out.size());
  wanted.insert(wanted.end(), states.data(), states.data() + states.size());
  // The tolerance is that of the scalar scan, which is the less exact of the two.
  CHECK_CLOSE(ours.data(), in_double(wanted).data(), static_cast<int64_t>(wanted.size()), 1.6e-5, "equal decays");
}

/// A NaN step spoils its own head from there on, and nothing else.
void check_nan(const KernelTable& kernels) {
  SsdCase problem = diagonal_case({1, 70, 2, 5, 4, 1}, {}, 11);
  problem.dt[40 * 2 + 1] = NAN;
  problem.rebuild();
  const std::vector<float> out = run_kernel(kernels, problem);
  for (int64_t i = 0; i < problem.shape.elements(); ++i) {
    const bool spoilt = i / 10 >= 40 && i / 5 % 2 == 1;
    CHECK(std::isnan(out[static_cast<size_t>(i)]) == spoilt);
  }
}

void check_refusals(const KernelTable& kernels) {
  const SsdCase problem = diagonal_case({1, 4, 4, 2, 3, 2}, {}, 1);
  Output out(problem.shape.elements());
  DiagonalSsdArgs args;
  problem.fill(args);
  args.out = problem.output(out.data());
  const auto refuses = [&](const DiagonalSsdArgs& bad, Status status) { CHECK(kernels.diagonal_ssd(bad) == status); };
  DiagonalSsdArgs bad = args;
  bad.n_groups = 3;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.chunk_size = 0;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.dt_min = NAN;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.out.data = nullptr;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.A = nullptr;
  refuses(bad, Status::kBadArgument);
  bad = args, bad.C.data = nullptr;
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
    for (const SsdShape& shape : ssd_shapes()) check_case(kernels, diagonal_case(shape, {}, seed++));
    for (int bits = 0; bits < 256; ++bits) {
      const auto on = [&](int bit) { return (bits >> bit & 1) != 0; };
      const SsdOptions options = {on(0), on(1), on(2), on(3), on(4), on(5), on(6), on(7) ? 3 : 0};
      check_case(kernels, diagonal_case({2, 37, 2, 7, 3, 1}, options, seed++));
    }
    check_case(kernels, diagonal_case({1, 300, 3, 64, 128, 1, 256}, {}, seed++));
    check_case(kernels, diagonal_case({1, 35, 2, 130, 7, 1}, {}, seed++));
    check_extremes(kernels);
    check_chunks(kernels);
    check_equal_decays(kernels);
    check_nan(kernels);
    check_refusals(kernels);
  });
  return finish("diagonal_ssd");
}
