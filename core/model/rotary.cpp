#include "model/rotary.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <string>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/tensor.h>

#include "base/error.h"

namespace ladimo {
namespace {

using Kind = RopeScaling::Kind;

// Follows _compute_llama3_parameters of Hugging Face: long waves are stretched, short ones are kept, and
// those in between are blended.
double stretch_llama3(double frequency, const RopeScaling& scaling) {
  const auto original = static_cast<double>(scaling.original_positions);
  const double wavelength = 2 * std::numbers::pi / frequency;
  if (wavelength < original / scaling.high_frequency_factor) return frequency;
  if (wavelength > original / scaling.low_frequency_factor) return frequency / scaling.factor;
  const double smooth = (original / wavelength - scaling.low_frequency_factor) /
                        (scaling.high_frequency_factor - scaling.low_frequency_factor);
  return (1 - smooth) * frequency / scaling.factor + smooth * frequency;
}

// The base of dynamic NTK scaling (_compute_dynamic_ntk_parameters).
double dynamic_theta(const ModelConfig& config, std::int64_t length) {
  const RopeScaling& scaling = config.rope_scaling;
  const auto dim = static_cast<double>(config.rotary_dim());
  const double stretch = static_cast<double>(std::max(length, scaling.original_positions)) /
                         static_cast<double>(scaling.original_positions);
  return config.rope_theta * std::pow(scaling.factor * stretch - (scaling.factor - 1), dim / (dim - 2));
}

// The dimensions between which yarn blends kept and stretched waves (find_correction_range).
struct Ramp {
  double low, high;

  explicit Ramp(const ModelConfig& config) {
    const RopeScaling& scaling = config.rope_scaling;
    const auto dim = static_cast<double>(config.rotary_dim());
    const auto dimension_of = [&](double turns) {
      return dim *
             std::log(static_cast<double>(scaling.original_positions) / (turns * 2 * std::numbers::pi)) /
             (2 * std::log(config.rope_theta));
    };
    low = dimension_of(scaling.beta_fast), high = dimension_of(scaling.beta_slow);
    if (scaling.truncate) low = std::floor(low), high = std::ceil(high);
    low = std::max(low, 0.0), high = std::min(high, dim - 1);
    if (low == high) high += 0.001;
  }
  double at(std::int64_t i) const {
    return std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
  }
};

// Follows _compute_yarn_parameters.
double stretch_yarn(double frequency, const ModelConfig& config, std::int64_t i) {
  const double stretched = Ramp(config).at(i);
  return frequency / config.rope_scaling.factor * stretched + frequency * (1 - stretched);
}

}  // namespace

std::vector<float> rotary_frequencies(const ModelConfig& config, std::int64_t length) {
  const RopeScaling& scaling = config.rope_scaling;
  const double theta = scaling.kind == Kind::dynamic ? dynamic_theta(config, length) : config.rope_theta;
  std::vector<float> frequencies;
  for (std::int64_t i = 0; i < config.rotary_dim() / 2; ++i) {
    const double frequency =
        std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(config.rotary_dim()));
    const auto stretched = [&] {
      switch (scaling.kind) {
        case Kind::none:
        case Kind::dynamic:
          return frequency;
        case Kind::linear:
          return frequency / scaling.factor;
        case Kind::llama3:
          return stretch_llama3(frequency, scaling);
        case Kind::yarn:
          return stretch_yarn(frequency, config, i);
        case Kind::longrope:
          return frequency / (length > scaling.original_positions
                                  ? scaling.long_factors
                                  : scaling.short_factors)[static_cast<std::size_t>(i)];
      }
      throw Error("Unknown kind of rotary scaling.");
    };
    frequencies.push_back(static_cast<float>(stretched()));
  }
  return frequencies;
}

struct Rotary::Grown {
  std::mutex mutex;
  std::int64_t longest = 0;  // the longest text whose frequencies the tables have
  Tables tables;
};

Rotary::Rotary(const ModelConfig& config, at::Device device)
    : config_(config), device_(device), grown_(std::make_shared<Grown>()) {}

Rotary::Tables Rotary::upto(std::int64_t length) const {
  if (length > config_.max_positions)
    throw Refusal("The text has " + std::to_string(length) + " tokens, but the model has only " +
                      std::to_string(config_.max_positions) + " positions.",
                  "Use a shorter text or window.");
  const std::lock_guard lock(grown_->mutex);
  Tables& tables = grown_->tables;
  const std::int64_t longest = config_.longest_alike(length);
  if (std::exchange(grown_->longest, longest) != longest) tables = {};
  const std::int64_t known = tables.cos.defined() ? tables.cos.size(0) : 0;
  if (known < length) {
    // The tables at least double, so that decoding does not compute them again for every token.
    const std::int64_t count = std::min(std::max(length, 2 * known), longest);
    const auto frequencies = rotary_frequencies(config_, length);
    const at::Tensor angles = at::outer(at::arange(count, at::kFloat), at::tensor(frequencies));
    const double factor = config_.rope_scaling.attention_factor;
    tables.cos = (angles.cos() * factor).repeat({1, 2}).to(device_);
    const at::Tensor sin = angles.sin() * factor;
    tables.sin = at::cat(std::vector<at::Tensor>{-sin, sin}, 1).to(device_);
  }
  return tables;
}

at::Tensor rotate(const at::Tensor& x, const Rotary::Tables& rotary, std::int64_t start) {
  // The first and the second half of the rotated dimensions are the real and imaginary parts of a complex
  // number: x cos + i x sin.
  const std::int64_t dim = rotary.cos.size(1);
  const at::Tensor part = dim < x.size(3) ? x.narrow(3, 0, dim) : x;
  const at::Tensor turned = at::roll(part, dim / 2, 3);
  const at::Tensor rotated = (turned * rotary.sin.narrow(0, start, x.size(2)))
                                 .addcmul_(part, rotary.cos.narrow(0, start, x.size(2)))
                                 .to(x.scalar_type());
  if (dim == x.size(3)) return rotated;
  return at::cat(std::vector<at::Tensor>{rotated, x.narrow(3, dim, x.size(3) - dim)}, 3);
}

bool crosses_border(const ModelConfig& config, std::int64_t length) {
  return config.rope_scaling.kind == Kind::longrope && length == config.longest_alike(length);
}

}  // namespace ladimo
