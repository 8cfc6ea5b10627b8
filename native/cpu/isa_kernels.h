/// Declarations of the kernels of one instruction set, for their definitions and for the table.
#pragma once

#include "statespace/kernels.h"

#ifndef STATESPACE_ISA_NS
#error "compile kernel sources through CMake, which defines STATESPACE_ISA_NS"
#endif

namespace statespace::STATESPACE_ISA_NS {

#define STATESPACE_DECLARE(name, Args) Status name(const Args& args) noexcept;
STATESPACE_DENSE_KERNELS(STATESPACE_DECLARE)
STATESPACE_SSM_KERNELS(STATESPACE_DECLARE)
#undef STATESPACE_DECLARE

}  // namespace statespace::STATESPACE_ISA_NS
