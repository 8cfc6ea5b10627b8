// SSD scan with one decay per head and state; arguments in ssd_arguments.h.
#include "methods.h"
#include "ssd_arguments.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value DiagonalSsd(Call& call) {
  const auto args = ReadSsdForward<DiagonalSsdArgs>(call, true);
  return call.Run(args, cpu_kernels()->diagonal_ssd);
}

napi_value DiagonalSsdBackward(Call& call) {
  const auto args = ReadSsdBackward<DiagonalSsdBackwardArgs>(call, true);
  return call.Run(args, cpu_kernels()->diagonal_ssd_backward);
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
