/// Matrix products of other libraries under this project's thread pool: each runs single-threaded on the strips that
/// our threads take, as any library would have to.
#pragma once

#include <span>

#include "statespace/gemm.h"

namespace statespace::bench {

struct PeerGemm {
  const char* name;
  /// The product of the arguments without epilogue, batch 1.
  void (*run)(const GemmArgs& args);
};

/// The libraries this benchmark was built with.
std::span<const PeerGemm> peer_gemms();

}  // namespace statespace::bench
