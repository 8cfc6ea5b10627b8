/// Default number of threads: STATESPACE_THREADS, or the CPUs that affinity and cgroup quota leave.
#include "thread_count.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "statespace/runtime.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#endif

namespace statespace {
namespace {

constexpr int32_t kLargest = 256;

int32_t cpus_in_affinity_mask() noexcept {
#if defined(__linux__)
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) return CPU_COUNT(&mask);
#endif
#if defined(_WIN32)
  // One processor group, of at most 64 CPUs: where a Windows process starts.
  DWORD_PTR mine = 0;
  DWORD_PTR machine = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &mine, &machine) == 0) return 1;
  return __builtin_popcountll(mine);
#elif defined(_SC_NPROCESSORS_ONLN)
  return static_cast<int32_t>(sysconf(_SC_NPROCESSORS_ONLN));
#else
  return 1;
#endif
}

/// Reads up to two numbers from the first line of a file; a word such as "max" leaves -1.
bool read_numbers(const char* path, double& first, double& second) noexcept {
  first = -1;
  second = -1;
  FILE* file = std::fopen(path, "r");
  if (file == nullptr) return false;
  char line[128];
  const bool read = std::fgets(line, sizeof line, file) != nullptr;
  std::fclose(file);
  if (!read) return false;
  char* end = line;
  first = std::strtod(line, &end);
  if (end == line) {
    first = -1;
    return true;
  }
  char* start = end;
  second = std::strtod(start, &end);
  if (end == start) second = -1;
  return true;
}

/// The quota in CPUs of this process's own cgroup namespace; 0 when there is none.
double cgroup_quota() noexcept {
  double quota = -1;
  double period = -1;
  if (read_numbers("/sys/fs/cgroup/cpu.max", quota, period)) {
    return quota > 0 && period > 0 ? quota / period : 0;
  }
  double unused = -1;
  if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, unused) &&
      read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, unused) && quota > 0 && period > 0) {
    return quota / period;
  }
  return 0;
}

int32_t clamp_count(double count) noexcept {
  if (!(count >= 1)) return 1;
  return count > kLargest ? kLargest : static_cast<int32_t>(count);
}

}  // namespace

int32_t usable_cpus() noexcept {
  double cpus = cpus_in_affinity_mask();
  const double quota = cgroup_quota();
  if (quota > 0) {
    const double whole = static_cast<double>(static_cast<int64_t>(quota + 0.999));
    if (whole < cpus) cpus = whole;
  }
  return clamp_count(cpus);
}

int32_t default_num_threads() noexcept {
  if (const char* text = std::getenv("STATESPACE_THREADS"); text != nullptr) {
    char* end = nullptr;
    errno = 0;
    const long count = std::strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && count >= 1) return clamp_count(static_cast<double>(count));
  }
  return usable_cpus();
}

}  // namespace statespace
