//   allocate, release, trimMemory, memoryStats: see memory.h
//   setThreads(count), getThreads(), isa(), isas(), forceIsa(name): see statespace/runtime.h
#include "statespace/runtime.h"

#include "memory.h"
#include "methods.h"

namespace statespace::binding {
namespace {

napi_value Integer(napi_env env, int32_t value) {
  napi_value result = nullptr;
  return napi_create_int32(env, value, &result) == napi_ok ? result : nullptr;
}

napi_value Text(napi_env env, const char* text) {
  napi_value result = nullptr;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result) == napi_ok ? result : nullptr;
}

napi_value SetThreads(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  double threads = -1;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_double(env, argument, &threads) != napi_ok || !(threads >= 0 && threads <= 4096)) {
    return Integer(env, RefusalCode(Refusal::kBadNumber, -1));
  }
  return Integer(env, StatusCode(set_num_threads(static_cast<int32_t>(threads))));
}

napi_value GetThreads(napi_env env, napi_callback_info) { return Integer(env, num_threads()); }

napi_value Isa(napi_env env, napi_callback_info) { return Text(env, isa_name()); }

napi_value Isas(napi_env env, napi_callback_info) {
  const char* names[16];
  const int32_t count = available_isas(names, 16);
  napi_value list = nullptr;
  if (napi_create_array(env, &list) != napi_ok) return nullptr;
  for (int32_t i = 0; i < count && i < 16; ++i) {
    const napi_value name = Text(env, names[i]);
    if (name == nullptr || napi_set_element(env, list, static_cast<uint32_t>(i), name) != napi_ok) return nullptr;
  }
  return list;
}

/// forceIsa(name | null)
napi_value ForceIsa(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  char name[16];
  size_t length = 0;
  napi_valuetype type = napi_undefined;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_typeof(env, argument, &type) != napi_ok) {
    return Integer(env, RefusalCode(Refusal::kMissing, -1));
  }
  if (type == napi_null) return Integer(env, StatusCode(force_isa(nullptr)));
  if (napi_get_value_string_utf8(env, argument, name, sizeof name, &length) != napi_ok) {
    return Integer(env, RefusalCode(Refusal::kWrongType, -1));
  }
  return Integer(env, StatusCode(force_isa(name)));
}

constexpr Method kMethods[] = {
    {"allocate", Allocate},     {"release", Release},       {"trimMemory", TrimMemory},
    {"memoryStats", MemoryStats}, {"setThreads", SetThreads}, {"getThreads", GetThreads},
    {"isa", Isa},               {"isas", Isas},             {"forceIsa", ForceIsa},
};

}  // namespace

std::span<const Method> RuntimeMethods() { return kMethods; }

}  // namespace statespace::binding
