/// The emulation of CUDA finds what it is there to find: each wrong kernel here must fail, each right one must pass.
#include "check.h"
#include "emulation/race_check.h"
#include "emulation_kernels.h"

using namespace statespace;
using namespace statespace::test;

int main() {
  for (const KernelCase& example : kernel_cases()) {
    // More than one launch, so that threads run in several orders.
    for (int i = 0; i < 4; ++i) {
      const bool finds = example.fault != Fault::kRace || emulation::race_check_is_on();
      const Status wanted = example.fault == Fault::kNone || !finds ? Status::kOk : Status::kDeviceFailure;
      check_true(example.run() == wanted, __FILE__, __LINE__, example.name);
    }
  }
  check_true(sums_over_lanes_are_right(), __FILE__, __LINE__, "sums over lanes");
  check_true(shared_memory_begins_as_nan(), __FILE__, __LINE__, "shared memory begins as NaN");
  return finish("emulation");
}
