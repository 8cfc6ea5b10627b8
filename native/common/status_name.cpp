#include "statespace/status.h"

namespace statespace {

const char* status_name(Status status) noexcept {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kBadArgument:
      return "bad argument";
    case Status::kOutOfMemory:
      return "out of memory";
    case Status::kIndexOutOfRange:
      return "index out of range";
    case Status::kUnsupported:
      return "unsupported";
    case Status::kDeviceFailure:
      return "device failure";
  }
  return "unknown status";
}

}  // namespace statespace
