// SSD scan with one decay per head; arguments in ssd_arguments.h.
#include "methods.h"
#include "ssd_arguments.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value SsdChunkScan(Call& call) {
  const auto args = ReadSsdForward<SsdChunkScanArgs>(call, false);
  return call.Run(args, cpu_kernels()->ssd_chunk_scan);
}

napi_value SsdChunkScanBackward(Call& call) {
  const auto args = ReadSsdBackward<SsdChunkScanBackwardArgs>(call, false);
  return call.Run(args, cpu_kernels()->ssd_chunk_scan_backward);
}

constexpr Method kMethods[] = {
    {"ssdChunkScan", Sync<SsdChunkScan>},
    {"ssdChunkScanAsync", Async<SsdChunkScan>},
    {"ssdChunkScanBackward", Sync<SsdChunkScanBackward>},
    {"ssdChunkScanBackwardAsync", Async<SsdChunkScanBackward>},
};

}  // namespace

std::span<const Method> SsdMethods() { return kMethods; }

}  // namespace statespace::binding
