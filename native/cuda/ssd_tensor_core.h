/// The SSD scan's forward pass on tensor cores.
#pragma once

#include "ssd_tile.h"

namespace statespace::cuda {

/// Whether run_ssd_on_tensor_cores takes such a call: 16-bit tensors of one format, sizes that fill its tiles.
bool fits_tensor_cores(const SsdChunkScanInputs& args, Format format) noexcept;

/// Of arguments whose sequences and strides are placed.
Status run_ssd_on_tensor_cores(const SsdChunkScanArgs& args, Format format, const DeviceSequences& sequences) noexcept;

}  // namespace statespace::cuda
