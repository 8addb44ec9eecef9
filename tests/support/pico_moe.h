// A pico model with random converted layers, and text to measure it on.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "model/moe_layers.h"
#include "support/pico_model.h"
#include "support/random_windows.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

namespace ladimo::testing {

/// Every layer has a random router and small noise on its down rows. The windows come from two files.
struct PicoMoe {
  TemporaryFolder folder;
  WeightSource source;
  std::vector<std::shared_ptr<const MoeWeights>> layers;
  MoeLayers moe;
  Windows windows = random_windows(6, 9);

  /// `stream` is the dtype in which residual streams are kept.
  explicit PicoMoe(at::ScalarType stream = at::kFloat) : source(make(folder.path(), stream)) {
    for (std::int64_t l = 0; l < source.config().layers; ++l) {
      auto weights = random_moe(*source.dense_ffn(l), 8, 16, static_cast<std::uint64_t>(l));
      weights.down = weights.down + random_tensor(weights.down.sizes(), 50, 0.002);
      layers.push_back(std::make_shared<MoeWeights>(std::move(weights)));
    }
    moe = {[this](int layer) { return layers[static_cast<std::size_t>(layer)]; },
           [this](int layer) { return layers[static_cast<std::size_t>(layer)]->shape(); }};
    for (std::size_t w = 3; w < windows.source.size(); ++w) windows.source[w] = 1;
  }

 private:
  static WeightSource make(const std::filesystem::path& path, at::ScalarType stream) {
    write_pico_model(path);
    return {Checkpoint::open(path), at::kCPU, at::kFloat, {.stream = stream}};
  }
};

}  // namespace ladimo::testing
