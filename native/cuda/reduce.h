/// Joining what blocks computed apart, in double.
#pragma once

#include <cstdint>

#include "statespace/status.h"

namespace statespace::cuda {

/// out[i] = sum over parts p of partials[p * count + i], in an order that shapes alone fix.
Status sum_partials(const double* partials, int64_t parts, int64_t count, float* out) noexcept;

}  // namespace statespace::cuda
