/// The kernel table of the instruction set this file is compiled for.
#include "isa_kernels.h"

#define STATESPACE_TEXT_OF(name) #name
#define STATESPACE_TEXT(name) STATESPACE_TEXT_OF(name)

namespace statespace::STATESPACE_ISA_NS {

const KernelTable& kernel_table() noexcept {
  static constexpr KernelTable table = {
      STATESPACE_TEXT(STATESPACE_ISA_NS),
#define STATESPACE_ENTRY(name, Args) &name,
      STATESPACE_DENSE_KERNELS(STATESPACE_ENTRY) STATESPACE_SSM_KERNELS(STATESPACE_ENTRY)
#undef STATESPACE_ENTRY
  };
  return table;
}

}  // namespace statespace::STATESPACE_ISA_NS
