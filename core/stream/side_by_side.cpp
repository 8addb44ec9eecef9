#include "stream/side_by_side.h"

#include <atomic>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "base/chunking.h"

namespace ladimo {

void side_by_side(at::Device device, std::int64_t count, std::int64_t bytes,
                  const std::function<void(std::int64_t)>& work) {
  const int threads = device.is_cpu() ? pieces_at_once(at::get_num_threads(), count, bytes) : 1;
  if (threads == 1) {
    for (std::int64_t i = 0; i < count; ++i) work(i);
    return;
  }
  const bool with_gradients = at::GradMode::is_enabled();
  std::atomic<std::int64_t> next = 0;
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::AutoGradMode mode(with_gradients);
    for (; begin < end; ++begin)
      for (std::int64_t i = next++; i < count; i = next++) work(i);
  });
}

}  // namespace ladimo
