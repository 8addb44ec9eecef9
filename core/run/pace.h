// How fast this machine computes what a conversion consists of, at the shapes of one model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "checkpoint/config.h"

namespace ladimo {

/// Floating-point operations per second with all threads, overheads included. commands/pace_measurement.h
/// measures them.
struct Pace {
  double forward = 0;       // a layer's forward pass
  double backward = 0;      // a layer's forward pass and its gradients by autograd
  double distillation = 0;  // a step of the distillation
  double equations = 0;     // normal equations
  double head = 0;          // logits of two models and their comparison
  double bf16_gain = 1;     // how many times faster large products are in bf16 than in fp32
};

/// What a processor of 2023 with AVX-512 reaches on this many threads at the shapes of a model with 135
/// million parameters. Estimates use it where nothing was measured yet.
Pace usual_pace(int threads);

/// The cache of measured paces: $XDG_CACHE_HOME/ladimo/pace.json or ~/.cache/ladimo/pace.json. Entries are by
/// processor, threads, device and shapes, and are forgotten after a day, because a machine may have been busy
/// when one was measured. A file that is missing or cannot be understood holds nothing.
class PaceCache {
 public:
  PaceCache();
  explicit PaceCache(std::filesystem::path file) : file_(std::move(file)) {}

  std::optional<Pace> find(const ModelConfig& config, int threads, const std::string& device) const;
  /// Keeps a pace. Does nothing where the file cannot be written.
  void keep(const ModelConfig& config, int threads, const std::string& device, const Pace& pace) const;

 private:
  std::filesystem::path file_;  // empty: there is no folder for a cache
};

}  // namespace ladimo
