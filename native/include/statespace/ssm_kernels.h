/// The list of state-space kernels, one line each: X(function, argument structure).
#pragma once

#include "statespace/causal_conv1d.h"
#include "statespace/diagonal_ssd.h"
#include "statespace/selective_scan.h"
#include "statespace/ssd_chunk_scan.h"
#include "statespace/state_update.h"

#define STATESPACE_SSM_KERNELS(X)                            \
  X(selective_scan, SelectiveScanArgs)                       \
  X(selective_scan_backward, SelectiveScanBackwardArgs)      \
  X(causal_conv1d, CausalConv1dArgs)                         \
  X(causal_conv1d_backward, CausalConv1dBackwardArgs)        \
  X(ssd_chunk_scan, SsdChunkScanArgs)                        \
  X(ssd_chunk_scan_backward, SsdChunkScanBackwardArgs)       \
  X(diagonal_ssd, DiagonalSsdArgs)                           \
  X(diagonal_ssd_backward, DiagonalSsdBackwardArgs)          \
  X(selective_state_update, SelectiveStateUpdateArgs)        \
  X(causal_conv1d_update, CausalConv1dUpdateArgs)
