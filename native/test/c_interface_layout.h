/* What other addons were compiled with: sizes and offsets of statespace.h, checked in every language that reads it. */
#include "statespace/statespace.h"

/* An array of negative length where `holds` is false: C99 has no assertion of its own. */
#define LAYOUT(name, holds) typedef char layout_of_##name[(holds) ? 1 : -1]

LAYOUT(pointers, sizeof(void*) == 8);
LAYOUT(tensor, sizeof(statespace_tensor) == 112);
LAYOUT(tensor_dtype, offsetof(statespace_tensor, dtype) == 8);
LAYOUT(tensor_shape, offsetof(statespace_tensor, shape) == 16);
LAYOUT(tensor_strides, offsetof(statespace_tensor, strides) == 64);

#define TENSORS(count) ((count) * sizeof(statespace_tensor))
LAYOUT(scan, sizeof(statespace_selective_scan_args) == 24 + TENSORS(13));
LAYOUT(scan_out, offsetof(statespace_selective_scan_args, out) == 24 + TENSORS(10));
LAYOUT(scan_backward, sizeof(statespace_selective_scan_backward_args) == 24 + TENSORS(22));
LAYOUT(conv, sizeof(statespace_causal_conv1d_args) == 24 + TENSORS(7));
LAYOUT(conv_backward, sizeof(statespace_causal_conv1d_backward_args) == 24 + TENSORS(11));
LAYOUT(ssd, sizeof(statespace_ssd_chunk_scan_args) == 48 + TENSORS(12));
LAYOUT(ssd_chunk, offsetof(statespace_ssd_chunk_scan_args, chunk_size) == 24);
LAYOUT(ssd_backward, sizeof(statespace_ssd_chunk_scan_backward_args) == 48 + TENSORS(21));
LAYOUT(update, sizeof(statespace_selective_state_update_args) == 32 + TENSORS(11));
LAYOUT(conv_update, sizeof(statespace_causal_conv1d_update_args) == 16 + TENSORS(7));
LAYOUT(sgemm, sizeof(statespace_sgemm_args) == 24 + TENSORS(4));
LAYOUT(table, sizeof(statespace_interface) == 16 + 12 * sizeof(void (*)(void)));
LAYOUT(table_message, offsetof(statespace_interface, status_message) == 16);
LAYOUT(table_sgemm, offsetof(statespace_interface, sgemm) == 16 + 11 * sizeof(void (*)(void)));
