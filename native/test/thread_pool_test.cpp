/// The claim pool: every chunk once, several callers at once, nesting, restart, fork.
#include "thread_pool.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "check.h"

namespace statespace {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kForkWorks = false;  // ThreadSanitizer does not follow a fork of a threaded program
#else
constexpr bool kForkWorks = true;
#endif

struct Tally {
  std::vector<std::atomic<int>> seen;
  std::atomic<int32_t> largest_worker{0};
  explicit Tally(int64_t chunks) : seen(static_cast<size_t>(chunks)) {}
};

void tick(void* context, int64_t chunk, int32_t worker) noexcept {
  auto* tally = static_cast<Tally*>(context);
  tally->seen[static_cast<size_t>(chunk)].fetch_add(1);
  int32_t largest = tally->largest_worker.load();
  while (worker > largest && !tally->largest_worker.compare_exchange_weak(largest, worker)) {
  }
}

bool all_once(const Tally& tally) {
  for (const auto& count : tally.seen) {
    if (count.load() != 1) return false;
  }
  return true;
}

void test_every_chunk_once() {
  for (const int32_t threads : {1, 2, 5, 16}) {
    CHECK(set_num_threads(threads) == Status::kOk);
    CHECK(num_threads() == threads);
    for (int round = 0; round < 300; ++round) {
      const int64_t chunks = round % 37;
      Tally tally(chunks);
      parallel_for(chunks, worker_limit(), tick, &tally);
      CHECK(all_once(tally));
      CHECK(tally.largest_worker.load() < threads);
    }
  }
}

void nested(void* context, int64_t, int32_t) noexcept {
  Tally inner(10);
  parallel_for(10, worker_limit(), tick, &inner);
  if (all_once(inner) && inner.largest_worker.load() == 0) static_cast<std::atomic<int>*>(context)->fetch_add(1);
}

void test_nesting() {
  set_num_threads(4);
  std::atomic<int> good{0};
  parallel_for(20, worker_limit(), nested, &good);
  CHECK(good.load() == 20);
}

void* call_often(void* failures) {
  for (int round = 0; round < 200; ++round) {
    Tally tally(23);
    parallel_for(23, worker_limit(), tick, &tally);
    if (!all_once(tally)) static_cast<std::atomic<int>*>(failures)->fetch_add(1);
  }
  return nullptr;
}

void test_many_callers() {
  set_num_threads(3);
  std::atomic<int> failures{0};
  pthread_t callers[12];
  for (pthread_t& caller : callers) CHECK(pthread_create(&caller, nullptr, call_often, &failures) == 0);
  for (int round = 0; round < 20; ++round) stop_workers();
  for (const pthread_t caller : callers) pthread_join(caller, nullptr);
  CHECK(failures.load() == 0);
}

/// Workers that are about to sleep when the pool stops must not sleep through it.
void test_stop_at_any_moment() {
  set_num_threads(4);
  for (int round = 0; round < 4000; ++round) {
    Tally tally(4);
    parallel_for(4, worker_limit(), tick, &tally);
    CHECK(all_once(tally));
    for (volatile int wait = 0; wait < round % 97 * 40;) wait = wait + 1;
    stop_workers();
  }
}

void test_fork() {
  set_num_threads(3);
  Tally before(11);
  parallel_for(11, worker_limit(), tick, &before);
  const pid_t child = fork();
  if (child == 0) {
    Tally tally(50);
    parallel_for(50, worker_limit(), tick, &tally);
    _exit(all_once(tally) ? 0 : 1);
  }
  int answer = -1;
  CHECK(waitpid(child, &answer, 0) == child && WIFEXITED(answer) && WEXITSTATUS(answer) == 0);
}

void test_limits() {
  CHECK(set_num_threads(-1) == Status::kBadArgument);
  CHECK(set_num_threads(100000) == Status::kBadArgument);
  CHECK(set_num_threads(0) == Status::kOk);
  CHECK(num_threads() == default_num_threads());
  CHECK(force_isa("no such set") == Status::kUnsupported);
  CHECK(force_isa(nullptr) == Status::kOk);
  acquire_runtime();
  release_runtime();
}

}  // namespace
}  // namespace statespace

int main() {
  using namespace statespace;
  test_every_chunk_once();
  test_nesting();
  test_many_callers();
  test_stop_at_any_moment();
  if (kForkWorks) test_fork();
  test_limits();
  stop_workers();
  return test::finish("thread_pool");
}
