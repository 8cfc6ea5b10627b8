/// Prints the machine's limits as one JSON object, for bench/: rates of STATESPACE_ISA on STATESPACE_THREADS threads.
///
///   bench_probes [fma]     fma: without the triads, which depend on the instruction set but little
#include <cstdio>
#include <cstring>

#include "statespace/runtime.h"
#include "timing.h"

int main(int argc, char** argv) {
  using namespace statespace;
  if (isa_request() != Status::kOk) {
    std::fprintf(stderr, "STATESPACE_ISA names an instruction set that this machine or this build lacks\n");
    return 1;
  }
  std::printf("{\"isa\": \"%s\", \"fmaGflops\": %.2f", isa_name(), bench::fma_peak());
  if (argc < 2 || std::strcmp(argv[1], "fma") != 0) {
    std::printf(", \"triadGBs\": %.2f, \"streamTriadGBs\": %.2f", bench::triad_rate(), bench::stream_triad_rate());
  }
  std::printf("}\n");
  return 0;
}
