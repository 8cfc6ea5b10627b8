/// Sums of what blocks computed apart, in an order that shapes alone fix: no atomics.
#pragma once

#include "device_memory.h"

namespace statespace::cuda {

/// out[i] = sum over parts p of partials[p * count + i], in order of p, behind out[i] itself with `add`; nothing when `out`
/// is null.
Status sum_partials(const float* partials, int64_t parts, int64_t count, float* out, bool add = false) noexcept;

/// The same into a (B, L, G, width) tensor of any format, of entries of `floats` floats side by side. Parts lie as
/// (parts, B, L, G, width, floats).
Status sum_partials(const float* partials, int64_t parts, int64_t batch, int64_t seq_len, int64_t groups,
                    int64_t width, const SequenceTarget& out, int floats = 1) noexcept;

}  // namespace statespace::cuda
