#include "commands/engine_facts.h"

#include <torch/cuda.h>
#include <torch/version.h>

#include "base/machine.h"
#include "base/version.h"
#include "kernels/kernel_table.h"
#include "run/plan.h"

namespace ladimo {

EngineFacts engine_facts() {
  return {.version = version(),
          .compiler = compiler(),
          .libtorch = TORCH_VERSION,
          .kernels = kernels().name,
          .processor = processor_name(),
          .threads = engine_threads(0),
          .memory_bytes = memory_bytes(),
          .gpus = static_cast<int>(torch::cuda::device_count())};
}

}  // namespace ladimo
