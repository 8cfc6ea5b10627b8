#include "c_interface_calls.h"

#include <algorithm>
#include <array>

namespace statespace::test {
namespace {

using c_interface::Form;

statespace_tensor shaped(int32_t dtype, std::initializer_list<int64_t> sizes) {
  std::vector<int64_t> shape(sizes);
  return statespace_make_tensor(nullptr, dtype, static_cast<int32_t>(shape.size()), shape.data());
}

/// As `shaped`, sometimes with its axes stored in another order, with gaps or backwards.
statespace_tensor strided(Random& random, int32_t dtype, std::initializer_list<int64_t> sizes) {
  statespace_tensor tensor = shaped(dtype, sizes);
  const int64_t kind = random.below(4);
  if (kind == 0) return tensor;
  int64_t stride = kind == 1 ? 1 + random.below(3) : 1;
  for (int32_t i = 0; i < tensor.rank; ++i) {
    const int32_t axis = kind == 2 ? i : tensor.rank - 1 - i;
    tensor.strides[axis] = kind == 3 ? -stride : stride;
    stride *= std::max(tensor.shape[axis], int64_t{1});
    if (kind == 1) stride += random.below(3);
  }
  return tensor;
}

/// A format with a length.
int32_t sequence_type(Random& random, bool wide) {
  constexpr int32_t types[] = {STATESPACE_F32, STATESPACE_F16, STATESPACE_BF16, STATESPACE_F64};
  return types[random.below(wide ? 4 : 3)];
}

struct Sequences {
  int64_t state_rows;
  statespace_tensor tensor = {};
  std::vector<int32_t> values;
};

/// How sequences are marked off; sets `kind`, and `batch` to 1 where boundaries need it.
Sequences draw_sequences(Random& random, int64_t* batch, int64_t seq_len, int32_t* kind) {
  *kind = static_cast<int32_t>(random.below(4));
  Sequences sequences;
  if (*kind == STATESPACE_CU_SEQLENS) {
    *batch = 1;
    sequences.values = {0, static_cast<int32_t>(random.below(seq_len + 1)), static_cast<int32_t>(seq_len)};
    sequences.tensor = shaped(STATESPACE_I32, {3});
  } else if (*kind == STATESPACE_SEQ_IDX) {
    for (int64_t i = 0; i < *batch * seq_len; ++i) {
      sequences.values.push_back(static_cast<int32_t>(random.below(3)) - 1);
    }
    sequences.tensor = shaped(STATESPACE_I32, {*batch, seq_len});
  } else if (*kind == STATESPACE_LENGTHS) {
    for (int64_t b = 0; b < *batch; ++b) sequences.values.push_back(static_cast<int32_t>(random.below(seq_len + 1)));
    sequences.tensor = shaped(STATESPACE_I32, {*batch});
  }
  sequences.state_rows = *kind == STATESPACE_CU_SEQLENS ? 2 : *batch;
  return sequences;
}

int32_t coin(Random& random) { return static_cast<int32_t>(random.below(2)); }

/// `tensor`, or none.
statespace_tensor maybe(Random& random, const statespace_tensor& tensor) {
  return random.below(3) == 0 ? statespace_tensor{} : tensor;
}

template <typename Args>
void add_indices(DrawnCall& drawn, size_t offset, const Args&, std::vector<int32_t> values) {
  drawn.indices.emplace_back(static_cast<int32_t>((offset - drawn.call.first_tensor) / sizeof(statespace_tensor)),
                             std::move(values));
}

/// Inputs that both directions of the scan share.
template <typename Args>
std::vector<int32_t> draw_scan_inputs(Random& random, Args& a, int64_t sizes[5], int32_t* real) {
  int64_t B = random.below(4), L = random.below(40);
  const int64_t G = 1 + random.below(2), D = G * random.below(20), N = random.below(20);
  a.size = sizeof(Args);
  a.delta_softplus = coin(random);
  a.reverse = coin(random);
  const Sequences sequences = draw_sequences(random, &B, L, &a.sequences);
  const bool wide = coin(random) != 0, complex = random.below(4) == 0;
  *real = complex ? (wide ? STATESPACE_C128 : STATESPACE_C64) : (wide ? STATESPACE_F64 : STATESPACE_F32);
  const int32_t plain = wide ? STATESPACE_F64 : STATESPACE_F32;
  const auto row = [&] { return strided(random, sequence_type(random, wide), {B, L, D}); };
  const auto coefficient = [&] {
    const int64_t kind = random.below(3);
    const int32_t type = complex ? *real : sequence_type(random, wide);
    if (kind == 0) return shaped(*real, {D, N});
    return kind == 1 ? strided(random, type, {B, L, N}) : strided(random, type, {B, L, G, N});
  };
  a.u = row(), a.delta = row();
  a.A = shaped(*real, {D, N});
  a.B = coefficient(), a.C = coefficient();
  a.D = maybe(random, shaped(plain, {D}));
  a.z = maybe(random, row());
  a.delta_bias = maybe(random, shaped(plain, {D}));
  a.initial_state = maybe(random, shaped(*real, {sequences.state_rows, D, N}));
  a.sequence_indices = sequences.tensor;
  const int64_t drawn[] = {B, L, D, N, sequences.state_rows};
  std::copy(drawn, drawn + 5, sizes);
  return sequences.values;
}

/// Room for a sequence at every step, or more.
statespace_tensor draw_checkpoints(Random& random, const int64_t sizes[5]) {
  return shaped(STATESPACE_F32, {sizes[0] * sizes[1] + sizes[4] + random.below(3), sizes[3], sizes[2]});
}

DrawnCall draw_scan(Random& random) {
  statespace_selective_scan_args a = {};
  int64_t sizes[5];
  int32_t real = 0;
  auto values = draw_scan_inputs(random, a, sizes, &real);
  a.out = strided(random, sequence_type(random, real == STATESPACE_F64 || real == STATESPACE_C128),
                  {sizes[0], sizes[1], sizes[2]});
  a.last_state = maybe(random, shaped(real, {sizes[4], sizes[2], sizes[3]}));
  if (real == STATESPACE_F32) a.checkpoints = maybe(random, draw_checkpoints(random, sizes));
  DrawnCall drawn = {make_call<statespace_selective_scan_args, c_interface::SelectiveScan>(
                         Form::kSelectiveScan, a, offsetof(statespace_selective_scan_args, u)),
                     {}};
  add_indices(drawn, offsetof(statespace_selective_scan_args, sequence_indices), a, std::move(values));
  return drawn;
}

DrawnCall draw_scan_backward(Random& random) {
  using Args = statespace_selective_scan_backward_args;
  Args a = {};
  int64_t sizes[5];
  int32_t real = 0;
  auto values = draw_scan_inputs(random, a, sizes, &real);
  const bool wide = real == STATESPACE_F64 || real == STATESPACE_C128;
  const auto row = [&] { return strided(random, sequence_type(random, wide), {sizes[0], sizes[1], sizes[2]}); };
  a.grad_out = row();
  a.grad_last_state = maybe(random, shaped(real, {sizes[4], sizes[2], sizes[3]}));
  a.grad_u = maybe(random, row());
  a.grad_delta = maybe(random, row());
  a.grad_A = maybe(random, a.A);
  a.grad_B = maybe(random, a.B);
  a.grad_C = maybe(random, a.C);
  a.grad_D = maybe(random, shaped(wide ? STATESPACE_F64 : STATESPACE_F32, {sizes[2]}));
  if (a.z.rank > 0) a.grad_z = maybe(random, row());
  a.grad_delta_bias = maybe(random, shaped(wide ? STATESPACE_F64 : STATESPACE_F32, {sizes[2]}));
  a.grad_initial_state = maybe(random, shaped(real, {sizes[4], sizes[2], sizes[3]}));
  if (real == STATESPACE_F32) a.checkpoints = maybe(random, draw_checkpoints(random, sizes));
  DrawnCall drawn = {
      make_call<Args, c_interface::SelectiveScanBackward>(Form::kSelectiveScanBackward, a, offsetof(Args, u)), {}};
  add_indices(drawn, offsetof(Args, sequence_indices), a, std::move(values));
  return drawn;
}

template <typename Args>
std::vector<int32_t> draw_conv_inputs(Random& random, Args& a, int64_t sizes[5], int32_t* real) {
  int64_t B = random.below(4), L = random.below(40);
  const int64_t D = random.below(40), W = 1 + random.below(8);
  a.size = sizeof(Args);
  a.activation = coin(random);
  a.reverse = coin(random);
  const Sequences sequences = draw_sequences(random, &B, L, &a.sequences);
  *real = coin(random) != 0 ? STATESPACE_F64 : STATESPACE_F32;
  a.x = strided(random, sequence_type(random, *real == STATESPACE_F64), {B, L, D});
  a.weight = shaped(*real, {D, W});
  a.bias = maybe(random, shaped(*real, {D}));
  a.initial_states = maybe(random, shaped(*real, {sequences.state_rows, D, W - 1}));
  a.sequence_indices = sequences.tensor;
  const int64_t drawn[] = {B, L, D, W, sequences.state_rows};
  std::copy(drawn, drawn + 5, sizes);
  return sequences.values;
}

DrawnCall draw_conv(Random& random) {
  using Args = statespace_causal_conv1d_args;
  Args a = {};
  int64_t sizes[5];
  int32_t real = 0;
  auto values = draw_conv_inputs(random, a, sizes, &real);
  a.out = strided(random, sequence_type(random, real == STATESPACE_F64), {sizes[0], sizes[1], sizes[2]});
  a.final_states = maybe(random, shaped(real, {sizes[4], sizes[2], sizes[3] - 1}));
  DrawnCall drawn = {make_call<Args, c_interface::CausalConv1d>(Form::kCausalConv1d, a, offsetof(Args, x)), {}};
  add_indices(drawn, offsetof(Args, sequence_indices), a, std::move(values));
  return drawn;
}

DrawnCall draw_conv_backward(Random& random) {
  using Args = statespace_causal_conv1d_backward_args;
  Args a = {};
  int64_t sizes[5];
  int32_t real = 0;
  auto values = draw_conv_inputs(random, a, sizes, &real);
  const auto row = [&] {
    return strided(random, sequence_type(random, real == STATESPACE_F64), {sizes[0], sizes[1], sizes[2]});
  };
  a.grad_out = row();
  a.grad_final_states = maybe(random, shaped(real, {sizes[4], sizes[2], sizes[3] - 1}));
  a.grad_x = maybe(random, row());
  a.grad_weight = maybe(random, a.weight);
  a.grad_bias = maybe(random, shaped(real, {sizes[2]}));
  a.grad_initial_states = maybe(random, shaped(real, {sizes[4], sizes[2], sizes[3] - 1}));
  DrawnCall drawn = {
      make_call<Args, c_interface::CausalConv1dBackward>(Form::kCausalConv1dBackward, a, offsetof(Args, x)), {}};
  add_indices(drawn, offsetof(Args, sequence_indices), a, std::move(values));
  return drawn;
}

template <typename Args>
std::vector<int32_t> draw_ssd_inputs(Random& random, Args& a, bool diagonal, int64_t sizes[6], int32_t* real) {
  int64_t B = random.below(3), L = random.below(40);
  const int64_t G = 1 + random.below(2), H = G * random.below(3), P = random.below(9), N = random.below(9);
  a.size = sizeof(Args);
  a.dt_softplus = coin(random);
  a.has_dt_limit = coin(random);
  if (a.has_dt_limit != 0) a.dt_max = 1e300;
  a.reverse = coin(random);
  a.chunk_size = random.below(3) * 8;
  const Sequences sequences = draw_sequences(random, &B, L, &a.sequences);
  const bool wide = coin(random) != 0;
  *real = wide ? STATESPACE_F64 : STATESPACE_F32;
  const auto coefficient = [&] {
    const int32_t type = sequence_type(random, wide);
    return G == 1 && coin(random) != 0 ? strided(random, type, {B, L, N}) : strided(random, type, {B, L, G, N});
  };
  a.x = strided(random, sequence_type(random, wide), {B, L, H, P});
  a.dt = strided(random, sequence_type(random, wide), {B, L, H});
  a.A = diagonal ? shaped(*real, {H, N}) : shaped(*real, {H});
  a.B = coefficient(), a.C = coefficient();
  a.D = maybe(random, coin(random) != 0 ? shaped(*real, {H, P}) : shaped(*real, {H}));
  a.z = maybe(random, strided(random, sequence_type(random, wide), {B, L, H, P}));
  a.dt_bias = maybe(random, shaped(*real, {H}));
  a.initial_states = maybe(random, shaped(*real, {sequences.state_rows, H, P, N}));
  a.sequence_indices = sequences.tensor;
  const int64_t drawn[] = {B, L, H, P, N, sequences.state_rows};
  std::copy(drawn, drawn + 6, sizes);
  return sequences.values;
}

DrawnCall draw_ssd(Random& random) {
  using Args = statespace_ssd_chunk_scan_args;
  Args a = {};
  int64_t sizes[6];
  int32_t real = 0;
  const bool diagonal = coin(random) != 0;
  auto values = draw_ssd_inputs(random, a, diagonal, sizes, &real);
  const auto [B, L, H, P, N, S] = std::to_array({sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]});
  a.out = strided(random, sequence_type(random, real == STATESPACE_F64), {B, L, H, P});
  a.final_states = maybe(random, shaped(real, {S, H, P, N}));
  DrawnCall drawn = {
      diagonal ? make_call<Args, c_interface::DiagonalSsd>(Form::kDiagonalSsd, a, offsetof(Args, x))
               : make_call<Args, c_interface::SsdChunkScan>(Form::kSsdChunkScan, a, offsetof(Args, x)),
      {}};
  add_indices(drawn, offsetof(Args, sequence_indices), a, std::move(values));
  return drawn;
}

DrawnCall draw_ssd_backward(Random& random) {
  using Args = statespace_ssd_chunk_scan_backward_args;
  Args a = {};
  int64_t sizes[6];
  int32_t real = 0;
  const bool diagonal = coin(random) != 0;
  auto values = draw_ssd_inputs(random, a, diagonal, sizes, &real);
  const auto [B, L, H, P, N, S] = std::to_array({sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]});
  const bool wide = real == STATESPACE_F64;
  const auto row = [&] { return strided(random, sequence_type(random, wide), {B, L, H, P}); };
  a.grad_out = row();
  a.grad_final_states = maybe(random, shaped(real, {S, H, P, N}));
  a.grad_x = maybe(random, row());
  a.grad_dt = maybe(random, strided(random, sequence_type(random, wide), {B, L, H}));
  a.grad_A = maybe(random, a.A);
  a.grad_B = maybe(random, a.B);
  a.grad_C = maybe(random, a.C);
  a.grad_D = maybe(random, a.D.rank == 2 ? a.D : shaped(real, {H}));
  if (a.z.rank > 0) a.grad_z = maybe(random, row());
  a.grad_dt_bias = maybe(random, shaped(real, {H}));
  a.grad_initial_states = maybe(random, shaped(real, {S, H, P, N}));
  DrawnCall drawn = {
      diagonal ? make_call<Args, c_interface::DiagonalSsdBackward>(Form::kDiagonalSsdBackward, a, offsetof(Args, x))
               : make_call<Args, c_interface::SsdChunkScanBackward>(Form::kSsdChunkScanBackward, a, offsetof(Args, x)),
      {}};
  add_indices(drawn, offsetof(Args, sequence_indices), a, std::move(values));
  return drawn;
}

/// Rows of a state for `batch` calls, no row twice.
std::vector<int32_t> draw_rows(Random& random, int64_t batch) {
  std::vector<int32_t> rows;
  for (int64_t b = 0; b < batch; ++b) rows.push_back(random.below(5) == 0 ? -1 : static_cast<int32_t>(batch - 1 - b));
  return rows;
}

DrawnCall draw_update(Random& random) {
  using Args = statespace_selective_state_update_args;
  Args a = {};
  const bool mamba1 = coin(random) != 0;
  const int64_t B = random.below(4), G = 1 + random.below(2), H = G * random.below(20);
  const int64_t P = mamba1 ? 1 : random.below(9), N = random.below(20);
  const int32_t type = coin(random) != 0 ? STATESPACE_F64 : STATESPACE_F32;
  const auto inner = [&] { return mamba1 ? shaped(type, {B, H}) : shaped(type, {B, H, P}); };
  a.size = sizeof a;
  a.dt_softplus = coin(random);
  a.state = mamba1 ? shaped(type, {B, H, N}) : shaped(type, {B, H, P, N});
  a.x = inner();
  a.dt = coin(random) != 0 ? shaped(type, {B, H}) : shaped(type, {B, H, P});
  a.A = coin(random) != 0 ? shaped(type, {H}) : mamba1 ? shaped(type, {H, N}) : shaped(type, {H, P, N});
  a.B = shaped(type, {B, G, N}), a.C = shaped(type, {B, G, N});
  a.D = maybe(random, coin(random) != 0 ? shaped(type, {H}) : shaped(type, {H, P}));
  a.z = maybe(random, inner());
  a.dt_bias = maybe(random, shaped(type, {H}));
  a.state_batch_indices = maybe(random, shaped(STATESPACE_I32, {B}));
  a.out = inner();
  DrawnCall drawn = {
      make_call<Args, c_interface::SelectiveStateUpdate>(Form::kSelectiveStateUpdate, a, offsetof(Args, state)), {}};
  add_indices(drawn, offsetof(Args, state_batch_indices), a, draw_rows(random, B));
  return drawn;
}

DrawnCall draw_conv_update(Random& random) {
  using Args = statespace_causal_conv1d_update_args;
  Args a = {};
  const int64_t B = random.below(4), L = random.below(4), D = random.below(40), W = 1 + random.below(5);
  const int32_t type = coin(random) != 0 ? STATESPACE_F64 : STATESPACE_F32;
  a.size = sizeof a;
  a.activation = coin(random);
  a.x = shaped(type, {B, L, D});
  a.conv_state = shaped(type, {B, D, W - 1 + random.below(3)});
  a.weight = shaped(type, {D, W});
  a.bias = maybe(random, shaped(type, {D}));
  a.cache_seqlens = maybe(random, shaped(STATESPACE_I32, {B}));
  a.conv_state_indices = maybe(random, shaped(STATESPACE_I32, {B}));
  a.out = shaped(type, {B, L, D});
  DrawnCall drawn = {make_call<Args, c_interface::CausalConv1dUpdate>(Form::kCausalConv1dUpdate, a, offsetof(Args, x)),
                     {}};
  std::vector<int32_t> lengths;
  for (int64_t b = 0; b < B; ++b) lengths.push_back(static_cast<int32_t>(random.below(1000)));
  add_indices(drawn, offsetof(Args, cache_seqlens), a, std::move(lengths));
  add_indices(drawn, offsetof(Args, conv_state_indices), a, draw_rows(random, B));
  return drawn;
}

DrawnCall draw_sgemm(Random& random) {
  using Args = statespace_sgemm_args;
  Args a = {};
  const int64_t B = 1 + random.below(3), M = random.below(40), N = random.below(40), K = random.below(40);
  const auto type = STATESPACE_F32;
  a.size = sizeof a;
  a.transpose_a = coin(random);
  a.transpose_b = coin(random);
  a.accumulate = coin(random);
  if (a.accumulate == 0) a.activation = coin(random);
  a.a = a.transpose_a != 0 ? shaped(type, {B, K, M}) : shaped(type, {B, M, K});
  a.b = a.transpose_b != 0 ? shaped(type, {N, K}) : shaped(type, {K, N});
  a.out = shaped(type, {B, M, N});
  a.bias = maybe(random, shaped(type, {N}));
  return {make_call<Args, c_interface::Sgemm>(Form::kSgemm, a, offsetof(Args, a)), {}};
}

}  // namespace

DrawnCall draw_call(Random& random) {
  constexpr DrawnCall (*draws[])(Random&) = {draw_scan, draw_scan_backward, draw_conv,        draw_conv_backward, draw_ssd,
                                             draw_ssd_backward, draw_update, draw_conv_update, draw_sgemm};
  return draws[random.below(std::size(draws))](random);
}

std::vector<Room> give_memory(Random& random, DrawnCall& drawn) {
  TableCall& call = drawn.call;
  std::vector<Room> rooms(static_cast<size_t>(call.tensor_count));
  for (int32_t position = 0; position < call.tensor_count; ++position) {
    statespace_tensor tensor = call.tensor(position);
    if (tensor.rank < 1 || tensor.rank > STATESPACE_MAX_RANK) continue;
    __extension__ using Wide = __int128;
    const auto size = static_cast<Wide>(bytes_of(tensor.dtype));
    Wide lowest = 0, highest = 0;
    bool empty = false;
    for (int32_t axis = 0; axis < tensor.rank; ++axis) {
      if (tensor.shape[axis] <= 0) empty = true;
      const Wide reach = (static_cast<Wide>(tensor.shape[axis]) - 1) * tensor.strides[axis];
      (reach < 0 ? lowest : highest) += reach;
    }
    if (empty) lowest = 0, highest = -1;
    const Wide bytes = (highest - lowest + 1) * size;
    if (bytes > kLargestRoom) continue;
    Room& room = rooms[static_cast<size_t>(position)];
    room.bytes = static_cast<size_t>(bytes);
    room.memory.reset(new char[room.bytes]);
    for (size_t i = 0; i < room.bytes; ++i) room.memory[i] = static_cast<char>(random.below(64));
    for (const auto& [at, values] : drawn.indices) {
      if (at == position && !values.empty()) std::memcpy(room.memory.get(), values.data(), std::min(room.bytes, values.size() * 4));
    }
    room.before.assign(room.memory.get(), room.memory.get() + room.bytes);
    tensor.data = room.memory.get() - static_cast<int64_t>(lowest * size);
    call.set_tensor(position, tensor);
  }
  return rooms;
}

}  // namespace statespace::test
