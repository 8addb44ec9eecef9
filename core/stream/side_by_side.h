// Runs many small products side by side, each on one thread. That is faster than running them one after the
// other with all threads in every product.
#pragma once

#include <cstdint>
#include <functional>

#include <c10/core/Device.h>

namespace ladimo {

/// Calls work(0) ... work(count - 1) in any order. On the CPU each call runs on one thread where
/// pieces_at_once() says so; `bytes` is the size of a call's largest matrix. Otherwise they run one after the
/// other with all threads. Autograd is on or off as in the calling thread. Rethrows an exception that one of
/// the calls threw.
void side_by_side(at::Device device, std::int64_t count, std::int64_t bytes,
                  const std::function<void(std::int64_t)>& work);

}  // namespace ladimo
