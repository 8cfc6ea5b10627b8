/// Why a call was refused or failed, as the integer that every bound function returns to TypeScript.
///
/// The low byte is a Refusal of arguments/refusal.h; the bits above hold 1 + the position of the array argument at fault, 0 where no
/// single one is. src/addon-error.ts turns the integer into an exception; keep both lists in step.
#pragma once

#include <cstdint>

#include "../arguments/refusal.h"
#include "statespace/status.h"

namespace statespace::binding {

using arguments::Refusal;

inline int32_t RefusalCode(Refusal reason, int32_t position) {
  return static_cast<int32_t>(reason) | ((position + 1) << 8);
}

inline int32_t StatusCode(Status status) {
  if (status == Status::kOk) return 0;
  return static_cast<int32_t>(Refusal::kKernel) + static_cast<int32_t>(status);
}

}  // namespace statespace::binding
