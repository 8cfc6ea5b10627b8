/// main of a program whose test is compiled for one instruction set: this file is not, and asks the machine first.
#include <cstdio>

#include "check.h"

int main() {
  if (statespace::cpu_kernels_for(STATESPACE_ISA_TEXT) == nullptr) {
    std::printf("this machine lacks %s: skipped\n", STATESPACE_ISA_TEXT);
    return statespace::test::kSkipped;
  }
  return statespace::test::isa_test();
}
