/// The threads of system_thread.h, on POSIX systems and on Windows.
#include "system_thread.h"

#include <new>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <process.h>
#include <windows.h>
#else
#include <sched.h>
#include <signal.h>
#endif

namespace statespace {
namespace {

/// Carried to the new thread, which frees it.
struct Start {
  void (*body)(void*) noexcept;
  void* context;
};

void run(void* raw) noexcept {
  const Start start = *static_cast<Start*>(raw);
  delete static_cast<Start*>(raw);
  start.body(start.context);
}

#if defined(_WIN32)
unsigned __stdcall thread_main(void* raw) noexcept {
  run(raw);
  return 0;
}
#else
void* thread_main(void* raw) noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  run(raw);
  return nullptr;
}
#endif

}  // namespace

bool start_thread(SystemThread& thread, void (*body)(void*) noexcept, void* context) noexcept {
  auto* start = new (std::nothrow) Start{body, context};
  if (start == nullptr) return false;
#if defined(_WIN32)
  thread = _beginthreadex(nullptr, 0, thread_main, start, 0, nullptr);
  const bool started = thread != 0;
#else
  const bool started = pthread_create(&thread, nullptr, thread_main, start) == 0;
#endif
  if (!started) delete start;
  return started;
}

void join_thread(SystemThread thread) noexcept {
#if defined(_WIN32)
  const HANDLE handle = reinterpret_cast<HANDLE>(thread);
  WaitForSingleObject(handle, INFINITE);
  CloseHandle(handle);
#else
  pthread_join(thread, nullptr);
#endif
}

void yield_thread() noexcept {
#if defined(_WIN32)
  SwitchToThread();
#else
  sched_yield();
#endif
}

void call_in_forked_child([[maybe_unused]] void (*forget)()) noexcept {
#if !defined(_WIN32)
  pthread_atfork(nullptr, nullptr, forget);
#endif
}

}  // namespace statespace
