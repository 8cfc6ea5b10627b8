// SSD scan with one decay per head and state: a number, real (0 f32, 1 f64), then the arguments of ssd_arguments.h.
#include "methods.h"
#include "ssd_arguments.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value DiagonalSsd(Call& call) {
  if (call.Choice(2) == 1) {
    return call.Run(ReadSsdForward<DiagonalSsdArgsOf<double>, double>(call, true), cpu_kernels()->diagonal_ssd_f64);
  }
  return call.Run(ReadSsdForward<DiagonalSsdArgs>(call, true), cpu_kernels()->diagonal_ssd);
}

napi_value DiagonalSsdBackward(Call& call) {
  if (call.Choice(2) == 1) {
    return call.Run(ReadSsdBackward<DiagonalSsdBackwardArgsOf<double>, double>(call, true),
                    cpu_kernels()->diagonal_ssd_backward_f64);
  }
  return call.Run(ReadSsdBackward<DiagonalSsdBackwardArgs>(call, true), cpu_kernels()->diagonal_ssd_backward);
}

constexpr Method kMethods[] = {
    {"diagonalSsd", Sync<DiagonalSsd>},
    {"diagonalSsdAsync", Async<DiagonalSsd>},
    {"diagonalSsdBackward", Sync<DiagonalSsdBackward>},
    {"diagonalSsdBackwardAsync", Async<DiagonalSsdBackward>},
};

}  // namespace

std::span<const Method> DiagonalSsdMethods() { return kMethods; }

}  // namespace statespace::binding
