/// The list of state-space kernels, one line each: X(function, argument structure).
#pragma once

#include "statespace/causal_conv1d.h"
#include "statespace/selective_scan.h"
#include "statespace/ssd_chunk_scan.h"
#include "statespace/state_update.h"

#define STATESPACE_SSM_KERNELS(X)
