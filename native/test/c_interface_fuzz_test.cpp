/// Thousands of calls of the C interface, valid ones and spoilt ones, with exactly the memory that they claim. A valid
/// call succeeds; a refused one has written nothing; nothing reaches beyond its tensors (the sanitizers watch).
#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "c_interface_calls.h"
#include "tensor_source.h"

namespace statespace::test {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

/// Sizes and strides from nowhere. None is large and still walked row by row, which would take minutes.
int64_t hostile_number(Random& random) {
  constexpr int64_t numbers[] = {kLeast, kLeast + 1, -(int64_t{1} << 40), -3, -1, 0, 1, 2, 3, 17, int64_t{1} << 33,
                                 (int64_t{1} << 40) + 1, int64_t{1} << 52, int64_t{1} << 61, kMost - 1, kMost};
  return numbers[random.below(std::size(numbers))];
}

void spoil_tensor(Random& random, TableCall& call) {
  const auto position = static_cast<int32_t>(random.below(call.tensor_count));
  statespace_tensor tensor = call.tensor(position);
  const int64_t axis = random.below(STATESPACE_MAX_RANK);
  switch (random.below(6)) {
    case 0:
      tensor.shape[axis] = hostile_number(random);
      break;
    case 1:
      tensor.strides[axis] = hostile_number(random);
      break;
    case 2:
      tensor.rank = static_cast<int32_t>(random.below(12)) - 2;
      break;
    case 3:
      tensor.dtype = static_cast<int32_t>(random.below(12)) - 2;
      break;
    case 4:
      tensor = {};
      break;
    default:
      std::swap(tensor.shape[axis], tensor.shape[random.below(STATESPACE_MAX_RANK)]);
  }
  call.set_tensor(position, tensor);
}

/// An option, or a few bytes of one.
void spoil_option(Random& random, TableCall& call) {
  const auto at = static_cast<int64_t>(sizeof(size_t)) +
                  random.below(static_cast<int64_t>(call.first_tensor - sizeof(size_t)) / 4) * 4;
  constexpr int32_t options[] = {-1, 0, 1, 2, 3, 4, 1 << 30, std::numeric_limits<int32_t>::min()};
  const int32_t option = options[random.below(std::size(options))];
  std::memcpy(call.bytes.data() + at, &option, sizeof option);
}

/// The size that the structure says, and its bytes with it where such a size may be believed.
void spoil_size(Random& random, TableCall& call) {
  constexpr size_t lies[] = {0, 1, 7, 8, c_interface::kMostBytes + 1, std::numeric_limits<size_t>::max()};
  const size_t real = call.bytes.size();
  size_t size = lies[random.below(std::size(lies))];
  if (random.below(2) == 0) size = static_cast<size_t>(random.below(static_cast<int64_t>(2 * real)));
  if (size >= sizeof size && size <= c_interface::kMostBytes) {
    call.bytes.resize(size);
    if (size > real && random.below(2) == 0) call.bytes.back() = 1;
  }
  std::memcpy(call.bytes.data(), &size, sizeof size);
}

/// One tensor at the address of another, or a byte beside its own.
void spoil_address(Random& random, TableCall& call) {
  const auto position = static_cast<int32_t>(random.below(call.tensor_count));
  statespace_tensor tensor = call.tensor(position);
  if (tensor.data == nullptr) return;
  if (random.below(2) == 0) {
    tensor.data = nullptr;
  } else if (tensor.rank > 0) {
    // Misaligned by a byte it is refused before it is read.
    tensor.data = static_cast<char*>(tensor.data) + 1;
  }
  call.set_tensor(position, tensor);
}

bool well_formed(const TableCall& call, int32_t status) {
  char text[256];
  const std::string message = c_interface::StatusMessage(status, text, sizeof text);
  const int32_t reason = STATESPACE_REASON(status);
  return reason >= STATESPACE_BAD_STRUCT && reason <= STATESPACE_UNSUPPORTED &&
         message.starts_with(c_interface::NamesOf(call.form).function) && message.find("unknown") == std::string::npos;
}

/// Whether the call was accepted.
bool try_call(Random& random, bool spoilt) {
  DrawnCall drawn = draw_call(random);
  TableCall& call = drawn.call;
  CHECK(c_interface::NamesOf(call.form).tensors.size() == static_cast<size_t>(call.tensor_count));
  const int64_t spoils = spoilt ? 1 + random.below(2) : 0;
  const int64_t kind = random.below(8);
  for (int64_t i = 0; i < spoils && kind < 5; ++i) spoil_tensor(random, call);
  if (spoilt && kind == 5) spoil_option(random, call);
  const std::vector<Room> rooms = give_memory(random, drawn);
  if (spoilt && kind == 6) spoil_size(random, call);
  if (spoilt && kind == 7) spoil_address(random, call);

  // On the heap and no larger than the structure, so that reading beyond it is seen.
  const std::unique_ptr<char[]> given(new char[call.bytes.size()]);
  std::memcpy(given.get(), call.bytes.data(), call.bytes.size());
  const int32_t status = call.run(given.get());
  CHECK(std::memcmp(given.get(), call.bytes.data(), call.bytes.size()) == 0);
  if (!spoilt && !CHECK(status == STATESPACE_OK)) {
    char text[256];
    std::printf("%s\n", c_interface::StatusMessage(status, text, sizeof text));
  }
  if (status != STATESPACE_OK) CHECK(well_formed(call, status));
  for (int32_t position = 0; position < call.tensor_count; ++position) {
    const Room& room = rooms[static_cast<size_t>(position)];
    if (room.bytes == 0 || (status == STATESPACE_OK && call.written(position))) continue;
    CHECK(STATESPACE_REASON(status) == STATESPACE_OUT_OF_MEMORY ||
          std::memcmp(room.memory.get(), room.before.data(), room.bytes) == 0);
  }
  return status == STATESPACE_OK;
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  Random random(90);
  constexpr int kCalls = 20000;
  int accepted = 0;
  for (int i = 0; i < kCalls; ++i) accepted += try_call(random, i % 4 != 0);
  // Every fourth call is valid, and spoiling must not always spoil, nor ever so seldom.
  CHECK(accepted > kCalls / 4 && accepted < kCalls * 3 / 4);
  std::printf("%d of %d calls accepted\n", accepted, kCalls);
  return finish("c_interface_fuzz");
}
