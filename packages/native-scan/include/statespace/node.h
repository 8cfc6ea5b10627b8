/* Takes the table of statespace.h out of the value that `nativeInterface()` of @statespace/native-scan returns.
 * Needs Node-API 8: define NAPI_VERSION accordingly before the first include of node_api.h. */
#ifndef STATESPACE_NODE_H
#define STATESPACE_NODE_H

#include <node_api.h>

#include "statespace.h"

#if !defined(NAPI_VERSION) || NAPI_VERSION < 8
#error "statespace/node.h needs NAPI_VERSION 8 or more"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* napi_invalid_arg where `value` is nothing that `nativeInterface()` returned, or of another ABI version. */
static inline napi_status statespace_get_interface(napi_env env, napi_value value, const statespace_interface** table) {
  static const napi_type_tag tag = {STATESPACE_TYPE_TAG_LOWER, STATESPACE_TYPE_TAG_UPPER};
  napi_valuetype type;
  bool ours = false;
  void* data = NULL;
  napi_status status = napi_typeof(env, value, &type);
  *table = NULL;
  if (status != napi_ok) return status;
  if (type != napi_external) return napi_invalid_arg;
  status = napi_check_object_type_tag(env, value, &tag, &ours);
  if (status != napi_ok) return status;
  if (!ours) return napi_invalid_arg;
  status = napi_get_value_external(env, value, &data);
  if (status != napi_ok) return status;
  if (data == NULL || ((const statespace_interface*)data)->abi_version != STATESPACE_ABI_VERSION) return napi_invalid_arg;
  *table = (const statespace_interface*)data;
  return napi_ok;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STATESPACE_NODE_H */
