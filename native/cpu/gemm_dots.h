/// Matrix products of few rows or columns as dot products. See gemm.cpp for the other forms.
#pragma once

#include "simd.h"
#include "statespace/gemm.h"
#include "statespace/status.h"

namespace statespace::STATESPACE_ISA_NS {

/// Whether `dots_form` is the form for this product: few rows or columns on one side, and on the other vectors that lie
/// along the depth in memory.
bool suits_dots_form(const GemmArgs& args) noexcept;

/// The whole product, k > 0.
Status dots_form(const GemmArgs& args) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS
