/// How many CPUs this process may really use.
#pragma once

#include <cstdint>

namespace statespace {

/// The CPUs in the affinity mask, cut by the cgroup's CPU quota (rounded up), at least 1.
int32_t usable_cpus() noexcept;

}  // namespace statespace
