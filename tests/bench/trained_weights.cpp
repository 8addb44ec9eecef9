#include "trained_weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace ladimo::bench {
namespace {

constexpr std::int64_t topic_count = 32;
// How much of an embedding is the common direction, its topic and its own part. The squares add up to 1.
constexpr double common_share = 0.5, topic_share = 0.6, own_share = 0.62;
// The mean input of a gate: `shut` for any token, plus `opened` for a token of the gate's topic.
constexpr double shut = -1.2, opened = 2.5;
// How much of the rest of a gate's row is its group's direction and its own part. The squares add up to 1.
constexpr double group_share = 0.5, neuron_share = 0.87;
// The root mean square of silu(gate) * up that the constants above give.
constexpr double activation_rms = 0.3;
// The standard deviation of the logits of unrelated tokens, and a token's own logit in units of it.
constexpr double logit_deviation = 2, own_logit = 8;

/// Nearly normal (the sum of four uniform numbers), mean 0, variance 1.
double normal(Random& random) {
  const std::uint64_t bits = random();
  const std::uint64_t sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
  return (static_cast<double>(sum) - 2 * 65535.0) / 37837.2;
}

std::size_t some_topic(Random& random) { return random.below(topic_count); }

}  // namespace

TrainedWeights::TrainedWeights(const testing::ModelShape& shape)
    : shape_(shape),
      root_(std::sqrt(static_cast<double>(shape.hidden))),
      stream_scale_(shape.tied_head ? logit_deviation / root_ : 1),
      layer_output_(stream_scale_ / std::sqrt(2 * static_cast<double>(shape.layers))),
      common_(direction("common")) {
  for (std::int64_t topic = 0; topic < topic_count; ++topic) topics_.push_back(direction("topic", topic));
  // If the head were the embedding itself, a token's own logit would be root_ standard deviations. Flipping
  // the signs of nearly half of the entries reduces it to own_logit.
  Random random(shape_.seed, "signs");
  for (std::int64_t i = 0; i < shape_.hidden; ++i)
    signs_.push_back(random.uniform() < 0.5 + 0.5 * own_logit / root_ ? 1 : -1);
}

std::vector<std::byte> TrainedWeights::bytes_of(const ExpectedTensor& tensor) const {
  const FillRow fill = rows_of(tensor);
  // The head repeats the random numbers of the embedding.
  const bool is_token = tensor.role == Role::embedding || tensor.role == Role::head;
  const std::string stream = is_token ? "token" : tensor.name;
  const auto columns = static_cast<std::size_t>(tensor.shape.back());
  const std::size_t rows = tensor.shape.size() == 1 ? 1 : static_cast<std::size_t>(tensor.shape[0]);
  const std::size_t element = dtype_size(shape_.dtype);
  std::vector<std::byte> bytes(rows * columns * element);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    Vector row(columns);
    for (std::size_t r = next++; r < rows; r = next++) {
      Random random(shape_.seed, stream, r);
      fill(random, row);
      for (std::size_t c = 0; c < columns; ++c)
        testing::store_weight(static_cast<float>(row[c]), shape_.dtype, &bytes[(r * columns + c) * element]);
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) others.emplace_back(work);
    work();
  }  // waits for the other threads
  return bytes;
}

TrainedWeights::FillRow TrainedWeights::rows_of(const ExpectedTensor& tensor) const {
  const double fan_in = 1 / std::sqrt(static_cast<double>(tensor.shape.back()));
  switch (tensor.role) {
    case Role::embedding:
      return tokens(Vector(signs_.size(), stream_scale_));
    case Role::head: {
      Vector scales = signs_;
      for (double& scale : scales) scale *= logit_deviation / root_;
      return tokens(scales);
    }
    case Role::final_norm:
      if (shape_.tied_head)  // a tied head cannot hold the signs
        return [norm = around(1, 0.1), this](Random& random, Vector& row) {
          norm(random, row);
          std::ranges::transform(row, signs_, row.begin(), std::multiplies());
        };
      return around(1, 0.1);
    case Role::attention_norm:
    case Role::ffn_norm:
    case Role::q_norm:
    case Role::k_norm:
      return around(1, 0.1);
    case Role::q:
    case Role::k:
      return around(0, 1.5 * fan_in);  // large enough for attention to prefer some tokens
    case Role::v:
    case Role::up:
      return around(0, fan_in);
    case Role::o:
      return around(0, layer_output_ * fan_in);
    case Role::gate:
      return gate(tensor.layer);
    case Role::down:
      return down(tensor.layer);
    case Role::q_bias:
    case Role::k_bias:
    case Role::v_bias:
    case Role::gate_bias:
    case Role::up_bias:
      return around(0, 0.1);
    case Role::o_bias:
    case Role::down_bias:
      return around(0, 0.1 * layer_output_);
  }
  return {};  // unreachable: every role is above
}

TrainedWeights::FillRow TrainedWeights::around(double mean, double deviation) const {
  return [=](Random& random, Vector& row) {
    for (double& weight : row) weight = mean + deviation * normal(random);
  };
}

TrainedWeights::FillRow TrainedWeights::tokens(const Vector& scales) const {
  return [scales, this](Random& random, Vector& row) {
    const Vector& topic = topics_[some_topic(random)];
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = scales[i] * (common_share * common_[i] + topic_share * topic[i] + own_share * normal(random));
  };
}

TrainedWeights::FillRow TrainedWeights::gate(std::int64_t layer) const {
  // For each topic, the part that the rows of its neurons share. It is scaled for its product with an
  // embedding of variance 1.
  const auto d = static_cast<double>(shape_.hidden);
  std::vector<Vector> shared;
  for (std::int64_t topic = 0; topic < topic_count; ++topic) {
    shared.push_back(direction("group", layer * topic_count + topic));
    const Vector& of_topic = topics_[static_cast<std::size_t>(topic)];
    for (std::size_t i = 0; i < of_topic.size(); ++i)
      shared.back()[i] = group_share / root_ * shared.back()[i] + shut / (common_share * d) * common_[i] +
                         opened / (topic_share * d) * of_topic[i];
  }
  return [shared = std::move(shared), this](Random& random, Vector& row) {
    const Vector& group = shared[some_topic(random)];
    const double scale = std::exp(0.4 * normal(random));
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = scale * (group[i] + neuron_share / root_ * normal(random));
  };
}

TrainedWeights::FillRow TrainedWeights::down(std::int64_t layer) const {
  constexpr double spread = 1;  // standard deviation of the logarithm
  Random of_layer(shape_.seed, "neurons", static_cast<std::uint64_t>(layer));
  Vector scales(static_cast<std::size_t>(shape_.intermediate));
  const double root_mean_square =
      layer_output_ / (activation_rms * std::sqrt(static_cast<double>(shape_.intermediate)));
  for (double& scale : scales) scale = root_mean_square * std::exp(spread * (normal(of_layer) - spread));
  return [scales = std::move(scales)](Random& random, Vector& row) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = scales[i] * normal(random);
  };
}

TrainedWeights::Vector TrainedWeights::direction(const char* purpose, std::int64_t index) const {
  Random random(shape_.seed, purpose, static_cast<std::uint64_t>(index));
  Vector entries(static_cast<std::size_t>(shape_.hidden));
  for (double& entry : entries) entry = normal(random);
  return entries;
}

}  // namespace ladimo::bench
