#include "emulation/fibre.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace statespace::emulation {

#if defined(__x86_64__)
namespace {

/// Saves what a function must keep, puts the stack pointer into *save, and goes on where `load` was saved.
extern "C" void statespace_switch_stack(void** save, void* load);
asm(R"(
  .text
  .globl statespace_switch_stack
  .hidden statespace_switch_stack
  .type statespace_switch_stack, @function
statespace_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size statespace_switch_stack, .-statespace_switch_stack
)");

}  // namespace
#endif

void prepare_fibre(Fibre& fibre, void (*entry)()) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  // What entry() of the last run marked around its variables still stands there, since it never returned.
  ASAN_UNPOISON_MEMORY_REGION(fibre.stack, fibre.stack_bytes);
#endif
#if defined(__x86_64__)
  // The stack as statespace_switch_stack leaves it: six registers and the address that it returns to, which is where
  // entry() begins. The word above stands for entry's own return address, so that its frame is aligned as after a call.
  auto* top = reinterpret_cast<void**>(fibre.stack + fibre.stack_bytes) - 1;
  top[0] = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  fibre.stack_pointer = top;
#else
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = fibre.stack;
  fibre.context.uc_stack.ss_size = fibre.stack_bytes;
  fibre.context.uc_link = nullptr;
  makecontext(&fibre.context, entry, 0);
#endif
  fibre.fake_stack = nullptr;
}

void switch_fibre(Fibre& from, Fibre& to, [[maybe_unused]] bool last) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.stack, to.stack_bytes);
#endif
#if defined(__x86_64__)
  statespace_switch_stack(&from.stack_pointer, to.stack_pointer);
#else
  swapcontext(&from.context, &to.context);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

void enter_fibre([[maybe_unused]] Fibre& from) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  const void* stack = nullptr;
  __sanitizer_finish_switch_fiber(nullptr, &stack, &from.stack_bytes);
  from.stack = static_cast<char*>(const_cast<void*>(stack));
#endif
}

}  // namespace statespace::emulation
