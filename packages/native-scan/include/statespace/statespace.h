/* The kernels of @statespace/native-scan for other native addons: a table of functions on raw pointers.
 *
 * JavaScript hands over the table once, as the value of `nativeInterface()`; statespace/node.h takes it out. After that
 * no JavaScript is in between: any thread may call any function at any time. C99 and C++ read this file; it needs
 * nothing but the standard headers below.
 *
 * Rules of every call
 *   - The argument structure begins with `size`, its sizeof as the caller was compiled; set everything else to zero
 *     first. A structure grows at its end only: bytes that the library does not know must be zero, and members that the
 *     caller does not know are absent. `size` may also end before any tensor: that one and those behind it are absent.
 *   - A call reads and writes the entries of its tensors and nothing else, and keeps no pointer beyond its return.
 *   - It answers a status: STATESPACE_OK, or a refusal before anything was written (STATESPACE_OUT_OF_MEMORY may leave
 *     outputs half written). It never throws, prints or ends the process, whatever the numbers in its arguments are.
 *     Addresses it has to trust.
 *   - No output shares memory with another tensor of the call, and no two entries of an output share memory.
 *   - Results have the same bits for every number of threads.
 *
 * Letters: B batch, L length, D channels, N d_state, G groups, H heads, P head_dim, W width, S rows of states: B, or as
 * many as sequences are packed into one row. "optional" tensors may be absent.
 */
#ifndef STATESPACE_STATESPACE_H
#define STATESPACE_STATESPACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a member or its meaning changes; not for what is new at the end of a structure. */
#define STATESPACE_ABI_VERSION 1

/* Type tag (napi_type_tag) of the External that holds the table. */
#define STATESPACE_TYPE_TAG_LOWER UINT64_C(0x9d3b1c7e42f84a06)
#define STATESPACE_TYPE_TAG_UPPER UINT64_C(0xb15e60d8a7c92f34)

/* Why a call was refused: the low byte of a status. Above it stand the tensor and the function, for the message. */
enum statespace_reason {
  STATESPACE_OK = 0,
  /* No structure, a size of no version of it, or unknown bytes that are not zero. */
  STATESPACE_BAD_STRUCT = 1,
  /* A tensor is absent that is not optional, or has entries and no address. */
  STATESPACE_MISSING = 2,
  STATESPACE_WRONG_DTYPE = 3,
  /* A rank or a size that does not fit the others, or is negative. */
  STATESPACE_WRONG_SHAPE = 4,
  /* Sizes or strides beyond what memory can hold or the kernel takes. */
  STATESPACE_TOO_LARGE = 5,
  /* Gaps where the kernel takes none, or entries of an output that share memory. */
  STATESPACE_BAD_STRIDES = 6,
  /* The address is no multiple of the element size. */
  STATESPACE_MISALIGNED = 7,
  /* An output shares memory with another tensor. */
  STATESPACE_OVERLAP = 8,
  /* An option is outside its range, or groups do not divide what they share. */
  STATESPACE_BAD_OPTION = 9,
  /* A boundary, length or row is outside its range. */
  STATESPACE_BAD_INDEX = 10,
  STATESPACE_OUT_OF_MEMORY = 11,
  STATESPACE_UNSUPPORTED = 12
};
#define STATESPACE_REASON(status) ((status) & 0xff)

/* Element types. Complex entries are (re, im), and strides count entries. */
enum statespace_dtype {
  STATESPACE_F32 = 0,
  STATESPACE_F64 = 1,
  STATESPACE_F16 = 2,
  STATESPACE_BF16 = 3,
  STATESPACE_I32 = 4,
  STATESPACE_C64 = 5,
  STATESPACE_C128 = 6
};

enum statespace_activation { STATESPACE_NO_ACTIVATION = 0, STATESPACE_SILU = 1 };

/* What `sequence_indices` (i32) holds. */
enum statespace_sequences {
  /* Nothing: each batch row is a sequence. */
  STATESPACE_SEQUENCE_PER_ROW = 0,
  /* (S + 1) boundaries from 0 to L that ascend; B is 1. */
  STATESPACE_CU_SEQLENS = 1,
  /* (B, L) ids: equal neighbours are a sequence, negative ones padding. */
  STATESPACE_SEQ_IDX = 2,
  /* (B) steps of each row; those behind are padding. */
  STATESPACE_LENGTHS = 3
};

#define STATESPACE_MAX_RANK 6

/* Entry (i, j, ...) lies at data + (i * strides[0] + j * strides[1] + ...) entries; strides may be negative, and zero in
 * inputs. All zero: absent. Axes of size 1 may be left out, but for batch and length.
 *
 * Tensors with a length, (B, L, ...), take any strides and, with float32 arithmetic, f32, f16 and bf16, with float64
 * arithmetic f64 too. Other tensors are contiguous and of the call's arithmetic, but where it is said. */
typedef struct statespace_tensor {
  void* data;
  int32_t dtype; /* enum statespace_dtype */
  int32_t rank;
  int64_t shape[STATESPACE_MAX_RANK];
  int64_t strides[STATESPACE_MAX_RANK];
} statespace_tensor;

/* Selective scan of Mamba-1 (arXiv:2312.00752, algorithm 2), in float64 where A is f64 or c128, complex where it is c64 or
 * c128, when B, C and states are too and y takes 2 Re(C h).
 *   v = delta + delta_bias         Delta = delta_softplus ? log1p(exp v) : v
 *   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t]
 *   y[t] = sum_n C[t,n] h[t,n] + D u[t]          out[t] = z ? y[t] silu(z[t]) : y[t] */
typedef struct statespace_selective_scan_args {
  size_t size;
  int32_t delta_softplus; /* 0 or 1 */
  int32_t reverse;        /* 1: every sequence from its last step to its first */
  int32_t sequences;      /* enum statespace_sequences */
  int32_t reserved;       /* 0 */
  statespace_tensor u;                /* (B, L, D) */
  statespace_tensor delta;            /* (B, L, D) */
  statespace_tensor A;                /* (D, N), N at most 256 */
  statespace_tensor B;                /* (B, L, N), (B, L, G, N) or constant (D, N) */
  statespace_tensor C;                /* (B, L, N), (B, L, G, N) or constant (D, N) */
  statespace_tensor D;                /* (D), optional */
  statespace_tensor z;                /* (B, L, D), optional */
  statespace_tensor delta_bias;       /* (D), optional */
  statespace_tensor initial_state;    /* (S, D, N), optional */
  statespace_tensor sequence_indices; /* as `sequences` says */
  statespace_tensor out;              /* (B, L, D) */
  statespace_tensor last_state;       /* (S, D, N), optional */
  statespace_tensor checkpoints;      /* (rows, N, D), optional, f32 alone: states for the backward pass to start from */
} statespace_selective_scan_args;

/* Rows of `checkpoints`: one for each started chunk of this many steps of each sequence. More may be given; those that
 * are left over become 0. */
#define STATESPACE_CHECKPOINT_STEPS 16

/* Its gradients: each is optional, overwritten, and has the shape of its input. */
typedef struct statespace_selective_scan_backward_args {
  size_t size;
  int32_t delta_softplus;
  int32_t reverse;
  int32_t sequences;
  int32_t reserved;
  statespace_tensor u;
  statespace_tensor delta;
  statespace_tensor A;
  statespace_tensor B;
  statespace_tensor C;
  statespace_tensor D;
  statespace_tensor z;
  statespace_tensor delta_bias;
  statespace_tensor initial_state;
  statespace_tensor sequence_indices;
  statespace_tensor grad_out;        /* (B, L, D) */
  statespace_tensor grad_last_state; /* (S, D, N), optional */
  statespace_tensor grad_u;
  statespace_tensor grad_delta;
  statespace_tensor grad_A;
  statespace_tensor grad_B;
  statespace_tensor grad_C;
  statespace_tensor grad_D;
  statespace_tensor grad_z;
  statespace_tensor grad_delta_bias;
  statespace_tensor grad_initial_state;
  statespace_tensor checkpoints; /* those of the forward pass over the same inputs, optional: saves a sweep */
} statespace_selective_scan_backward_args;

/* Causal depthwise convolution, in float64 where the weight is f64.
 *   pre[t] = bias + sum_w weight[w] x[t - W + 1 + w]      out = silu(pre) or pre
 * Inputs before the first step come from initial_states, oldest first, or are zero. */
typedef struct statespace_causal_conv1d_args {
  size_t size;
  int32_t activation; /* enum statespace_activation */
  int32_t reverse;
  int32_t sequences;
  int32_t reserved;
  statespace_tensor x;              /* (B, L, D) */
  statespace_tensor weight;         /* (D, W), W from 1 to 4096 */
  statespace_tensor bias;           /* (D), optional */
  statespace_tensor initial_states; /* (S, D, W - 1), optional */
  statespace_tensor sequence_indices;
  statespace_tensor out;          /* (B, L, D) */
  statespace_tensor final_states; /* (S, D, W - 1), optional */
} statespace_causal_conv1d_args;

typedef struct statespace_causal_conv1d_backward_args {
  size_t size;
  int32_t activation;
  int32_t reverse;
  int32_t sequences;
  int32_t reserved;
  statespace_tensor x;
  statespace_tensor weight;
  statespace_tensor bias;
  statespace_tensor initial_states;
  statespace_tensor sequence_indices;
  statespace_tensor grad_out;          /* (B, L, D) */
  statespace_tensor grad_final_states; /* (S, D, W - 1), optional */
  statespace_tensor grad_x;
  statespace_tensor grad_weight;
  statespace_tensor grad_bias;
  statespace_tensor grad_initial_states;
} statespace_causal_conv1d_backward_args;

/* Chunked state-space-duality scan of Mamba-2 (arXiv:2405.21060, section 6); and, as `diagonal_ssd`, with a decay for
 * every state (arXiv:2510.04944, section 4). Both in float64 where A is f64.
 *   v = dt + dt_bias     Delta = clamp(dt_softplus ? log1p(exp v) : v, dt_min, dt_max)
 *   H[t] = exp(Delta[t] A) H[t-1] + Delta[t] x[t] B[t]'      (P, N) per head
 *   y[t] = H[t] C[t] + D x[t]        out[t] = z ? y[t] silu(z[t]) : y[t] */
typedef struct statespace_ssd_chunk_scan_args {
  size_t size;
  int32_t dt_softplus;
  int32_t has_dt_limit; /* 0: dt_min and dt_max are 0 and mean 0 and infinity */
  int32_t reverse;
  int32_t sequences;
  int64_t chunk_size; /* steps, 0: 64; results do not depend on it beyond rounding */
  double dt_min;
  double dt_max;
  statespace_tensor x;              /* (B, L, H, P) */
  statespace_tensor dt;             /* (B, L, H) */
  statespace_tensor A;              /* (H); diagonal_ssd: (H, N) */
  statespace_tensor B;              /* (B, L, N) or (B, L, G, N) */
  statespace_tensor C;              /* as B */
  statespace_tensor D;              /* (H) or (H, P), optional */
  statespace_tensor z;              /* (B, L, H, P), optional */
  statespace_tensor dt_bias;        /* (H), optional */
  statespace_tensor initial_states; /* (S, H, P, N), optional */
  statespace_tensor sequence_indices;
  statespace_tensor out;          /* (B, L, H, P) */
  statespace_tensor final_states; /* (S, H, P, N), optional */
} statespace_ssd_chunk_scan_args;

typedef struct statespace_ssd_chunk_scan_backward_args {
  size_t size;
  int32_t dt_softplus;
  int32_t has_dt_limit;
  int32_t reverse;
  int32_t sequences;
  int64_t chunk_size;
  double dt_min;
  double dt_max;
  statespace_tensor x;
  statespace_tensor dt;
  statespace_tensor A;
  statespace_tensor B;
  statespace_tensor C;
  statespace_tensor D;
  statespace_tensor z;
  statespace_tensor dt_bias;
  statespace_tensor initial_states;
  statespace_tensor sequence_indices;
  statespace_tensor grad_out;          /* (B, L, H, P) */
  statespace_tensor grad_final_states; /* (S, H, P, N), optional */
  statespace_tensor grad_x;
  statespace_tensor grad_dt;
  statespace_tensor grad_A;
  statespace_tensor grad_B;
  statespace_tensor grad_C;
  statespace_tensor grad_D;
  statespace_tensor grad_z;
  statespace_tensor grad_dt_bias;
  statespace_tensor grad_initial_states;
} statespace_ssd_chunk_scan_backward_args;

/* One step of decoding, in float64 where A is f64: Delta as above, h <- exp(Delta A) h + Delta x B,
 * out = <C, h> + D x, times silu(z). Tensors are of the call's arithmetic. A state of rank 3 is Mamba-1's: H = D, P = 1.
 * x, dt, B, C and z may have gaps between batch rows. */
typedef struct statespace_selective_state_update_args {
  size_t size;
  int32_t dt_softplus;
  int32_t has_dt_limit;
  double dt_min;
  double dt_max;
  statespace_tensor state;               /* (rows, D, N) or (rows, H, P, N), changed in place; rows >= B without indices */
  statespace_tensor x;                   /* (B, D) or (B, H, P) */
  statespace_tensor dt;                  /* (B, H) or (B, H, P) */
  statespace_tensor A;                   /* (H), (D, N) or (H, P, N) */
  statespace_tensor B;                   /* (B, N) or (B, G, N) */
  statespace_tensor C;                   /* as B */
  statespace_tensor D;                   /* (H) or (H, P), optional */
  statespace_tensor z;                   /* as x, optional */
  statespace_tensor dt_bias;             /* (H) or (H, P), optional */
  statespace_tensor state_batch_indices; /* i32 (B), optional: rows of state; negative: padding, output 0 */
  statespace_tensor out;                 /* as x, contiguous */
} statespace_selective_state_update_args;

/* Steps of the convolution in decoding, in float64 where the weight is f64; x enters the state. Without cache_seqlens the
 * state holds its inputs oldest first; with them it is a ring: the input of step s stands at s mod S. */
typedef struct statespace_causal_conv1d_update_args {
  size_t size;
  int32_t activation;
  int32_t reserved;
  statespace_tensor x;                  /* (B, L, D), of the call's arithmetic, unit stride along D */
  statespace_tensor conv_state;         /* (rows, D, S), S >= W - 1, changed in place */
  statespace_tensor weight;             /* (D, W) */
  statespace_tensor bias;               /* (D), optional */
  statespace_tensor cache_seqlens;      /* i32 (B), optional: steps so far, not negative */
  statespace_tensor conv_state_indices; /* i32 (B), optional; negative: padding, output 0 */
  statespace_tensor out;                /* (B, L, D), contiguous */
} statespace_causal_conv1d_update_args;

/* Matrix product in float32: out = activation(op(a) op(b) + bias), or out += op(a) op(b) + bias with `accumulate`, which
 * takes no activation. op transposes where it is asked to. Rows have unit stride; matrices without a batch axis serve
 * every member of the batch. */
typedef struct statespace_sgemm_args {
  size_t size;
  int32_t transpose_a;
  int32_t transpose_b;
  int32_t accumulate;
  int32_t activation;
  statespace_tensor a;    /* (M, K), or (K, M) to be transposed; or (B, ...) */
  statespace_tensor b;    /* (K, N), or (N, K) to be transposed; or (B, ...) */
  statespace_tensor out;  /* (M, N) or (B, M, N) */
  statespace_tensor bias; /* (N), optional */
} statespace_sgemm_args;

/* The table. It stays as long as the JavaScript environment that handed it over. */
typedef struct statespace_interface {
  size_t size; /* of the table, as the library has it */
  int32_t abi_version;
  int32_t reserved;
  /* Writes what `status` means, with function and tensor, and returns `text`; at most `capacity` bytes, the closing zero
   * among them. Without room it returns "". */
  const char* (*status_message)(int32_t status, char* text, size_t capacity);
  int32_t (*selective_scan)(const statespace_selective_scan_args* args);
  int32_t (*selective_scan_backward)(const statespace_selective_scan_backward_args* args);
  int32_t (*causal_conv1d)(const statespace_causal_conv1d_args* args);
  int32_t (*causal_conv1d_backward)(const statespace_causal_conv1d_backward_args* args);
  int32_t (*ssd_chunk_scan)(const statespace_ssd_chunk_scan_args* args);
  int32_t (*ssd_chunk_scan_backward)(const statespace_ssd_chunk_scan_backward_args* args);
  int32_t (*diagonal_ssd)(const statespace_ssd_chunk_scan_args* args);
  int32_t (*diagonal_ssd_backward)(const statespace_ssd_chunk_scan_backward_args* args);
  int32_t (*selective_state_update)(const statespace_selective_state_update_args* args);
  int32_t (*causal_conv1d_update)(const statespace_causal_conv1d_update_args* args);
  int32_t (*sgemm)(const statespace_sgemm_args* args);
} statespace_interface;

/* Whether the library has `member`, for members that came after version 1 of the table. */
#define STATESPACE_HAS(table, member) \
  (offsetof(statespace_interface, member) + sizeof((table)->member) <= (table)->size)

/* A contiguous tensor; `rank` sizes. A rank out of range makes a tensor that every call refuses. */
static inline statespace_tensor statespace_make_tensor(void* data, int32_t dtype, int32_t rank, const int64_t* shape) {
  statespace_tensor tensor;
  uint64_t stride = 1;
  int32_t axis;
  tensor.data = data;
  tensor.dtype = dtype;
  tensor.rank = rank;
  for (axis = STATESPACE_MAX_RANK - 1; axis >= 0; --axis) {
    tensor.shape[axis] = axis < rank ? shape[axis] : 0;
    tensor.strides[axis] = axis < rank ? (int64_t)stride : 0;
    if (axis < rank) stride *= (uint64_t)shape[axis];
  }
  return tensor;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STATESPACE_STATESPACE_H */
