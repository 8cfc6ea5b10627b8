/* Exponential smoothing of many channels at once, as a selective scan:
 *
 *   h[t] = 2^(-1 / halfLife) h[t-1] + (1 - 2^(-1 / halfLife)) x[t]        per channel
 *
 * is h[t] = exp(delta A) h[t-1] + delta B x[t] with A = -1, delta = ln 2 / halfLife and B = (1 - exp(-delta)) / delta.
 *
 *   attach(nativeInterface())                     once
 *   smooth(signal, channels, halfLife, out)       signal and out: Float32Array (L, channels), neither the other
 */
#include <math.h>
#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statespace/node.h"

/* One of each per environment: a worker has a table of its own. */
typedef struct {
  const statespace_interface* kernels;
} instance;

static void free_instance(napi_env env, void* data, void* hint) {
  (void)env;
  (void)hint;
  free(data);
}

static napi_value fail(napi_env env, const char* code, const char* message) {
  napi_throw_error(env, code, message);
  return NULL;
}

/* A Float32Array's memory, for as long as this call lasts. */
static int floats_of(napi_env env, napi_value value, float** data, size_t* length) {
  napi_typedarray_type type;
  void* memory = NULL;
  if (napi_get_typedarray_info(env, value, &type, length, &memory, NULL, NULL) != napi_ok) return 0;
  *data = (float*)memory;
  return type == napi_float32_array;
}

static napi_value attach(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void* data = NULL;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
      napi_get_instance_data(env, &data) != napi_ok || data == NULL) {
    return fail(env, "ERR_SMOOTHING", "attach could not read its argument");
  }
  if (count < 1 || statespace_get_interface(env, argument, &((instance*)data)->kernels) != napi_ok) {
    return fail(env, "ERR_SMOOTHING", "attach takes what nativeInterface() of @statespace/native-scan returned");
  }
  return NULL;
}

static napi_value smooth(napi_env env, napi_callback_info info) {
  size_t count = 4, length = 0, out_length = 0;
  napi_value arguments[4];
  void* data = NULL;
  float *signal = NULL, *out = NULL;
  int64_t channels = 0;
  double half_life = 0;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      napi_get_instance_data(env, &data) != napi_ok || data == NULL || ((instance*)data)->kernels == NULL) {
    return fail(env, "ERR_SMOOTHING", "attach(nativeInterface()) comes first");
  }
  if (count < 4 || !floats_of(env, arguments[0], &signal, &length) ||
      napi_get_value_int64(env, arguments[1], &channels) != napi_ok ||
      napi_get_value_double(env, arguments[2], &half_life) != napi_ok ||
      !floats_of(env, arguments[3], &out, &out_length)) {
    return fail(env, "ERR_SMOOTHING", "smooth takes (Float32Array, channels, halfLife, Float32Array)");
  }
  if (channels < 1 || !(half_life > 0) || length % (uint64_t)channels != 0 || out_length != length) {
    return fail(env, "ERR_SMOOTHING", "smooth takes whole rows of channels, a positive half-life and an output as long");
  }

  /* One number for all channels, or all steps, is a tensor whose strides are 0. Parameters have to be contiguous. */
  float delta = (float)(log(2) / half_life);
  float weight = -expm1f(-delta) / delta;
  float* parameters = (float*)malloc(3 * (size_t)channels * sizeof(float));
  if (parameters == NULL) return fail(env, "ERR_SMOOTHING", "no memory");
  for (int64_t i = 0; i < channels; ++i) {
    parameters[i] = -1;
    parameters[channels + i] = weight;
    parameters[2 * channels + i] = 1;
  }

  const int64_t rows[3] = {1, (int64_t)(length / (uint64_t)channels), channels}, per_channel[2] = {channels, 1};
  statespace_selective_scan_args args;
  memset(&args, 0, sizeof args);
  args.size = sizeof args;
  args.u = statespace_make_tensor(signal, STATESPACE_F32, 3, rows);
  args.delta = statespace_make_tensor(&delta, STATESPACE_F32, 3, rows);
  memset(args.delta.strides, 0, sizeof args.delta.strides);
  args.A = statespace_make_tensor(parameters, STATESPACE_F32, 2, per_channel);
  args.B = statespace_make_tensor(parameters + channels, STATESPACE_F32, 2, per_channel);
  args.C = statespace_make_tensor(parameters + 2 * channels, STATESPACE_F32, 2, per_channel);
  args.out = statespace_make_tensor(out, STATESPACE_F32, 3, rows);

  const statespace_interface* kernels = ((instance*)data)->kernels;
  const int32_t status = kernels->selective_scan(&args);
  free(parameters);
  if (status != STATESPACE_OK) {
    char message[160];
    return fail(env, "ERR_SMOOTHING", kernels->status_message(status, message, sizeof message));
  }
  return arguments[3];
}

static int define(napi_env env, napi_value exports, const char* name, napi_callback call) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, call, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

NAPI_MODULE_INIT() {
  instance* data = (instance*)calloc(1, sizeof(instance));
  if (data == NULL || napi_set_instance_data(env, data, free_instance, NULL) != napi_ok) {
    free(data);
    return fail(env, "ERR_SMOOTHING", "no memory");
  }
  return define(env, exports, "attach", attach) && define(env, exports, "smooth", smooth) ? exports : NULL;
}
