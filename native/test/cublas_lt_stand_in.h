/// Functions in the place of cuBLASLt's that multiply on the host as its documents say: by columns, in double.
#pragma once

#include <cstdint>

namespace statespace::test {

/// The library of this process while it lives; no library afterwards.
class CublasLtStandIn {
 public:
  CublasLtStandIn();
  ~CublasLtStandIn();
  CublasLtStandIn(const CublasLtStandIn&) = delete;
  CublasLtStandIn& operator=(const CublasLtStandIn&) = delete;

  /// Products that were computed.
  int64_t products() const;
  /// Descriptors that were made and not destroyed.
  int64_t alive() const;
  /// From now on no product finds an algorithm.
  void find_nothing();
  /// From now on products fail when they are started.
  void fail();
  /// Puts a library in its place that makes no handles.
  void make_no_handles();
};

}  // namespace statespace::test
