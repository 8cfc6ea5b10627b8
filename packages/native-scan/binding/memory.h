/// Reference-counted blocks of 64-byte aligned memory that JavaScript sees as external ArrayBuffers.
///
/// A block lives as long as anybody uses it: the ArrayBuffer's backing store, and every asynchronous call that
/// works on it. Freed blocks wait in a cache for the next allocation of the same size. The registry of blocks is
/// one per process, since a library is loaded once for all Node environments; it is never destroyed, because
/// worker threads may outlive static destructors.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace statespace::binding {

struct Block;

/// The live block whose memory begins at `base`, with one more reference; null when `base` is not ours.
Block* RetainBlock(const void* base);
void ReleaseBlock(Block* block);

/// allocate(bytes): ArrayBuffer, uninitialised, or a refusal code.
napi_value Allocate(napi_env env, napi_callback_info info);
/// release(buffer): boolean. Detaches an ArrayBuffer of `allocate` and gives its block back at once; false when
/// it is not ours, or no longer attached.
napi_value Release(napi_env env, napi_callback_info info);
/// trimMemory(): frees cached blocks and the kernels' scratch memory.
napi_value TrimMemory(napi_env env, napi_callback_info info);
/// memoryStats(): [bytes in use, bytes cached, blocks in use], of the whole process.
napi_value MemoryStats(napi_env env, napi_callback_info info);

}  // namespace statespace::binding
