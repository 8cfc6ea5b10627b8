/// What the selective scans check of their arguments, in every precision. Nothing is read but the sequences.
#pragma once

#include "sequence_rows.h"
#include "statespace/selective_scan.h"

namespace statespace::STATESPACE_ISA_NS {

template <typename Real>
STATESPACE_INLINE Status check_selective_scan(const SelectiveScanInputsOf<Real>& args) noexcept {
  if (args.batch < 0 || args.seq_len < 0 || args.dim < 0 || args.d_state < 0 || args.b_groups < 0 ||
      args.c_groups < 0 || args.d_state > kSelectiveScanMaxState) {
    return Status::kBadArgument;
  }
  if (args.b_groups > 0 && args.dim % args.b_groups != 0) return Status::kBadArgument;
  if (args.c_groups > 0 && args.dim % args.c_groups != 0) return Status::kBadArgument;
  const bool empty = args.batch == 0 || args.seq_len == 0 || args.dim == 0;
  if (!empty && (args.u.data == nullptr || args.delta.data == nullptr)) return Status::kBadArgument;
  if (!empty && args.d_state > 0 && (args.A == nullptr || args.B.data == nullptr || args.C.data == nullptr)) {
    return Status::kBadArgument;
  }
  return check_sequences(args.sequences, args.batch, args.seq_len);
}

}  // namespace statespace::STATESPACE_ISA_NS
