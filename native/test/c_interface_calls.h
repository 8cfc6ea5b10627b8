/// Calls of the C interface with exactly the memory that their tensors reach, so that a sanitizer sees every step beyond.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "interface.h"
#include "status.h"

namespace statespace::test {

/// One structure of the interface as its tensors and the bytes around them.
struct TableCall {
  c_interface::Form form;
  size_t first_tensor;
  int32_t tensor_count;
  std::vector<char> bytes;
  int32_t (*run)(const void* args);

  statespace_tensor tensor(int32_t position) const {
    statespace_tensor tensor;
    std::memcpy(&tensor, bytes.data() + first_tensor + static_cast<size_t>(position) * sizeof tensor, sizeof tensor);
    return tensor;
  }
  void set_tensor(int32_t position, const statespace_tensor& tensor) {
    std::memcpy(bytes.data() + first_tensor + static_cast<size_t>(position) * sizeof tensor, &tensor, sizeof tensor);
  }
  std::string_view name(int32_t position) const {
    return c_interface::NamesOf(form).tensors[static_cast<size_t>(position)];
  }
  /// Written by the call, its former contents read or not.
  bool written(int32_t position) const {
    const std::string_view tensor = name(position);
    if (tensor == "checkpoints") return form == c_interface::Form::kSelectiveScan;
    if (tensor == "grad_out" || tensor == "grad_last_state" || tensor == "grad_final_states") return false;
    return tensor.starts_with("out") || tensor.starts_with("grad_") || tensor == "last_state" ||
           tensor == "final_states" || tensor == "state" || tensor == "conv_state";
  }
};

template <typename Args, int32_t (*Function)(const Args*) noexcept>
TableCall make_call(c_interface::Form form, const Args& args, size_t first_tensor) {
  TableCall call = {form, first_tensor, static_cast<int32_t>((sizeof(Args) - first_tensor) / sizeof(statespace_tensor)),
                    std::vector<char>(sizeof(Args)),
                    [](const void* given) { return Function(static_cast<const Args*>(given)); }};
  std::memcpy(call.bytes.data(), &args, sizeof args);
  return call;
}

/// Valid calls of random small sizes, options and forms; tensors have no address yet. Index tensors hold what `indices` says.
struct DrawnCall {
  TableCall call;
  /// Contents of index tensors, by position.
  std::vector<std::pair<int32_t, std::vector<int32_t>>> indices;
};

DrawnCall draw_call(Random& random);

inline size_t bytes_of(int32_t dtype) {
  switch (dtype) {
    case STATESPACE_F64:
    case STATESPACE_C64:
      return 8;
    case STATESPACE_C128:
      return 16;
    case STATESPACE_F16:
    case STATESPACE_BF16:
      return 2;
    default:
      return 4;
  }
}

/// Memory of a tensor: no byte more than it reaches.
struct Room {
  std::unique_ptr<char[]> memory;
  size_t bytes = 0;
  std::vector<char> before;
};

/// Gives every tensor that reaches at most `kLargestRoom` bytes its memory, with finite numbers in it; tensors that reach
/// further are left without an address.
inline constexpr int64_t kLargestRoom = 1 << 20;
std::vector<Room> give_memory(Random& random, DrawnCall& drawn);

}  // namespace statespace::test
