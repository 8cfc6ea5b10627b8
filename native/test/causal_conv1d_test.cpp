/// Causal convolution, forward, against the double oracle: every instruction set, every thread count.
#include <memory>

#include "causal_conv1d_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

// f32 against f64: the golden README measures 4e-7 for a float32 reference, the contract allows 2e-6.
constexpr double kTolerance = 2e-6;

void check_case(const KernelTable& kernels, const ConvProblem& problem) {
  const ConvShape& s = problem.shape;
  const ConvResult wanted = conv_oracle(s, conv_values(problem), problem.options.silu);
  const auto run = [&] {
    CausalConv1dArgs args;
    problem.fill(args);
    Output out(s.elements()), final_states(s.state_size());
    args.out = problem.output(out.data()), args.final_states = final_states.data();
    CHECK(kernels.causal_conv1d(args) == Status::kOk);
    CHECK(out.intact() && final_states.intact());
    std::vector<float> all(out.data(), out.data() + out.size());
    all.insert(all.end(), final_states.data(), final_states.data() + final_states.size());
    return all;
  };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "causal convolution");
  CHECK_CLOSE(ours.data(), wanted.out.data(), s.elements(), kTolerance, "out");
  CHECK_CLOSE(ours.data() + s.elements(), wanted.final_states.data(), s.state_size(), 0, "final_states");
}

/// An output so large that it is stored past the caches has the bits of the same rows in a small call.
void check_large(const KernelTable& kernels) {
  const int64_t length = 17'500, dim = 512;
  const ConvProblem problem({1, length, dim, 4, {}}, {}, 1);
  CausalConv1dArgs args;
  problem.fill(args);
  const std::unique_ptr<float[]> memory(new float[static_cast<size_t>(length * dim + 16)]);
  void* start = memory.get();
  size_t room = static_cast<size_t>(length * dim + 16) * sizeof(float);
  auto* out = static_cast<float*>(std::align(64, room - 64, start, room));
  args.out = problem.output(out);
  CHECK(kernels.causal_conv1d(args) == Status::kOk);
  Output tail(100 * dim);
  args.x.data = static_cast<const float*>(args.x.data) + (length - 100) * args.x.len_stride;
  args.seq_len = 100, args.out = problem.output(tail.data());
  CHECK(kernels.causal_conv1d(args) == Status::kOk);
  CHECK_SAME_BITS(out + (length - 97) * dim, tail.data() + 3 * dim, 97 * dim, "large output");
}

void check_refusals(const KernelTable& kernels) {
  const ConvProblem problem({1, 4, 4, 4, {}}, {}, 1);
  Output out(16);
  CausalConv1dArgs args;
  problem.fill(args);
  args.out = problem.output(out.data());
  CausalConv1dArgs bad = args;
  bad.width = 0;
  CHECK(kernels.causal_conv1d(bad) == Status::kBadArgument);
  bad = args, bad.width = kCausalConv1dMaxWidth + 1;
  CHECK(kernels.causal_conv1d(bad) == Status::kBadArgument);
  bad = args, bad.weight = nullptr;
  CHECK(kernels.causal_conv1d(bad) == Status::kBadArgument);
  bad = args, bad.out.data = nullptr;
  CHECK(kernels.causal_conv1d(bad) == Status::kBadArgument);
  bad = args;
  for (const std::vector<SequenceSpan>& spans : bad_spans(1, 4)) {
    bad.sequences = sequences_of(spans);
    CHECK(kernels.causal_conv1d(bad) == Status::kIndexOutOfRange);
  }
  CHECK(std::isnan(out.data()[0]));
}

}  // namespace

int main() {
  for_each_isa([](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const ConvShape& shape : conv_shapes()) {
      for (int bits = 0; bits < 8; ++bits) {
        const ConvOptions options = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, bits % 3};
        check_case(kernels, ConvProblem(shape, options, seed++));
      }
    }
    if (!kEmulated) check_large(kernels);
    check_refusals(kernels);
  });
  return finish("causal_conv1d");
}
