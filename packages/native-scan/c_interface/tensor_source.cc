#include "tensor_source.h"

#include <algorithm>
#include <limits>
#include <new>

namespace statespace::c_interface {

namespace {

/// Where empty tensors point: kernels read null as absent.
alignas(64) char empty_tensor[64];

/// The element type of a tensor with a length, its parts where `pairs`; false where no kernel takes it.
bool SequenceType(int32_t dtype, bool pairs, bool wide, DType* type) noexcept {
  switch (dtype) {
    case STATESPACE_F32:
      *type = DType::kF32;
      return !pairs;
    case STATESPACE_F64:
      *type = DType::kF64;
      return !pairs && wide;
    case STATESPACE_F16:
      *type = DType::kF16;
      return !pairs;
    case STATESPACE_BF16:
      *type = DType::kBf16;
      return !pairs;
    case STATESPACE_C64:
      *type = DType::kF32;
      return pairs;
    case STATESPACE_C128:
      *type = DType::kF64;
      return pairs && wide;
    default:
      return false;
  }
}

size_t BytesOf(DType type) noexcept { return type == DType::kF64 ? 8 : type == DType::kF32 ? 4 : 2; }

/// The element type of a parameter or state.
int32_t DenseType(size_t real_bytes, bool pairs) noexcept {
  if (real_bytes == sizeof(double)) return pairs ? STATESPACE_C128 : STATESPACE_F64;
  return pairs ? STATESPACE_C64 : STATESPACE_F32;
}

/// Whether two shapes are the same but for axes of size 1.
bool SameSizes(std::span<const int64_t> a, std::span<const int64_t> b) noexcept {
  size_t i = 0, j = 0;
  while (true) {
    while (i < a.size() && a[i] == 1) ++i;
    while (j < b.size() && b[j] == 1) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (a[i++] != b[j++]) return false;
  }
}

std::span<const int64_t> ShapeOf(const statespace_tensor& tensor, int32_t first = 0) noexcept {
  return std::span(tensor.shape).subspan(static_cast<size_t>(first), static_cast<size_t>(tensor.rank - first));
}

/// Whether the axes from `first` on have no gaps; those of size 1 have none.
bool Contiguous(const statespace_tensor& tensor, int32_t first = 0) noexcept {
  int64_t entries = 1;
  for (int32_t axis = tensor.rank - 1; axis >= first; --axis) {
    if (tensor.shape[axis] > 1 && tensor.strides[axis] != entries) return false;
    if (__builtin_mul_overflow(entries, tensor.shape[axis], &entries)) return false;
  }
  return true;
}

bool IsEmpty(const statespace_tensor& tensor) noexcept {
  const auto sizes = ShapeOf(tensor);
  return std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
}

}  // namespace

bool TensorSource::Copy(const void* given, size_t first_tensor, size_t bytes, void* args) noexcept {
  first_tensor_ = first_tensor;
  size_t size = 0;
  if (given != nullptr) std::memcpy(&size, given, sizeof size);
  const bool known = size >= first_tensor && size <= kMostBytes &&
                     (size >= bytes || (size - first_tensor) % sizeof(statespace_tensor) == 0);
  if (!known) {
    Fault(STATESPACE_BAD_STRUCT);
    return false;
  }
  std::memset(args, 0, bytes);
  std::memcpy(args, given, std::min(size, bytes));
  const char* from = static_cast<const char*>(given);
  if (!std::all_of(from + std::min(size, bytes), from + size, [](char byte) { return byte == 0; })) {
    Fault(STATESPACE_BAD_STRUCT);
    return false;
  }
  std::memcpy(tensors_, static_cast<const char*>(args) + first_tensor, bytes - first_tensor);
  return true;
}

void TensorSource::Fault(int32_t reason, int32_t position) noexcept {
  if (status_ == 0) status_ = StatusOf(form_, reason, position);
}

void TensorSource::Refuse(Refusal reason, int32_t position) noexcept {
  switch (reason) {
    case Refusal::kMissing:
      return Fault(STATESPACE_MISSING, position);
    case Refusal::kWrongType:
      return Fault(STATESPACE_WRONG_DTYPE, position);
    case Refusal::kOutOfRange:
      return Fault(STATESPACE_WRONG_SHAPE, position);
    case Refusal::kOverlap:
      return Fault(STATESPACE_OVERLAP, position);
    case Refusal::kOutOfMemory:
      return Fault(STATESPACE_OUT_OF_MEMORY, position);
    case Refusal::kMisaligned:
      return Fault(STATESPACE_MISALIGNED, position);
    default:
      // A number in the middle of a tensor can only be an index.
      return Fault(position < 0 ? STATESPACE_BAD_OPTION : STATESPACE_BAD_INDEX, position);
  }
}

int32_t TensorSource::ReasonOf(Status status) noexcept {
  switch (status) {
    case Status::kOk:
      return STATESPACE_OK;
    case Status::kBadArgument:
      return STATESPACE_BAD_OPTION;
    case Status::kOutOfMemory:
      return STATESPACE_OUT_OF_MEMORY;
    case Status::kIndexOutOfRange:
      return STATESPACE_BAD_INDEX;
    case Status::kUnsupported:
    case Status::kDeviceFailure:  // no kernel of this interface runs on a device
      break;
  }
  return STATESPACE_UNSUPPORTED;
}

int32_t TensorSource::Choice(int32_t value, int32_t count) noexcept {
  if (value >= 0 && value < count) return value;
  Fault(STATESPACE_BAD_OPTION);
  return 0;
}

void TensorSource::DtLimit(int32_t has_limit, double low, double high, double* dt_min, double* dt_max) noexcept {
  const bool limited = Flag(has_limit);
  const bool valid = limited ? low <= high : low == 0 && high == 0;
  if (!valid) Fault(STATESPACE_BAD_OPTION);
  *dt_min = limited ? low : 0;
  *dt_max = limited ? high : std::numeric_limits<double>::infinity();
  if (wide_) return;
  // What is beyond floats becomes infinite: a plain conversion would not be defined.
  constexpr double largest = std::numeric_limits<float>::max();
  for (double* limit : {dt_min, dt_max}) {
    if (*limit > largest) *limit = std::numeric_limits<double>::infinity();
    if (*limit < -largest) *limit = -std::numeric_limits<double>::infinity();
  }
}

bool TensorSource::absent(int32_t position) const noexcept {
  return tensors_[position].data == nullptr && tensors_[position].rank == 0;
}

bool TensorSource::HasRank(int32_t position, int32_t least, int32_t most) noexcept {
  if (absent(position)) {
    Fault(STATESPACE_MISSING, position);
    return false;
  }
  const int32_t rank = tensors_[position].rank;
  bool valid = rank >= least && rank <= most;
  bool fits = true;
  for (int32_t axis = 0; valid && axis < rank; ++axis) {
    valid = tensors_[position].shape[axis] >= 0;
    fits &= tensors_[position].shape[axis] <= arguments::kMaxSize;
  }
  if (!valid) Fault(STATESPACE_WRONG_SHAPE, position);
  if (!fits) Fault(STATESPACE_TOO_LARGE, position);
  return ok();
}

int64_t TensorSource::Batch(int32_t position) noexcept {
  const int64_t batch = tensors_[position].shape[0];
  if (batch > arguments::kMaxBatch) Fault(STATESPACE_TOO_LARGE, position);
  return batch;
}

arguments::SequencesHeader TensorSource::Sequences(int32_t kind, int32_t reverse, int32_t indices) noexcept {
  arguments::SequencesHeader header;
  header.kind = static_cast<arguments::SequenceKind>(Choice(kind, 4));
  reverse_ = header.mirrored = Flag(reverse);
  if (header.kind == arguments::SequenceKind::kRows && !absent(indices)) Fault(STATESPACE_BAD_OPTION, indices);
  if (header.kind == arguments::SequenceKind::kCuSeqlens && HasRank(indices, 1, 1)) {
    header.packed = tensors_[indices].shape[0] - 1;
    if (header.packed < 0) Fault(STATESPACE_WRONG_SHAPE, indices);
    header.packed = std::max(header.packed, int64_t{0});
  }
  return header;
}

int64_t TensorSource::Product(std::initializer_list<int64_t> sizes) noexcept {
  int64_t product = 0;
  if (arguments::Product(sizes, &product)) return product;
  Fault(STATESPACE_TOO_LARGE);
  return 0;
}

void* TensorSource::Hold(size_t bytes) noexcept {
  char* memory = held_count_ < kMostHeld ? new (std::nothrow) char[bytes + 1] : nullptr;
  if (memory == nullptr) {
    Fault(STATESPACE_OUT_OF_MEMORY);
    return nullptr;
  }
  held_[held_count_++].reset(memory);
  return memory;
}

const statespace_tensor* TensorSource::Next(bool required) noexcept {
  const int32_t position = next_++;
  if (!ok() || (absent(position) && !required)) return nullptr;
  return HasRank(position, 0, STATESPACE_MAX_RANK) ? &tensors_[position] : nullptr;
}

void* TensorSource::Locate(const statespace_tensor& tensor, size_t real_bytes, std::span<const Axis> axes,
                           Role role) noexcept {
  const int32_t position = next_ - 1;
  arguments::Extent extent;
  int64_t begin = 0, end = 0;
  const int64_t bytes = static_cast<int64_t>(real_bytes);
  const bool fits = arguments::Measure(axes, &extent) && !__builtin_mul_overflow(extent.lowest, bytes, &begin) &&
                    extent.highest < std::numeric_limits<int64_t>::max() &&
                    !__builtin_mul_overflow(extent.highest + 1, bytes, &end);
  if (!fits) {
    Fault(STATESPACE_TOO_LARGE, position);
    return nullptr;
  }
  if (extent.empty) return empty_tensor;
  if (tensor.data == nullptr) {
    Fault(STATESPACE_MISSING, position);
    return nullptr;
  }
  const auto address = reinterpret_cast<uintptr_t>(tensor.data);
  if (address % real_bytes != 0) {
    Fault(STATESPACE_MISALIGNED, position);
    return nullptr;
  }
  if (role != Role::kRead && !arguments::Separate(axes)) {
    Fault(STATESPACE_BAD_STRIDES, position);
    return nullptr;
  }
  const uintptr_t below = uintptr_t{0} - static_cast<uintptr_t>(begin);
  const uintptr_t above = static_cast<uintptr_t>(end);
  if (below > address || above > std::numeric_limits<uintptr_t>::max() - address) {
    Fault(STATESPACE_TOO_LARGE, position);
    return nullptr;
  }
  char* data = static_cast<char*>(tensor.data);
  ranges_[range_count_++] = {data + begin, data + end, position, role, arguments::Sharing::kNone, extent.contiguous};
  return data;
}

template <typename Tensor>
Tensor TensorSource::ReadSequence(const SequenceSizes& sizes, Role role, bool required) noexcept {
  const int32_t position = next_;
  const statespace_tensor* tensor = Next(required);
  if (tensor == nullptr) return {};
  const int64_t outer[] = {sizes.outer, sizes.inner};
  const bool has_outer = tensor->rank == 4;
  if ((tensor->rank != 3 && !has_outer) || tensor->shape[0] != sizes.batch || tensor->shape[1] != sizes.length ||
      tensor->shape[tensor->rank - 1] != sizes.inner || !SameSizes(ShapeOf(*tensor, 2), outer)) {
    Fault(STATESPACE_WRONG_SHAPE, position);
    return {};
  }
  Tensor view;
  if (!SequenceType(tensor->dtype, sizes.pairs, wide_, &view.dtype)) {
    Fault(STATESPACE_WRONG_DTYPE, position);
    return {};
  }
  // An axis of one step has any stride: kernels get the one without gaps, which cannot overflow in their hands.
  const int64_t parts = sizes.pairs ? 2 : 1;
  const bool empty = IsEmpty(*tensor);
  int64_t packed = parts;
  bool fits = true;
  const auto stride_of = [&](int64_t size, int64_t given) {
    int64_t stride = packed;
    if (!empty && size > 1) fits &= !__builtin_mul_overflow(given, parts, &stride);
    fits &= !__builtin_mul_overflow(packed, std::max(size, int64_t{1}), &packed);
    return stride;
  };
  view.inner_stride = stride_of(sizes.inner, tensor->strides[tensor->rank - 1]);
  view.outer_stride = stride_of(sizes.outer, has_outer ? tensor->strides[2] : 0);
  view.len_stride = stride_of(sizes.length, tensor->strides[1]);
  view.batch_stride = stride_of(sizes.batch, tensor->strides[0]);
  if (!fits) {
    Fault(STATESPACE_TOO_LARGE, position);
    return {};
  }
  const Axis axes[] = {{sizes.batch, view.batch_stride},
                       {sizes.length, view.len_stride},
                       {sizes.outer, view.outer_stride},
                       {sizes.inner, view.inner_stride},
                       {parts, 1}};
  const size_t bytes = BytesOf(view.dtype);
  char* data = static_cast<char*>(Locate(*tensor, bytes, axes, role));
  if (data != nullptr && reverse_ && !empty && sizes.length > 1) {
    data += (sizes.length - 1) * view.len_stride * static_cast<int64_t>(bytes);
    view.len_stride = -view.len_stride;
  }
  view.data = data;
  return view;
}

SequenceView TensorSource::Sequence(const SequenceSizes& sizes, bool required) noexcept {
  return ReadSequence<SequenceView>(sizes, Role::kRead, required);
}

SequenceTarget TensorSource::SequenceOut(const SequenceSizes& sizes, bool required) noexcept {
  return ReadSequence<SequenceTarget>(sizes, Role::kWrite, required);
}

void* TensorSource::Contents(const DenseShape& shape, int32_t dtype, size_t element_bytes, Role role,
                             bool required) noexcept {
  const int32_t position = next_;
  const statespace_tensor* tensor = Next(required);
  if (tensor == nullptr) return nullptr;
  if (tensor->dtype != dtype) {
    Fault(STATESPACE_WRONG_DTYPE, position);
  } else if (!SameSizes(ShapeOf(*tensor), std::span(shape.size).first(static_cast<size_t>(shape.rank)))) {
    Fault(STATESPACE_WRONG_SHAPE, position);
  } else if (!IsEmpty(*tensor) && !Contiguous(*tensor)) {
    Fault(STATESPACE_BAD_STRIDES, position);
  }
  if (!ok()) return nullptr;
  const Axis axes[] = {{shape.count, 1}};
  return Locate(*tensor, element_bytes, axes, role);
}

void* TensorSource::Dense(const DenseShape& shape, size_t real_bytes, Role role, bool required) noexcept {
  return Contents(shape, DenseType(real_bytes, shape.pairs), real_bytes, role, required);
}

const void* TensorSource::BatchRows(int64_t batch, const DenseShape& inner, size_t real_bytes, int64_t* batch_stride,
                                    bool required) noexcept {
  const int32_t position = next_;
  const statespace_tensor* tensor = Next(required);
  *batch_stride = inner.count;
  if (tensor == nullptr) return nullptr;
  const bool fits = tensor->rank >= 1 && tensor->shape[0] == batch &&
                    SameSizes(ShapeOf(*tensor, 1), std::span(inner.size).first(static_cast<size_t>(inner.rank)));
  if (tensor->dtype != DenseType(real_bytes, false)) {
    Fault(STATESPACE_WRONG_DTYPE, position);
  } else if (!fits) {
    Fault(STATESPACE_WRONG_SHAPE, position);
  } else if (!IsEmpty(*tensor) && !Contiguous(*tensor, 1)) {
    Fault(STATESPACE_BAD_STRIDES, position);
  }
  if (!ok()) return nullptr;
  if (batch > 1 && !IsEmpty(*tensor)) *batch_stride = tensor->strides[0];
  const Axis axes[] = {{batch, *batch_stride}, {inner.count, 1}};
  return Locate(*tensor, real_bytes, axes, Role::kRead);
}

float* TensorSource::Matrices(Role role, int64_t batch, int64_t rows, int64_t inner, int64_t* batch_stride,
                              int64_t* row_stride) noexcept {
  const int32_t position = next_;
  const statespace_tensor* tensor = Next(true);
  *row_stride = inner;
  *batch_stride = 0;
  if (tensor == nullptr) return nullptr;
  const int32_t first = tensor->rank - 2;
  const bool shared = first == 0 && role == Role::kRead;
  const bool fits = (first == 0 || first == 1) && tensor->shape[first] == rows && tensor->shape[first + 1] == inner &&
                    (first == 1 ? tensor->shape[0] == batch : batch == 1 || shared);
  if (tensor->dtype != STATESPACE_F32) {
    Fault(STATESPACE_WRONG_DTYPE, position);
  } else if (!fits) {
    Fault(STATESPACE_WRONG_SHAPE, position);
  } else if (inner > 1 && tensor->strides[first + 1] != 1) {
    Fault(STATESPACE_BAD_STRIDES, position);
  }
  if (!ok()) return nullptr;
  const bool empty = IsEmpty(*tensor);
  if (rows > 1 && !empty) *row_stride = tensor->strides[first];
  if (first == 1) *batch_stride = batch > 1 && !empty ? tensor->strides[0] : Product({rows, inner});
  const Axis axes[] = {{batch, *batch_stride}, {rows, *row_stride}, {inner, 1}};
  return static_cast<float*>(Locate(*tensor, sizeof(float), axes, role));
}

const int32_t* TensorSource::Indices(const DenseShape& shape, bool required) noexcept {
  const void* data = Contents(shape, STATESPACE_I32, sizeof(int32_t), Role::kRead, required);
  if (data == nullptr) return nullptr;
  const size_t bytes = static_cast<size_t>(shape.count) * sizeof(int32_t);
  void* copy = Hold(bytes);
  if (copy != nullptr) std::memcpy(copy, data, bytes);
  return static_cast<const int32_t*>(copy);
}

void TensorSource::CheckOverlaps() noexcept {
  if (!ok()) return;
  const int32_t position = arguments::FindOverlap(std::span(ranges_, static_cast<size_t>(range_count_)));
  if (position >= 0) Fault(STATESPACE_OVERLAP, position);
}

}  // namespace statespace::c_interface
