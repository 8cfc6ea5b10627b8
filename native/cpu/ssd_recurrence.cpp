/// The SSD scans in double, forward, step by step: one decay per head, or one per head and state.
///
///   H[t] = exp(Delta[t] A) H[t-1] + Delta[t] x[t] B[t]'      out[t] = (H[t] C[t] + D x[t]) silu(z[t])
///
/// Oracles: packages/ssd-core ssdRecurrentRef and diagonalSsdRef. An item of work is one head of one sequence.
#include "ssd_recurrence.h"

#include "isa_kernels.h"
#include "parallel.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

template <typename Args>
void forward_head(const Args& a, const SequenceSpan& span, int64_t head, double* memory) noexcept {
  HeadRows<Args> rows(a, head, memory);
  double* state = memory + HeadRows<Args>::size(a);
  const int64_t P = rows.P;
  load_head_state(a, a.initial_states, span.initial_row, head, state);
  for (int64_t begin = span.begin; begin < span.end; begin += kPiece) {
    const int64_t q = smaller(kPiece, span.end - begin);
    rows.load(a, span, begin, q);
    if (a.z.data != nullptr) rows.load_channels(a.z, a, span, begin, q, rows.z);
    for (int64_t t = 0; t < q; ++t) {
      rows.template advance<true>(t, state, state);
      for (int64_t p = 0; p < a.head_dim; ++p) rows.y[t * P + p] += skip_of(a, head, p) * rows.x[t * P + p];
      for (int64_t p = 0; p < P && a.z.data != nullptr; p += kDoubleLanes) {
        double* y = rows.y + t * P + p;
        store_vector<double>(y, load_vector(y) * real_silu<double>(load_vector(rows.z + t * P + p)));
      }
    }
    write_rows(rows.y, P, a.out, {span.batch, begin, q, head * a.head_dim, a.head_dim, a.head_dim});
  }
  store_head_state(a, state, span.final_row, head, a.final_states);
}

template <typename Args>
Status forward(const Args& args) noexcept {
  const Status status = check_recurrence(args);
  if (status != Status::kOk) return status;
  if (args.batch == 0 || args.n_heads == 0 || args.head_dim == 0) return Status::kOk;
  if (args.seq_len > 0 && args.out.data == nullptr) return Status::kBadArgument;
  clear_padding(args.sequences, args.out, args.n_heads, args.head_dim);
  const int64_t items = sequence_count(args) * args.n_heads;
  const int64_t size = HeadRows<Args>::size(args) + args.d_state * round_up(args.head_dim, kDoubleLanes);
  const int32_t workers = static_cast<int32_t>(smaller<int64_t>(worker_limit(), larger<int64_t>(1, items)));
  const Scratch memory(workers * size * kDoubleWords);
  if (!memory.ok()) return Status::kOutOfMemory;
  for_chunks(items, workers, [&](int64_t i, int32_t worker) noexcept {
    const SequenceSpan span = sequence_at(args, i / args.n_heads);
    forward_head(args, span, i % args.n_heads, reinterpret_cast<double*>(memory.data()) + worker * size);
  });
  return Status::kOk;
}

}  // namespace

Status ssd_chunk_scan_f64(const SsdChunkScanArgsOf<double>& args) noexcept { return forward(args); }

Status diagonal_ssd_f64(const DiagonalSsdArgsOf<double>& args) noexcept { return forward(args); }

}  // namespace statespace::STATESPACE_ISA_NS
