/// Small kernels, right and wrong, that test the emulation.
#pragma once

#include <vector>

#include "statespace/status.h"

namespace statespace::test {

enum class Fault {
  kNone,
  /// Two threads meet without order.
  kRace,
  /// Threads wait for others that never come.
  kDeadlock,
};

struct KernelCase {
  const char* name;
  Fault fault;
  Status (*run)();
};

const std::vector<KernelCase>& kernel_cases();

bool sums_over_lanes_are_right();
bool shared_memory_begins_as_nan();

}  // namespace statespace::test
