/// Reads the arguments of one bound function.
///
/// Calling convention of every kernel function, synchronous `op` and asynchronous `opAsync`:
///   op(numbers: Float64Array, ...arrays)            -> integer, 0 or a code of refusal.h
///   opAsync(numbers, cancel, ...arrays)             -> the same integer at once when refused, else a Promise of it
/// `numbers` holds sizes and options first, then for each array argument in order, absent ones too, the strides that
/// the argument's reader takes and the element offset. `cancel` is an Int32Array on a SharedArrayBuffer (or
/// undefined) whose first element is set to non-zero to skip a call that has not begun.
///
/// Nothing here trusts the caller: every number is checked, and every view is measured in overflow-safe 64-bit
/// arithmetic against the length that the array has now. The first fault sticks; later reads answer zeros.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "../arguments/extent.h"
#include "../arguments/shapes.h"
#include "async_job.h"
#include "refusal.h"
#include "statespace/elementwise.h"
#include "statespace/sequence_view.h"
#include "statespace/strided.h"

namespace statespace::binding {

enum class Mode { kSync, kAsync };

using arguments::Axis;
using arguments::DenseShape;
using arguments::Extent;
using arguments::MemoryRange;
using arguments::Role;
using arguments::SequenceSizes;
using arguments::Sharing;

/// The elements of a list argument, and its position among the arguments.
struct List {
  std::vector<napi_value> elements;
  int32_t position = -1;
};

class Call {
 public:
  Call(napi_env env, napi_callback_info info, Mode mode);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool ok() const { return code_ == 0; }
  napi_env env() const { return env_; }

  // Numbers, in order. Sizes are at most 2^40.
  int64_t Size();
  /// A number of rows, below 2^31: kernels walk them one by one, those without entries too.
  int64_t Batch();
  int64_t Integer();
  double Number();
  float Float() { return static_cast<float>(Number()); }
  bool Flag() { return Choice(2) != 0; }
  /// An integer in [0, count).
  int32_t Choice(int32_t count);
  /// Axes of a strided view: rank, then sizes.
  Shape ReadShape();
  /// Entries of a shape; refuses what no array can hold.
  int64_t Product(std::initializer_list<int64_t> sizes);

  /// Memory that lives as long as the call; null, with a refusal, when there is none.
  void* Hold(size_t bytes);

  // Arrays of Real (float or double), in order. An optional one that is undefined or null answers nullptr.
  template <typename Real = float>
  const Real* In(int64_t count) {
    return Dense<const Real>(Role::kRead, count, true);
  }
  template <typename Real = float>
  const Real* OptionalIn(int64_t count) {
    return Dense<const Real>(Role::kRead, count, false);
  }
  template <typename Real = float>
  Real* Out(int64_t count, Sharing sharing = Sharing::kNone) {
    return Dense<Real>(Role::kWrite, count, true, sharing);
  }
  template <typename Real = float>
  Real* OptionalOut(int64_t count) {
    return Dense<Real>(Role::kWrite, count, false);
  }
  template <typename Real = float>
  Real* InOut(int64_t count) {
    return Dense<Real>(Role::kUpdate, count, true);
  }
  int32_t* OutIndices(int64_t count);

  // The same for the readers of arguments/, which say the shape.
  template <typename Real = float>
  const Real* In(const DenseShape& shape) {
    return In<Real>(shape.count);
  }
  template <typename Real = float>
  const Real* OptionalIn(const DenseShape& shape) {
    return OptionalIn<Real>(shape.count);
  }
  template <typename Real = float>
  Real* Out(const DenseShape& shape) {
    return Out<Real>(shape.count);
  }
  template <typename Real = float>
  Real* OptionalOut(const DenseShape& shape) {
    return OptionalOut<Real>(shape.count);
  }
  template <typename Real = float>
  Real* InOut(const DenseShape& shape) {
    return InOut<Real>(shape.count);
  }

  /// (batch, length, outer, inner) of a float format; numbers: format, the four strides, offset. With `pairs` each entry
  /// is two neighbouring elements.
  SequenceView Sequence(const SequenceSizes& sizes, bool required = true);
  SequenceTarget SequenceOut(const SequenceSizes& sizes, bool required = true);
  /// (rows, inner) of Real with unit stride inside; numbers: row stride, offset.
  template <typename Real = float>
  const Real* Rows(int64_t rows, int64_t inner, int64_t* row_stride, bool required = true) {
    *row_stride = Integer();
    const Axis axes[] = {{rows, *row_stride}, {inner, 1}};
    return static_cast<const Real*>(Read({kRealType<Real>, Role::kRead, Sharing::kNone, required}, axes));
  }
  template <typename Real = float>
  const Real* Rows(int64_t rows, const DenseShape& inner, int64_t* row_stride, bool required = true) {
    return Rows<Real>(rows, inner.count, row_stride, required);
  }
  /// (batch, rows, inner) with unit stride inside; numbers: batch stride, row stride, offset.
  float* Matrices(Role role, int64_t batch, int64_t rows, int64_t inner, int64_t* batch_stride,
                  int64_t* row_stride);
  /// Any strides; numbers: one stride per axis, offset.
  const float* View(const Shape& shape, Strides* strides);
  void* TypedView(Role role, DType dtype, const Shape& shape, Strides* strides, Sharing sharing);
  /// A private copy of `count` indices, so that nobody changes them after the check; numbers: offset.
  const int32_t* Indices(int64_t count, bool required = true);
  const int32_t* Indices(const DenseShape& shape, bool required = true) { return Indices(shape.count, required); }

  /// An array argument that is a JavaScript list of `length` typed arrays. Lists come before all other arrays,
  /// because reading an element may run a getter, which may detach what has been measured.
  List ReadList(int64_t length);
  /// A contiguous entry of a list; numbers: offset.
  float* ListEntry(const List& list, int64_t index, Role role, int64_t count);

  /// Sets the refusal unless there is one. `position` counts array arguments from 0; -1: none in particular.
  void Refuse(Refusal reason, int32_t position = -1);
  /// The integer for JavaScript as things stand.
  napi_value Result();
  /// Position of the next array argument.
  int32_t position() const { return next_array_; }

  /// Runs `kernel` now, or hands it to a worker in asynchronous calls; answers what JavaScript gets.
  template <typename Args>
  napi_value Run(const Args& args, Status (*kernel)(const Args&) noexcept) {
    CheckOverlaps();
    if (!ok()) return Result();
    if (job_ == nullptr) {
      code_ = StatusCode(kernel(args));
      return Result();
    }
    return StartJob(std::move(job_), [args, kernel]() noexcept { return kernel(args); });
  }

 private:
  static constexpr size_t kMaxArguments = 32;

  template <typename Real>
  static constexpr DType kRealType = sizeof(Real) == sizeof(double) ? DType::kF64 : DType::kF32;

  /// What an array is to the kernel.
  struct Use {
    DType dtype = DType::kF32;
    Role role = Role::kRead;
    Sharing sharing = Sharing::kNone;
    bool required = true;
  };

  /// A view inside the memory of its array.
  struct Located {
    /// Element 0 of the array.
    char* data = nullptr;
    /// The bytes that the view reaches.
    size_t byte_offset = 0;
    size_t bytes = 0;
    /// From there to the view's first element; not 0 with negative strides.
    int64_t first_element = 0;
  };

  enum class Found { kView, kEmpty, kNothing };

  template <typename T>
  T* Dense(Role role, int64_t count, bool required, Sharing sharing = Sharing::kNone) {
    const Axis axes[] = {{count, 1}};
    return static_cast<T*>(Read({kRealType<T>, role, sharing, required}, axes));
  }

  /// Reads into a view or a target.
  template <typename Tensor>
  Tensor ReadSequence(const SequenceSizes& sizes, Role role, bool required);

  void ReadNumbers();
  napi_value NextArgument();
  /// The next array argument, whose strides have been read.
  void* Read(const Use& use, std::span<const Axis> axes);
  bool Measure(std::span<const Axis> axes, int32_t position, Extent* extent);
  Found Locate(napi_value value, const Use& use, int64_t offset, const Extent& extent, int32_t position,
               Located* located);
  /// Where the kernel finds the view: in place, or in the asynchronous call's copy.
  void* Place(napi_value value, const Use& use, const Located& located, bool contiguous, int32_t position);
  MemoryRange RangeOf(const Located& located, const Use& use, const Extent& extent, int32_t position) const;
  void CheckOverlaps();
  void CheckListOverlaps();

  napi_env env_;
  napi_value arguments_[kMaxArguments];
  size_t argument_count_ = 0;
  size_t first_array_ = 1;
  int32_t next_array_ = 0;
  const double* numbers_ = nullptr;
  size_t number_count_ = 0;
  size_t next_number_ = 0;
  int32_t code_ = 0;
  MemoryRange ranges_[kMaxArguments];
  size_t range_count_ = 0;
  std::vector<MemoryRange> list_ranges_;
  std::vector<std::unique_ptr<char[]>> held_;
  std::unique_ptr<AsyncJob> job_;
};

/// A JavaScript function of the addon.
struct Method {
  const char* name;
  napi_value (*call)(napi_env, napi_callback_info);
};

/// One entry point per mode from one reader `Op(Call&)`.
template <napi_value (*Op)(Call&)>
napi_value Sync(napi_env env, napi_callback_info info) {
  Call call(env, info, Mode::kSync);
  return Op(call);
}

template <napi_value (*Op)(Call&)>
napi_value Async(napi_env env, napi_callback_info info) {
  Call call(env, info, Mode::kAsync);
  return Op(call);
}

}  // namespace statespace::binding
