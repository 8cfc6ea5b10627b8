/// What the sequence kernels of every backend check of their arguments before they write anything. Only what lies in host memory is
/// read: sizes, pointers, options, sequences.
#pragma once

#include "statespace/causal_conv1d.h"
#include "statespace/diagonal_ssd.h"
#include "statespace/selective_scan.h"
#include "statespace/ssd_chunk_scan.h"
#include "statespace/state_update.h"

namespace statespace {

/// Spans and padding lie in the batch, spans in ascending order, and the rows of the states exist; trivially true when
/// there are none.
Status check_sequences(const SequenceSpans& sequences, int64_t batch, int64_t seq_len) noexcept;

/// Defined for float and double.
template <typename Real>
Status check_selective_scan(const SelectiveScanInputsOf<Real>& args) noexcept;
template <typename Real>
Status check_causal_conv1d(const CausalConv1dInputsOf<Real>& args) noexcept;
template <typename Real>
Status check_ssd(const SsdChunkScanInputsOf<Real>& args) noexcept;

/// Without the indices, which a device's kernels check on the device.
template <typename Real>
Status check_state_update(const SelectiveStateUpdateArgsOf<Real>& args) noexcept;
template <typename Real>
Status check_causal_conv1d_update(const CausalConv1dUpdateArgsOf<Real>& args) noexcept;

extern template Status check_selective_scan(const SelectiveScanInputsOf<float>&) noexcept;
extern template Status check_selective_scan(const SelectiveScanInputsOf<double>&) noexcept;
extern template Status check_causal_conv1d(const CausalConv1dInputsOf<float>&) noexcept;
extern template Status check_causal_conv1d(const CausalConv1dInputsOf<double>&) noexcept;
extern template Status check_ssd(const SsdChunkScanInputsOf<float>&) noexcept;
extern template Status check_ssd(const SsdChunkScanInputsOf<double>&) noexcept;
extern template Status check_state_update(const SelectiveStateUpdateArgsOf<float>&) noexcept;
extern template Status check_state_update(const SelectiveStateUpdateArgsOf<double>&) noexcept;
extern template Status check_causal_conv1d_update(const CausalConv1dUpdateArgsOf<float>&) noexcept;
extern template Status check_causal_conv1d_update(const CausalConv1dUpdateArgsOf<double>&) noexcept;

}  // namespace statespace
