#include "gemm_arguments.h"

namespace statespace {

Status check_gemm(const GemmArgs& args) noexcept {
  if (args.batch < 0 || args.m < 0 || args.n < 0 || args.k < 0) return Status::kBadArgument;
  if (args.accumulate && args.activation != Activation::kNone) return Status::kBadArgument;
  if (args.batch == 0 || args.m == 0 || args.n == 0) return Status::kOk;
  if (args.out == nullptr || args.out_row_stride < args.n) return Status::kBadArgument;
  return args.k == 0 || (args.a != nullptr && args.b != nullptr) ? Status::kOk : Status::kBadArgument;
}

GemmArgs merge_batch(GemmArgs args) noexcept {
  const bool rows_continue = args.a_batch_stride == args.m * args.a_row_stride &&
                             args.out_batch_stride == args.m * args.out_row_stride;
  if (args.batch > 1 && args.b_batch_stride == 0 && !args.transpose_a && rows_continue) {
    args.m *= args.batch;
    args.batch = 1;
  }
  return args;
}

}  // namespace statespace
