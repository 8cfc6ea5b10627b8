/// Which instruction set runs: the best that build and machine share, or the one asked for.
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "cpu_features.h"
#include "statespace/kernels.h"
#include "statespace/runtime.h"

namespace statespace {

#if defined(STATESPACE_HAVE_EMULATED_CUDA)
namespace cuda {
const KernelTable* waiting_cuda_kernels() noexcept;
}
#endif
#if defined(STATESPACE_HAVE_SSE2)
namespace sse2 {
const KernelTable& kernel_table() noexcept;
}
#endif
#if defined(STATESPACE_HAVE_AVX2)
namespace avx2 {
const KernelTable& kernel_table() noexcept;
}
#endif
#if defined(STATESPACE_HAVE_AVX512)
namespace avx512 {
const KernelTable& kernel_table() noexcept;
}
#endif
#if defined(STATESPACE_HAVE_NEON)
namespace neon {
const KernelTable& kernel_table() noexcept;
}
#endif

namespace {

constexpr int32_t kMostIsas = 4;

/// The tables that can run here, worst first.
struct Choices {
  const KernelTable* tables[kMostIsas] = {};
  int32_t count = 0;
};

#if defined(STATESPACE_HAVE_EMULATED_CUDA)
/// The CUDA kernels as host code, for tests; those that it lacks are the CPU's.
const KernelTable* emulated_cuda() noexcept {
  static const KernelTable table = [] {
#if defined(STATESPACE_HAVE_SSE2)
    KernelTable all = sse2::kernel_table();
#else
    KernelTable all = neon::kernel_table();
#endif
    const KernelTable& emulated = *cuda::waiting_cuda_kernels();
    all.isa = "cuda-emulation";
#define STATESPACE_OVERRIDE(name, Args) \
  if (emulated.name != nullptr) all.name = emulated.name;
    STATESPACE_DENSE_KERNELS(STATESPACE_OVERRIDE)
    STATESPACE_SSM_KERNELS(STATESPACE_OVERRIDE)
#undef STATESPACE_OVERRIDE
    return all;
  }();
  return &table;
}
#endif

Choices find_choices() noexcept {
  Choices choices;
#if defined(STATESPACE_HAVE_EMULATED_CUDA)
  choices.tables[choices.count++] = emulated_cuda();
#endif
#if defined(STATESPACE_HAVE_SSE2)
  choices.tables[choices.count++] = &sse2::kernel_table();
#endif
#if defined(STATESPACE_HAVE_AVX2)
  if (has_avx2()) choices.tables[choices.count++] = &avx2::kernel_table();
#endif
#if defined(STATESPACE_HAVE_AVX512)
  if (has_avx512()) choices.tables[choices.count++] = &avx512::kernel_table();
#endif
#if defined(STATESPACE_HAVE_NEON)
  choices.tables[choices.count++] = &neon::kernel_table();
#endif
  return choices;
}

const Choices& choices() noexcept {
  static const Choices found = find_choices();
  return found;
}

const KernelTable* best() noexcept { return choices().tables[choices().count - 1]; }

std::atomic<const KernelTable*> chosen{nullptr};

}  // namespace

const KernelTable* cpu_kernels_for(const char* isa) noexcept {
  for (int32_t i = 0; i < choices().count; ++i) {
    if (std::strcmp(choices().tables[i]->isa, isa) == 0) return choices().tables[i];
  }
  return nullptr;
}

const KernelTable* cpu_kernels() noexcept {
  const KernelTable* table = chosen.load(std::memory_order_acquire);
  if (table != nullptr) return table;
  const char* wanted = std::getenv("STATESPACE_ISA");
  table = wanted == nullptr ? nullptr : cpu_kernels_for(wanted);
  if (table == nullptr) table = best();
  const KernelTable* unset = nullptr;
  return chosen.compare_exchange_strong(unset, table) ? table : unset;
}

Status force_isa(const char* name) noexcept {
  const KernelTable* table = name == nullptr ? best() : cpu_kernels_for(name);
  if (table == nullptr) return Status::kUnsupported;
  chosen.store(table, std::memory_order_release);
  return Status::kOk;
}

const char* isa_name() noexcept { return cpu_kernels()->isa; }

int32_t available_isas(const char** names, int32_t capacity) noexcept {
  for (int32_t i = 0; i < choices().count && i < capacity; ++i) names[i] = choices().tables[i]->isa;
  return choices().count;
}

Status isa_request() noexcept {
  const char* wanted = std::getenv("STATESPACE_ISA");
  return wanted == nullptr || cpu_kernels_for(wanted) != nullptr ? Status::kOk : Status::kUnsupported;
}

}  // namespace statespace
