#include "kernels/team.h"

#include <omp.h>

namespace ladimo {
namespace {

constexpr int spins =
    20000;  // some 0.2 ms; members are rarely later than that unless their processor is taken

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

void Team::Member::meet() const {
  if (size_ == 1) return;
  const std::uint32_t meeting = team_.meeting_.load(std::memory_order_relaxed);
  if (team_.waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    team_.waiting_.store(0, std::memory_order_relaxed);
    team_.meeting_.store(meeting + 1, std::memory_order_release);
    team_.meeting_.notify_all();
    return;
  }
  for (int i = 0; i < spins; ++i) {
    if (team_.meeting_.load(std::memory_order_acquire) != meeting) return;
    pause();
  }
  team_.meeting_.wait(meeting, std::memory_order_acquire);
}

void Team::run(int threads, const std::function<void(const Member&)>& work) {
#pragma omp parallel num_threads(threads)
  work(Member(*this, omp_get_thread_num(), omp_get_num_threads()));
}

}  // namespace ladimo
