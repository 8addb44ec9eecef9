#include "kernels/read_probe.h"

#include <cstdint>
#include <cstring>

#include <ATen/Parallel.h>

#include "kernels/kernel_table.h"

namespace ladimo {

ReadProbe::ReadProbe(std::size_t bytes) : bytes_(bytes), memory_(Arena().allocate(bytes)) {
  std::memset(memory_.get(), 0, bytes);  // else all pages would be the same page of zeros
}

void ReadProbe::read() {
  team_.run(at::get_num_threads(), [this](const Team::Member& me) {
    const Range mine = me.part(static_cast<std::int64_t>(bytes_ / sizeof(float)));
    const auto* const values = reinterpret_cast<const float*>(memory_.get());
    [[maybe_unused]] volatile float sum = kernels().sum(values + mine.begin, mine.end - mine.begin);
  });
}

}  // namespace ladimo
