/// A stack of its own and the place where its work stopped: threads that give way to one another by themselves.
#pragma once

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace statespace::emulation {

/// Where the work of a stack goes on.
struct Fibre {
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  /// The portable way, several times slower: it saves the signal mask too.
  ucontext_t context;
#endif
  char* stack = nullptr;
  size_t stack_bytes = 0;
  /// What AddressSanitizer keeps of a stack that is not in use.
  void* fake_stack = nullptr;
};

/// Sets `fibre`, whose stack is given, so that the first switch to it calls entry(); entry must never return.
void prepare_fibre(Fibre& fibre, void (*entry)()) noexcept;

/// Leaves `from`, which is at work, for `to`; comes back when somebody switches to `from`. `last` when `from` never works again.
void switch_fibre(Fibre& from, Fibre& to, bool last) noexcept;

/// The first thing entry() does: `from` is the fibre that work came from.
void enter_fibre(Fibre& from) noexcept;

}  // namespace statespace::emulation
