/// The functions behind include/statespace/statespace.h.
#pragma once

#include "../include/statespace/statespace.h"

namespace statespace::c_interface {

/// The table that nativeInterface() hands over; never freed or changed.
const statespace_interface& Interface() noexcept;

const char* StatusMessage(int32_t status, char* text, size_t capacity) noexcept;

int32_t SelectiveScan(const statespace_selective_scan_args* args) noexcept;
int32_t SelectiveScanBackward(const statespace_selective_scan_backward_args* args) noexcept;
int32_t CausalConv1d(const statespace_causal_conv1d_args* args) noexcept;
int32_t CausalConv1dBackward(const statespace_causal_conv1d_backward_args* args) noexcept;
int32_t SsdChunkScan(const statespace_ssd_chunk_scan_args* args) noexcept;
int32_t SsdChunkScanBackward(const statespace_ssd_chunk_scan_backward_args* args) noexcept;
int32_t DiagonalSsd(const statespace_ssd_chunk_scan_args* args) noexcept;
int32_t DiagonalSsdBackward(const statespace_ssd_chunk_scan_backward_args* args) noexcept;
int32_t SelectiveStateUpdate(const statespace_selective_state_update_args* args) noexcept;
int32_t CausalConv1dUpdate(const statespace_causal_conv1d_update_args* args) noexcept;
int32_t Sgemm(const statespace_sgemm_args* args) noexcept;

}  // namespace statespace::c_interface
