/// The runtime of the kernels in namespace statespace_plain is that of the others: with threads and scratch memory of
/// their own, where the system puts those would decide.
#include <new>

#include "scratch.h"
#include "thread_pool.h"

// As scratch.h and thread_pool.h declare them to those kernels.
namespace statespace_plain {

using ChunkFn = void (*)(void* context, int64_t chunk, int32_t worker) noexcept;

class Scratch {
 public:
  explicit Scratch(int64_t count) noexcept;
  ~Scratch() noexcept;
  bool ok() const noexcept;
  float* data() const noexcept;

 private:
  statespace::Scratch* whole_;
};

int32_t worker_limit() noexcept { return statespace::worker_limit(); }

void parallel_for(int64_t chunks, int32_t workers, ChunkFn fn, void* context) noexcept {
  statespace::parallel_for(chunks, workers, fn, context);
}

Scratch::Scratch(int64_t count) noexcept : whole_(new (std::nothrow) statespace::Scratch(count)) {}
Scratch::~Scratch() noexcept { delete whole_; }
bool Scratch::ok() const noexcept { return whole_ != nullptr && whole_->ok(); }
float* Scratch::data() const noexcept { return whole_->data(); }

}  // namespace statespace_plain
