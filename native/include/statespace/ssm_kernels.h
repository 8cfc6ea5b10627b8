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
  X(selective_scan_f64, SelectiveScanArgsOf<double>)         \
  X(selective_scan_backward_f64, SelectiveScanBackwardArgsOf<double>)  \
  X(selective_scan_c64, SelectiveScanArgs)                   \
  X(selective_scan_backward_c64, SelectiveScanBackwardArgs)  \
  X(selective_scan_c128, SelectiveScanArgsOf<double>)        \
  X(selective_scan_backward_c128, SelectiveScanBackwardArgsOf<double>) \
  X(causal_conv1d, CausalConv1dArgs)                         \
  X(causal_conv1d_backward, CausalConv1dBackwardArgs)        \
  X(causal_conv1d_f64, CausalConv1dArgsOf<double>)           \
  X(causal_conv1d_backward_f64, CausalConv1dBackwardArgsOf<double>)    \
  X(ssd_chunk_scan, SsdChunkScanArgs)                        \
  X(ssd_chunk_scan_backward, SsdChunkScanBackwardArgs)       \
  X(ssd_chunk_scan_f64, SsdChunkScanArgsOf<double>)          \
  X(ssd_chunk_scan_backward_f64, SsdChunkScanBackwardArgsOf<double>)   \
  X(diagonal_ssd, DiagonalSsdArgs)                           \
  X(diagonal_ssd_backward, DiagonalSsdBackwardArgs)          \
  X(diagonal_ssd_f64, DiagonalSsdArgsOf<double>)             \
  X(diagonal_ssd_backward_f64, DiagonalSsdBackwardArgsOf<double>)      \
  X(selective_state_update, SelectiveStateUpdateArgs)        \
  X(selective_state_update_f64, SelectiveStateUpdateArgsOf<double>)    \
  X(causal_conv1d_update, CausalConv1dUpdateArgs)            \
  X(causal_conv1d_update_f64, CausalConv1dUpdateArgsOf<double>)
