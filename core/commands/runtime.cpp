#include "commands/runtime.h"

#include <malloc.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "base/error.h"
#include "base/files.h"
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
  Runtime runtime;
  runtime.memory = memory;
  try {
    runtime.device = at::Device(device);
  } catch (const c10::Error&) {
    throw Refusal("There is no device called \"" + device + "\".",
                  "Set {device} to cpu, or to cuda:0 for the first GPU.");
  }
  if (runtime.device.is_cuda() && !at::hasCUDA())
    throw Refusal("There is no GPU, or this build of libtorch cannot use it.", "Set {device} to cpu.");
  if (!runtime.device.is_cuda() && !runtime.device.is_cpu())
    throw Refusal("The device \"" + device + "\" is not supported.",
                  "Set {device} to cpu, or to cuda:0 for the first GPU.");
  return runtime;
}

at::ScalarType holding_dtype(const ModelConfig& config, const Runtime& runtime) {
  if (!runtime.device.is_cpu()) return at::kBFloat16;
  if (config.dtype == "bfloat16") return at::kBFloat16;
  const auto bytes = static_cast<std::uint64_t>(config.parameters()) * 4;
  return bytes < available_ram_bytes() / 2 ? at::kFloat : at::kBFloat16;
}

}  // namespace ladimo
