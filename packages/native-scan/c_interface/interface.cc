#include "interface.h"

namespace statespace::c_interface {

const statespace_interface& Interface() noexcept {
  static constexpr statespace_interface table = {
      sizeof(statespace_interface),
      STATESPACE_ABI_VERSION,
      0,
      &StatusMessage,
      &SelectiveScan,
      &SelectiveScanBackward,
      &CausalConv1d,
      &CausalConv1dBackward,
      &SsdChunkScan,
      &SsdChunkScanBackward,
      &DiagonalSsd,
      &DiagonalSsdBackward,
      &SelectiveStateUpdate,
      &CausalConv1dUpdate,
      &Sgemm,
  };
  return table;
}

}  // namespace statespace::c_interface
