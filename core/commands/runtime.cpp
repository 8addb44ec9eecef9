#include "commands/runtime.h"

#include <malloc.h>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/cuda.h>

#include "base/error.h"
#include "base/files.h"
#include "kernels/matrix_units.h"
#include "run/plan.h"

namespace ladimo {

namespace {

/// Work in chunks frees and allocates blocks of some MiB all the time. Keeping them is cheaper: fresh pages
/// cost more than the arithmetic.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

}  // namespace

Runtime start_runtime(int threads, const std::string& device, std::optional<std::uint64_t> memory) {
  at::set_num_threads(engine_threads(threads));
  at::GradMode::set_enabled(false);
  keep_freed_memory();
  use_matrix_units();
  Runtime runtime;
  runtime.memory = memory;
  try {
    runtime.device = at::Device(device);
  } catch (const c10::Error&) {
    throw Refusal("There is no device called \"" + device + "\".",
                  "Set {device} to cpu, or to cuda:0 for the first GPU.");
  }
  if (runtime.device.is_cuda()) {
    const auto gpus = static_cast<int>(torch::cuda::device_count());
    if (gpus == 0)
      throw Refusal("There is no GPU, or this build of libtorch cannot use it.", "Set {device} to cpu.");
    if (runtime.device.index() >= gpus)
      throw Refusal(
          "There is no device \"" + device + "\": the last GPU is cuda:" + std::to_string(gpus - 1) + ".",
          "Set {device} to cpu, or to cuda:0 for the first GPU.");
  }
  if (!runtime.device.is_cuda() && !runtime.device.is_cpu())
    throw Refusal("The device \"" + device + "\" is not supported.",
                  "Set {device} to cpu, or to cuda:0 for the first GPU.");
  return runtime;
}

Holding parse_holding(const std::string& hold, at::Device device) {
  if (hold.empty()) return Holding::as_stored;
  if (hold != "q8_0")
    throw Refusal("Weights cannot be held as \"" + hold + "\".",
                  "Set {hold} to q8_0, or leave it out: then they are held as the checkpoint has them.");
  if (!device.is_cpu())
    throw Refusal("Weights can be held as q8_0 only on the CPU.", "Omit {hold}, or set {device} to cpu.");
  return Holding::q8_0;
}

bool fits_in_fp32(const ModelConfig& config) {
  return static_cast<std::uint64_t>(config.parameters()) * 4 < available_ram_bytes() / 2;
}

at::ScalarType holding_dtype(const Checkpoint& checkpoint, const Runtime& runtime) {
  // What is stored decides: config.json may say bfloat16 of weights that were written in fp32.
  const bool is_bf16 = checkpoint.tensor(Role::q).dtype == DType::bf16;
  if (!runtime.device.is_cpu() || is_bf16) return at::kBFloat16;
  return fits_in_fp32(checkpoint.config()) ? at::kFloat : at::kBFloat16;
}

}  // namespace ladimo
