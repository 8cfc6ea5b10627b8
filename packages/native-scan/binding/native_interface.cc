// nativeInterface(): the table of ../include/statespace/statespace.h as a tagged External, for other native addons.
#include "../c_interface/interface.h"

#include "methods.h"

namespace statespace::binding {
namespace {

constexpr napi_type_tag kTag = {STATESPACE_TYPE_TAG_LOWER, STATESPACE_TYPE_TAG_UPPER};

napi_value NativeInterface(napi_env env, napi_callback_info) {
  // An External holds a pointer to anything; statespace/node.h hands it on as const.
  void* table = const_cast<statespace_interface*>(&c_interface::Interface());
  napi_value value = nullptr;
  if (napi_create_external(env, table, nullptr, nullptr, &value) != napi_ok) return nullptr;
  return napi_type_tag_object(env, value, &kTag) == napi_ok ? value : nullptr;
}

constexpr Method kMethods[] = {{"nativeInterface", NativeInterface}};

}  // namespace

std::span<const Method> InterfaceMethods() { return kMethods; }

}  // namespace statespace::binding
