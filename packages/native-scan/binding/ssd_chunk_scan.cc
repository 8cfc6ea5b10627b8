// SSD scan with one decay per head: a number, real (0 f32, 1 f64), then the arguments of ssd_arguments.h.
#include "methods.h"
#include "ssd_arguments.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value SsdChunkScan(Call& call) {
  if (call.Choice(2) == 1) {
    return call.Run(ReadSsdForward<SsdChunkScanArgsOf<double>, double>(call, false),
                    cpu_kernels()->ssd_chunk_scan_f64);
  }
  return call.Run(ReadSsdForward<SsdChunkScanArgs>(call, false), cpu_kernels()->ssd_chunk_scan);
}

napi_value SsdChunkScanBackward(Call& call) {
  if (call.Choice(2) == 1) {
    return call.Run(ReadSsdBackward<SsdChunkScanBackwardArgsOf<double>, double>(call, false),
                    cpu_kernels()->ssd_chunk_scan_backward_f64);
  }
  return call.Run(ReadSsdBackward<SsdChunkScanBackwardArgs>(call, false), cpu_kernels()->ssd_chunk_scan_backward);
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
