/// Threads of the operating system, with the little that the claim pool needs of them.
///
/// Not std::thread: it throws where the system has no thread left to give, and kernels carry no exceptions.
#pragma once

#if defined(_WIN32)
#include <cstdint>
#else
#include <pthread.h>
#endif

namespace statespace {

#if defined(_WIN32)
using SystemThread = uintptr_t;
#else
using SystemThread = pthread_t;
#endif

/// Runs body(context) on a new thread; false when there is none to be had. `join_thread` must follow. Signals of the
/// process are never delivered to it: they belong to the threads of the host program.
bool start_thread(SystemThread& thread, void (*body)(void*) noexcept, void* context) noexcept;

/// Waits for the end of the thread.
void join_thread(SystemThread thread) noexcept;

/// Lets another thread run on this CPU.
void yield_thread() noexcept;

/// Has `forget` called in every child of a fork, which starts with the calling thread alone.
void call_in_forked_child(void (*forget)()) noexcept;

}  // namespace statespace
