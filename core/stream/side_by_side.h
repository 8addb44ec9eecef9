// Many small products: faster side by side, each on one thread, than one after the other with all threads in
// every product.
#pragma once

#include <cstdint>
#include <functional>

#include <c10/core/Device.h>

namespace ladimo {

/// Calls work(0) ... work(count - 1), in any order: on the CPU each on one thread, where there is work for
/// all of them; else one after the other with all threads. Autograd is on or off as for the caller. Rethrows
/// what one of them threw.
void side_by_side(at::Device device, std::int64_t count, const std::function<void(std::int64_t)>& work);

}  // namespace ladimo
