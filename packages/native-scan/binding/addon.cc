/// Entry point of the addon: one object of functions per Node environment, and no other state.
#include <node_api.h>

#include "methods.h"
#include "statespace/runtime.h"

namespace statespace::binding {
namespace {

/// Raised with every new function and every change of a function's arguments; src/addon.ts refuses another number.
constexpr int32_t kInterfaceVersion = 5;

bool Define(napi_env env, napi_value exports, std::span<const Method> methods) {
  for (const Method& method : methods) {
    napi_value function = nullptr;
    if (napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.call, nullptr, &function) != napi_ok ||
        napi_set_named_property(env, exports, method.name, function) != napi_ok) {
      return false;
    }
  }
  return true;
}

/// What instance data points to; an environment may load the module more than once, so a cleanup hook, which must be
/// unique in its environment, would not do.
char instance;

void LeaveRuntime(napi_env, void*, void*) { release_runtime(); }

bool Initialise(napi_env env, napi_value exports) {
  acquire_runtime();
  if (napi_set_instance_data(env, &instance, LeaveRuntime, nullptr) != napi_ok) {
    release_runtime();
    return false;
  }
  for (const auto methods : {ScanMethods(), ConvMethods(), SsdMethods(), DiagonalSsdMethods(), UpdateMethods(),
                             ElementwiseMethods(), ReduceMethods(), MatrixMethods(), NormMethods(), LossMethods(),
                             RandomMethods(), OptimizerMethods(), RuntimeMethods(), InterfaceMethods()}) {
    if (!Define(env, exports, methods)) return false;
  }
  napi_value version = nullptr;
  return napi_create_int32(env, kInterfaceVersion, &version) == napi_ok &&
         napi_set_named_property(env, exports, "interfaceVersion", version) == napi_ok;
}

}  // namespace
}  // namespace statespace::binding

NAPI_MODULE_INIT() {
  // A failed call leaves an exception pending, which `require` throws.
  return statespace::binding::Initialise(env, exports) ? exports : nullptr;
}
