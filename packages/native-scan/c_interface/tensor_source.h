/// Gives the readers of ../arguments the tensors of one structure of the C interface.
///
/// Nothing here trusts the structure: it is copied first, every number is checked, and every tensor is measured in
/// overflow-safe 64-bit arithmetic. The first fault sticks; later reads answer zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>

#include "../arguments/extent.h"
#include "../arguments/refusal.h"
#include "../arguments/sequences.h"
#include "../arguments/shapes.h"
#include "interface.h"
#include "statespace/sequence_view.h"
#include "statespace/status.h"
#include "status.h"

namespace statespace::c_interface {

using arguments::Axis;
using arguments::DenseShape;
using arguments::Refusal;
using arguments::Role;
using arguments::SequenceSizes;

/// More than any version of a structure will have; a `size` beyond is no size.
inline constexpr size_t kMostBytes = 16384;

class TensorSource {
 public:
  explicit TensorSource(Form form) noexcept : form_(form) {}
  TensorSource(const TensorSource&) = delete;
  TensorSource& operator=(const TensorSource&) = delete;

  /// Copies `given`, whose tensors begin at `first_tensor` and go on to the end.
  template <typename Args>
  bool Open(const Args* given, size_t first_tensor, Args* args) noexcept {
    static_assert((sizeof(Args) - sizeof(statespace_tensor)) / sizeof(statespace_tensor) < kMostTensors);
    return Copy(given, first_tensor, sizeof(Args), args);
  }

  /// Position of the tensor at `offset` in the structure.
  int32_t At(size_t offset) const noexcept {
    return static_cast<int32_t>((offset - first_tensor_) / sizeof(statespace_tensor));
  }
  bool ok() const noexcept { return status_ == 0; }
  int32_t status() const noexcept { return status_; }
  void Fault(int32_t reason, int32_t position = -1) noexcept;
  void Refuse(Refusal reason, int32_t position = -1) noexcept;

  // Before the readers: options, and sizes taken from shapes.
  bool Flag(int32_t value) noexcept { return Choice(value, 2) != 0; }
  int32_t Choice(int32_t value, int32_t count) noexcept;
  void Zero(int32_t reserved) noexcept { Choice(reserved, 1); }
  /// Both limits, or 0 and infinity.
  void DtLimit(int32_t has_limit, double low, double high, double* dt_min, double* dt_max) noexcept;
  /// Whether the tensor is there, with a rank from `least` to `most` and sizes that a shape may have.
  bool HasRank(int32_t position, int32_t least, int32_t most) noexcept;
  bool absent(int32_t position) const noexcept;
  const statespace_tensor& tensor(int32_t position) const noexcept { return tensors_[position]; }
  /// Size of the first axis, of a tensor that has one.
  int64_t Batch(int32_t position) noexcept;
  /// `indices`: where the sequence indices stand.
  arguments::SequencesHeader Sequences(int32_t kind, int32_t reverse, int32_t indices) noexcept;
  /// Computes in float64.
  void SetWide(bool wide) noexcept { wide_ = wide; }

  // What the readers of ../arguments ask for.
  int32_t position() const noexcept { return next_; }
  int64_t Product(std::initializer_list<int64_t> sizes) noexcept;
  void* Hold(size_t bytes) noexcept;
  SequenceView Sequence(const SequenceSizes& sizes, bool required = true) noexcept;
  SequenceTarget SequenceOut(const SequenceSizes& sizes, bool required = true) noexcept;
  template <typename Real = float>
  const Real* In(const DenseShape& shape) noexcept {
    return static_cast<const Real*>(Dense(shape, sizeof(Real), Role::kRead, true));
  }
  template <typename Real = float>
  const Real* OptionalIn(const DenseShape& shape) noexcept {
    return static_cast<const Real*>(Dense(shape, sizeof(Real), Role::kRead, false));
  }
  template <typename Real = float>
  Real* Out(const DenseShape& shape) noexcept {
    return static_cast<Real*>(Dense(shape, sizeof(Real), Role::kWrite, true));
  }
  template <typename Real = float>
  Real* OptionalOut(const DenseShape& shape) noexcept {
    return static_cast<Real*>(Dense(shape, sizeof(Real), Role::kWrite, false));
  }
  template <typename Real = float>
  Real* InOut(const DenseShape& shape) noexcept {
    return static_cast<Real*>(Dense(shape, sizeof(Real), Role::kUpdate, true));
  }
  /// (batch, inner...): gaps between batch rows alone.
  template <typename Real = float>
  const Real* Rows(int64_t batch, const DenseShape& inner, int64_t* batch_stride, bool required = true) noexcept {
    return static_cast<const Real*>(BatchRows(batch, inner, sizeof(Real), batch_stride, required));
  }
  float* Matrices(Role role, int64_t batch, int64_t rows, int64_t inner, int64_t* batch_stride,
                  int64_t* row_stride) noexcept;
  /// A private copy, so that nobody changes them after the check.
  const int32_t* Indices(const DenseShape& shape, bool required = true) noexcept;

  /// Runs `kernel` on what has been read.
  template <typename Args>
  int32_t Run(const Args& args, Status (*kernel)(const Args&) noexcept) noexcept {
    CheckOverlaps();
    if (ok()) Fault(ReasonOf(kernel(args)));
    return status_;
  }

 private:
  static constexpr int32_t kMostTensors = 24;
  static constexpr int32_t kMostHeld = 4;

  bool Copy(const void* given, size_t first_tensor, size_t bytes, void* args) noexcept;
  static int32_t ReasonOf(Status status) noexcept;
  /// The next tensor where it is there and no fault was found.
  const statespace_tensor* Next(bool required) noexcept;
  template <typename Tensor>
  Tensor ReadSequence(const SequenceSizes& sizes, Role role, bool required) noexcept;
  /// Address of the next tensor, of this format and shape and without gaps.
  void* Contents(const DenseShape& shape, int32_t dtype, size_t element_bytes, Role role, bool required) noexcept;
  /// The same of real numbers, or of pairs of them where the shape says so.
  void* Dense(const DenseShape& shape, size_t real_bytes, Role role, bool required) noexcept;
  const void* BatchRows(int64_t batch, const DenseShape& inner, size_t real_bytes, int64_t* batch_stride,
                        bool required) noexcept;
  /// Address of the first entry of the tensor read last, once its memory is measured. Axes count real numbers.
  void* Locate(const statespace_tensor& tensor, size_t real_bytes, std::span<const Axis> axes, Role role) noexcept;
  void CheckOverlaps() noexcept;

  Form form_;
  int32_t status_ = 0;
  bool wide_ = false;
  bool reverse_ = false;
  size_t first_tensor_ = 0;
  int32_t next_ = 0;
  int32_t range_count_ = 0;
  int32_t held_count_ = 0;
  statespace_tensor tensors_[kMostTensors];
  arguments::MemoryRange ranges_[kMostTensors];
  std::unique_ptr<char[]> held_[kMostHeld];
};

}  // namespace statespace::c_interface
