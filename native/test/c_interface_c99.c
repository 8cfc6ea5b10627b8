/* The header read by a C99 compiler, and a call from C: a decay of one half, fed with 1, 2 and 3. */
#include <stdio.h>

#include "c_interface_layout.h"

const statespace_interface* statespace_test_interface(void);

static int failures = 0;

static void check(int holds, const char* what) {
  if (holds) return;
  ++failures;
  printf("%s\n", what);
}

int main(void) {
  const statespace_interface* table = statespace_test_interface();
  const int64_t steps[3] = {1, 3, 1}, rates[2] = {1, 1};
  float u[3] = {1, 2, 3}, ones[3] = {1, 1, 1}, rate = -0.69314718f, out[3] = {0, 0, 0};
  statespace_selective_scan_args args = {0};
  char text[128];
  int32_t status;
  args.size = sizeof args;
  args.u = statespace_make_tensor(u, STATESPACE_F32, 3, steps);
  args.delta = statespace_make_tensor(ones, STATESPACE_F32, 3, steps);
  args.A = statespace_make_tensor(&rate, STATESPACE_F32, 2, rates);
  args.B = statespace_make_tensor(ones, STATESPACE_F32, 3, steps);
  args.C = statespace_make_tensor(ones, STATESPACE_F32, 3, steps);
  args.out = statespace_make_tensor(out, STATESPACE_F32, 3, steps);

  check(table->abi_version == STATESPACE_ABI_VERSION, "the version of the table");
  check(table->size == sizeof *table && STATESPACE_HAS(table, sgemm), "the size of the table");
  status = table->selective_scan(&args);
  check(status == STATESPACE_OK, table->status_message(status, text, sizeof text));
  check(out[0] > 0.99999f && out[0] < 1.00001f, "step 0");
  check(out[1] > 2.49999f && out[1] < 2.50001f, "step 1");
  check(out[2] > 4.24999f && out[2] < 4.25001f, "step 2");
  check(STATESPACE_REASON(table->sgemm(NULL)) == STATESPACE_BAD_STRUCT, "no structure");
  return failures == 0 ? 0 : 1;
}
