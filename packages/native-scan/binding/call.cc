#include "call.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

namespace statespace::binding {

namespace {

constexpr double kMaxInteger = 0x1p53;
/// Where empty arrays point: kernels read null as absent.
alignas(64) char empty_array[64];

struct ElementType {
  napi_typedarray_type type;
  int64_t bytes;
};

ElementType element_type(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return {napi_float64_array, 8};
    case DType::kF16:
    case DType::kBf16:
      return {napi_uint16_array, 2};
    case DType::kI32:
      return {napi_int32_array, 4};
    case DType::kU8:
      return {napi_uint8_array, 1};
    case DType::kF32:
      break;
  }
  return {napi_float32_array, 4};
}

}  // namespace

Call::Call(napi_env env, napi_callback_info info, Mode mode) : env_(env) {
  argument_count_ = kMaxArguments;
  if (napi_get_cb_info(env, info, &argument_count_, arguments_, nullptr, nullptr) != napi_ok) {
    argument_count_ = 0;
  }
  argument_count_ = std::min(argument_count_, kMaxArguments);
  if (mode == Mode::kAsync) {
    first_array_ = 2;
    job_.reset(new (std::nothrow) AsyncJob(env, argument_count_ > 1 ? arguments_[1] : nullptr));
    if (job_ == nullptr) Refuse(Refusal::kOutOfMemory);
  }
  ReadNumbers();
}

void Call::ReadNumbers() {
  napi_typedarray_type type;
  void* data = nullptr;
  if (argument_count_ < 1 ||
      napi_get_typedarray_info(env_, arguments_[0], &type, &number_count_, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array || data == nullptr) {
    number_count_ = 0;
    Refuse(Refusal::kWrongType);
  }
  numbers_ = static_cast<const double*>(data);
}

void Call::Refuse(Refusal reason, int32_t position) {
  if (code_ == 0) code_ = RefusalCode(reason, position);
}

napi_value Call::Result() {
  napi_value value = nullptr;
  return napi_create_int32(env_, code_, &value) == napi_ok ? value : nullptr;
}

double Call::Number() {
  if (next_number_ >= number_count_) {
    Refuse(Refusal::kBadNumber);
    return 0;
  }
  return numbers_[next_number_++];
}

int64_t Call::Integer() {
  const double value = Number();
  if (!(std::fabs(value) <= kMaxInteger) || value != std::trunc(value)) {
    Refuse(Refusal::kBadNumber);
    return 0;
  }
  return static_cast<int64_t>(value);
}

int64_t Call::Size() {
  const int64_t value = Integer();
  if (value < 0 || value > arguments::kMaxSize) {
    Refuse(Refusal::kBadNumber);
    return 0;
  }
  return value;
}

int64_t Call::Batch() {
  const int64_t batch = Size();
  if (batch > arguments::kMaxBatch) {
    Refuse(Refusal::kBadNumber);
    return 0;
  }
  return batch;
}

int32_t Call::Choice(int32_t count) {
  const int64_t value = Integer();
  if (value < 0 || value >= count) {
    Refuse(Refusal::kBadNumber);
    return 0;
  }
  return static_cast<int32_t>(value);
}

Shape Call::ReadShape() {
  Shape shape;
  shape.rank = Choice(kMaxRank + 1);
  for (int32_t axis = 0; axis < shape.rank; ++axis) shape.size[axis] = Size();
  return shape;
}

int64_t Call::Product(std::initializer_list<int64_t> sizes) {
  int64_t product = 0;
  if (arguments::Product(sizes, &product)) return product;
  Refuse(Refusal::kBadNumber);
  return 0;
}

napi_value Call::NextArgument() {
  const size_t index = first_array_ + static_cast<size_t>(next_array_++);
  return index < argument_count_ ? arguments_[index] : nullptr;
}

bool Call::Measure(std::span<const Axis> axes, int32_t position, Extent* extent) {
  const bool fits = arguments::Measure(axes, extent);
  if (!fits) Refuse(Refusal::kOutOfRange, position);
  return fits;
}

Call::Found Call::Locate(napi_value value, const Use& use, int64_t offset, const Extent& extent, int32_t position,
                         Located* located) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (value == nullptr ||
      napi_get_typedarray_info(env_, value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    napi_valuetype kind = napi_undefined;
    const bool known = value == nullptr || napi_typeof(env_, value, &kind) == napi_ok;
    const bool absent = known && (kind == napi_undefined || kind == napi_null);
    if (!absent || use.required) Refuse(absent ? Refusal::kMissing : Refusal::kWrongType, position);
    return Found::kNothing;
  }
  const ElementType wanted = element_type(use.dtype);
  if (type != wanted.type) {
    Refuse(Refusal::kWrongType, position);
    return Found::kNothing;
  }
  if (extent.empty) return Found::kEmpty;

  int64_t first = 0;
  int64_t last = 0;
  if (data == nullptr || __builtin_add_overflow(offset, extent.lowest, &first) ||
      __builtin_add_overflow(offset, extent.highest, &last) || first < 0 ||
      last >= static_cast<int64_t>(length)) {
    Refuse(Refusal::kOutOfRange, position);
    return Found::kNothing;
  }
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(wanted.bytes) != 0) {
    Refuse(Refusal::kMisaligned, position);
    return Found::kNothing;
  }
  located->data = static_cast<char*>(data);
  located->byte_offset = static_cast<size_t>(first * wanted.bytes);
  located->bytes = static_cast<size_t>((last - first + 1) * wanted.bytes);
  located->first_element = (offset - first) * wanted.bytes;
  return Found::kView;
}

void* Call::Place(napi_value value, const Use& use, const Located& located, bool contiguous, int32_t position) {
  char* begin = located.data + located.byte_offset;
  if (job_ != nullptr) {
    // A strided output leaves gaps, whose contents must survive the copying back.
    const bool read = use.role != Role::kWrite || !contiguous;
    begin = static_cast<char*>(job_->Stage(value, located.data, located.byte_offset, located.bytes, read,
                                           use.role != Role::kRead));
    if (begin == nullptr) {
      Refuse(Refusal::kOutOfMemory, position);
      return nullptr;
    }
  }
  return begin + located.first_element;
}

MemoryRange Call::RangeOf(const Located& located, const Use& use, const Extent& extent, int32_t position) const {
  const char* begin = located.data + located.byte_offset;
  return {begin, begin + located.bytes, position, use.role, use.sharing, extent.contiguous};
}

void* Call::Read(const Use& use, std::span<const Axis> axes) {
  const int32_t position = next_array_;
  const napi_value value = NextArgument();
  const int64_t offset = Integer();
  Extent extent;
  Located located;
  if (!ok() || !Measure(axes, position, &extent)) return nullptr;
  switch (Locate(value, use, offset, extent, position, &located)) {
    case Found::kNothing:
      return nullptr;
    case Found::kEmpty:
      return empty_array;
    case Found::kView:
      break;
  }
  // Overlap is a property of what the caller passed, so it is judged on that and not on copies.
  ranges_[range_count_++] = RangeOf(located, use, extent, position);
  return Place(value, use, located, extent.contiguous, position);
}

int32_t* Call::OutIndices(int64_t count) {
  const Axis axes[] = {{count, 1}};
  return static_cast<int32_t*>(Read({DType::kI32, Role::kWrite, Sharing::kNone, true}, axes));
}

template <typename Tensor>
Tensor Call::ReadSequence(const SequenceSizes& sizes, Role role, bool required) {
  Tensor tensor;
  tensor.dtype = static_cast<DType>(Choice(4));  // the float formats come first
  tensor.batch_stride = Integer();
  tensor.len_stride = Integer();
  tensor.outer_stride = Integer();
  tensor.inner_stride = Integer();
  const Axis axes[] = {{sizes.batch, tensor.batch_stride},
                       {sizes.length, tensor.len_stride},
                       {sizes.outer, tensor.outer_stride},
                       {sizes.inner, tensor.inner_stride},
                       {2, 1}};
  tensor.data = Read({tensor.dtype, role, Sharing::kNone, required}, std::span(axes).first(sizes.pairs ? 5 : 4));
  return tensor;
}

SequenceView Call::Sequence(const SequenceSizes& sizes, bool required) {
  return ReadSequence<SequenceView>(sizes, Role::kRead, required);
}

SequenceTarget Call::SequenceOut(const SequenceSizes& sizes, bool required) {
  return ReadSequence<SequenceTarget>(sizes, Role::kWrite, required);
}

void* Call::Hold(size_t bytes) {
  std::unique_ptr<char[]> memory(new (std::nothrow) char[bytes + 1]);
  if (memory == nullptr) {
    Refuse(Refusal::kOutOfMemory);
    return nullptr;
  }
  void* result = memory.get();
  if (job_ != nullptr) job_->Own(std::move(memory));
  else held_.push_back(std::move(memory));
  return result;
}

float* Call::Matrices(Role role, int64_t batch, int64_t rows, int64_t inner, int64_t* batch_stride,
                      int64_t* row_stride) {
  *batch_stride = Integer();
  *row_stride = Integer();
  const Axis axes[] = {{batch, *batch_stride}, {rows, *row_stride}, {inner, 1}};
  return static_cast<float*>(Read({DType::kF32, role, Sharing::kNone, true}, axes));
}

const float* Call::View(const Shape& shape, Strides* strides) {
  return static_cast<const float*>(TypedView(Role::kRead, DType::kF32, shape, strides, Sharing::kNone));
}

void* Call::TypedView(Role role, DType dtype, const Shape& shape, Strides* strides, Sharing sharing) {
  Axis axes[kMaxRank];
  for (int32_t axis = 0; axis < shape.rank; ++axis) {
    strides->step[axis] = Integer();
    axes[axis] = {shape.size[axis], strides->step[axis]};
  }
  return Read({dtype, role, sharing, true}, std::span(axes).first(static_cast<size_t>(shape.rank)));
}

const int32_t* Call::Indices(int64_t count, bool required) {
  const int32_t position = next_array_;
  const napi_value value = NextArgument();
  const int64_t offset = Integer();
  const Axis axes[] = {{count, 1}};
  Extent extent;
  Located located;
  if (!ok() || !Measure(axes, position, &extent)) return nullptr;
  const Found found = Locate(value, {DType::kI32, Role::kRead, Sharing::kNone, required}, offset, extent, position,
                             &located);
  if (found == Found::kNothing) return nullptr;

  void* copy = Hold(static_cast<size_t>(count) * sizeof(int32_t));
  if (copy != nullptr && found == Found::kView) {
    std::memcpy(copy, located.data + located.byte_offset, located.bytes);
  }
  return static_cast<const int32_t*>(copy);
}

List Call::ReadList(int64_t length) {
  List list;
  list.position = next_array_;
  const napi_value value = NextArgument();
  uint32_t actual = 0;
  if (value == nullptr || napi_get_array_length(env_, value, &actual) != napi_ok) {
    Refuse(Refusal::kWrongType, list.position);
  } else if (static_cast<int64_t>(actual) < length) {
    Refuse(Refusal::kOutOfRange, list.position);
  }
  if (!ok()) return list;
  list.elements.resize(static_cast<size_t>(length));
  for (uint32_t i = 0; i < static_cast<uint32_t>(length); ++i) {
    if (napi_get_element(env_, value, i, &list.elements[i]) != napi_ok) {
      Refuse(Refusal::kWrongType, list.position);
      return list;
    }
  }
  ReadNumbers();  // a getter may have moved them
  return list;
}

float* Call::ListEntry(const List& list, int64_t index, Role role, int64_t count) {
  const int64_t offset = Integer();
  const Axis axes[] = {{count, 1}};
  const Use use{DType::kF32, role, Sharing::kNone, true};
  Extent extent;
  Located located;
  if (!ok() || !Measure(axes, list.position, &extent)) return nullptr;
  const napi_value value = list.elements[static_cast<size_t>(index)];
  switch (Locate(value, use, offset, extent, list.position, &located)) {
    case Found::kNothing:
      return nullptr;
    case Found::kEmpty:
      return reinterpret_cast<float*>(empty_array);
    case Found::kView:
      break;
  }
  list_ranges_.push_back(RangeOf(located, use, extent, list.position));
  return static_cast<float*>(Place(value, use, located, true, list.position));
}

void Call::CheckOverlaps() {
  if (!list_ranges_.empty()) return CheckListOverlaps();
  const int32_t position = arguments::FindOverlap(std::span(ranges_, range_count_));
  if (position >= 0) Refuse(Refusal::kOverlap, position);
}

/// With hundreds of parameters, pairs would cost more than the optimiser step; a sweep over sorted ranges does not.
void Call::CheckListOverlaps() {
  std::vector<MemoryRange>& ranges = list_ranges_;
  ranges.insert(ranges.end(), ranges_, ranges_ + range_count_);
  std::sort(ranges.begin(), ranges.end(), [](const MemoryRange& a, const MemoryRange& b) { return a.begin < b.begin; });
  const char* end = nullptr;
  const char* written_end = nullptr;
  for (const MemoryRange& range : ranges) {
    const bool written = range.role != Role::kRead;
    if (range.begin < (written ? end : written_end)) Refuse(Refusal::kOverlap, range.position);
    end = std::max(end, range.end);
    if (written) written_end = std::max(written_end, range.end);
  }
}

}  // namespace statespace::binding
