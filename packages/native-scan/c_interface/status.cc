#include "status.h"

#include <algorithm>
#include <cstdio>

#include "interface.h"

namespace statespace::c_interface {

namespace {

constexpr const char* kScan[] = {
    "u",          "delta",         "A",                "B",   "C",          "D",          "z",
    "delta_bias", "initial_state", "sequence_indices", "out", "last_state", "checkpoints"};
constexpr const char* kScanBackward[] = {
    "u",      "delta",           "A",                  "B",                "C",        "D",
    "z",      "delta_bias",      "initial_state",      "sequence_indices", "grad_out", "grad_last_state",
    "grad_u", "grad_delta",      "grad_A",             "grad_B",           "grad_C",   "grad_D",
    "grad_z", "grad_delta_bias", "grad_initial_state", "checkpoints"};
constexpr const char* kConv[] = {"x", "weight", "bias", "initial_states", "sequence_indices", "out", "final_states"};
constexpr const char* kConvBackward[] = {
    "x",                 "weight", "bias",        "initial_states", "sequence_indices",   "grad_out",
    "grad_final_states", "grad_x", "grad_weight", "grad_bias",      "grad_initial_states"};
constexpr const char* kSsd[] = {"x", "dt",      "A",              "B",                "C",   "D",
                                "z", "dt_bias", "initial_states", "sequence_indices", "out", "final_states"};
constexpr const char* kSsdBackward[] = {
    "x",      "dt",           "A",                   "B",                "C",        "D",
    "z",      "dt_bias",      "initial_states",      "sequence_indices", "grad_out", "grad_final_states",
    "grad_x", "grad_dt",      "grad_A",              "grad_B",           "grad_C",   "grad_D",
    "grad_z", "grad_dt_bias", "grad_initial_states"};
constexpr const char* kUpdate[] = {"state", "x", "dt", "A", "B", "C", "D", "z", "dt_bias", "state_batch_indices", "out"};
constexpr const char* kConvUpdate[] = {"x", "conv_state", "weight", "bias", "cache_seqlens", "conv_state_indices", "out"};
constexpr const char* kSgemm[] = {"a", "b", "out", "bias"};

constexpr FormNames kForms[] = {
    {"selective_scan", kScan},
    {"selective_scan_backward", kScanBackward},
    {"causal_conv1d", kConv},
    {"causal_conv1d_backward", kConvBackward},
    {"ssd_chunk_scan", kSsd},
    {"ssd_chunk_scan_backward", kSsdBackward},
    {"diagonal_ssd", kSsd},
    {"diagonal_ssd_backward", kSsdBackward},
    {"selective_state_update", kUpdate},
    {"causal_conv1d_update", kConvUpdate},
    {"sgemm", kSgemm},
};

const char* TextOf(int32_t reason) noexcept {
  switch (reason) {
    case STATESPACE_BAD_STRUCT:
      return "expected a structure whose size begins it, with zeros in what this version does not know";
    case STATESPACE_MISSING:
      return "expected a tensor, got none or no address";
    case STATESPACE_WRONG_DTYPE:
      return "expected another element type";
    case STATESPACE_WRONG_SHAPE:
      return "expected sizes that fit the other tensors";
    case STATESPACE_TOO_LARGE:
      return "expected sizes and strides within what the kernel and memory can hold";
    case STATESPACE_BAD_STRIDES:
      return "expected no gaps, or entries that do not share memory";
    case STATESPACE_MISALIGNED:
      return "expected an address that is a multiple of the element size";
    case STATESPACE_OVERLAP:
      return "expected memory of its own, got some of another tensor";
    case STATESPACE_BAD_OPTION:
      return "expected options within their range and groups that divide what they share";
    case STATESPACE_BAD_INDEX:
      return "expected indices within their range";
    case STATESPACE_OUT_OF_MEMORY:
      return "no memory for what the kernel keeps meanwhile";
    case STATESPACE_UNSUPPORTED:
      return "no kernel for this form";
    default:
      return "unknown status";
  }
}

}  // namespace

FormNames NamesOf(Form form) noexcept { return kForms[static_cast<size_t>(form)]; }

const char* StatusMessage(int32_t status, char* text, size_t capacity) noexcept {
  if (text == nullptr || capacity == 0) return "";
  const int32_t reason = STATESPACE_REASON(status);
  const int32_t form = ((status >> 16) & 0xff) - 1;
  const int32_t position = ((status >> 8) & 0xff) - 1;
  const bool known = status > 0 && form >= 0 && form < static_cast<int32_t>(std::size(kForms));
  if (status == STATESPACE_OK) {
    std::snprintf(text, capacity, "ok");
  } else if (!known) {
    std::snprintf(text, capacity, "unknown status %ld", static_cast<long>(status));
  } else if (position < 0 || position >= static_cast<int32_t>(kForms[form].tensors.size())) {
    std::snprintf(text, capacity, "%s: %s", kForms[form].function, TextOf(reason));
  } else {
    std::snprintf(text, capacity, "%s: %s: %s", kForms[form].function,
                  kForms[form].tensors[static_cast<size_t>(position)], TextOf(reason));
  }
  return text;
}

}  // namespace statespace::c_interface
