// Compares every variant of the kernels that this processor can run with plain loops in double precision and
// with the other variants.
#include "kernels/kernel_table.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

using namespace ladimo;

namespace {

/// Random numbers, uniform in [-scale, scale).
template <class T>
std::vector<T> random_values(std::int64_t count, std::uint64_t seed, double scale = 1) {
  std::vector<T> values;
  Random random(seed, "test values");
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<T>(static_cast<float>(scale * (2 * random.uniform() - 1))));
  return values;
}

template <class T>
double dot(const float* x, const T* row, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    sum += static_cast<double>(x[i]) * static_cast<double>(static_cast<float>(row[i]));
  return sum;
}

/// Runs `compute(table)`, which gives a vector of floats, with every variant. Checks that each result is
/// close to `expected` and to the others, in units of the largest value.
template <class Compute>
void check_variants(const std::vector<double>& expected, Compute&& compute, double tolerance = 1e-5) {
  double largest = 1e-30;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  std::vector<std::vector<float>> results;
  for (const KernelTable& table : usable_kernels()) {
    const std::string name = table.name;
    CAPTURE(name);
    results.push_back(compute(table));
    REQUIRE(results.back().size() == expected.size());
    double from_expected = 0, from_first = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto value = static_cast<double>(results.back()[i]);
      from_expected = std::max(from_expected, std::abs(value - expected[i]));
      from_first = std::max(from_first, std::abs(value - static_cast<double>(results.front()[i])));
    }
    CHECK(from_expected <= tolerance * largest);
    CHECK(from_first <= tolerance * largest);
  }
}

template <class T>
void check_neurons(std::int64_t d, bool biases) {
  constexpr std::int64_t f = 7, first = 1, count = 5;
  const auto gate = random_values<T>(f * d, 1), up = random_values<T>(f * d, 2),
             down = random_values<T>(f * d, 3), gate_bias = random_values<T>(f, 4),
             up_bias = random_values<T>(f, 5);
  const auto x = random_values<float>(d, 6), before = random_values<float>(d, 7);
  const NeuronRows<T> rows{gate.data(),
                           up.data(),
                           down.data(),
                           biases ? gate_bias.data() : nullptr,
                           biases ? up_bias.data() : nullptr,
                           d};
  std::vector<double> expected(before.begin(), before.end());
  for (std::int64_t j = first; j < first + count; ++j) {
    const auto bias = [&](const std::vector<T>& b) {
      return biases ? static_cast<double>(static_cast<float>(b[static_cast<std::size_t>(j)])) : 0.0;
    };
    const double g = dot(x.data(), gate.data() + j * d, d) + bias(gate_bias);
    const double u = dot(x.data(), up.data() + j * d, d) + bias(up_bias);
    for (std::int64_t i = 0; i < d; ++i)
      expected[static_cast<std::size_t>(i)] +=
          g / (1 + std::exp(-g)) * u *
          static_cast<double>(static_cast<float>(down[static_cast<std::size_t>(j * d + i)]));
  }
  check_variants(expected, [&](const KernelTable& table) {
    auto y = before;
    table.of<T>().add_neurons(rows, first, count, x.data(), y.data());
    return y;
  });

  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = static_cast<double>(before[i]) + static_cast<double>(static_cast<float>(down[i]));
  check_variants(expected, [&](const KernelTable& table) {
    auto y = before;
    table.of<T>().add_row(down.data(), d, y.data());
    return y;
  });
}

template <class T>
void check_attention(std::int64_t head_dim) {
  constexpr std::int64_t n = 41;
  const std::int64_t key_stride = head_dim + 3, value_stride = 2 * head_dim;
  const auto keys = random_values<T>(n * key_stride, 1), values = random_values<T>(n * value_stride, 2);
  const auto q = random_values<float>(head_dim, 3, 0.5);
  const HeadCache<T> cache{keys.data(), values.data(), n, head_dim, key_stride, value_stride};
  std::vector<double> weights;
  double total = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    weights.push_back(std::exp(dot(q.data(), keys.data() + j * key_stride, head_dim)));
    total += weights.back();
  }
  std::vector<double> expected(static_cast<std::size_t>(head_dim), 0.0);
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < head_dim; ++i)
      expected[static_cast<std::size_t>(i)] +=
          weights[static_cast<std::size_t>(j)] / total *
          static_cast<double>(static_cast<float>(values[static_cast<std::size_t>(j * value_stride + i)]));
  check_variants(expected, [&](const KernelTable& table) {
    std::vector<float> scores(n), y(static_cast<std::size_t>(head_dim), 0.0F);
    table.of<T>().attend(cache, q.data(), scores.data(), y.data());
    return y;
  });
}

/// The softmax of logits; also sets the logarithm of its normaliser.
std::vector<double> softmax(const std::vector<float>& logits, double& log_normaliser) {
  const auto most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double total = 0;
  for (const float z : logits) total += std::exp(static_cast<double>(z) - most);
  log_normaliser = most + std::log(total);
  std::vector<double> p;
  for (const float z : logits) p.push_back(std::exp(static_cast<double>(z) - log_normaliser));
  return p;
}

void check_distributions(std::int64_t vocab) {
  const auto dense = random_values<float>(vocab, 1, 8);
  auto model = random_values<float>(vocab, 2, 2);
  for (std::size_t i = 0; i < model.size(); ++i) model[i] += dense[i];
  double dense_normaliser = 0, model_normaliser = 0;
  const auto p = softmax(dense, dense_normaliser), q = softmax(model, model_normaliser);
  double kl = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    kl += p[i] * ((static_cast<double>(dense[i]) - dense_normaliser) -
                  (static_cast<double>(model[i]) - model_normaliser));

  const std::vector<float> probabilities(p.begin(), p.end());
  check_variants(p, [&](const KernelTable& table) {
    std::vector<float> found(p.size());
    double log_normaliser = 0;
    table.softmax(dense.data(), vocab, found.data(), &log_normaliser);
    CHECK(log_normaliser == doctest::Approx(dense_normaliser));
    return found;
  });
  constexpr double scale = 0.25;
  std::vector<double> gradient;
  for (std::size_t i = 0; i < p.size(); ++i) gradient.push_back(scale * (q[i] - p[i]));
  gradient.push_back(1);  // the largest value: errors are relative to probabilities, not to their differences
  check_variants(gradient, [&](const KernelTable& table) {
    std::vector<float> found(p.size());
    Divergence row{};
    table.diverge({dense.data(), probabilities.data(), dense_normaliser}, model.data(), vocab,
                  static_cast<float>(scale), found.data(), &row);
    CHECK(std::abs(row.kl - kl) < 2e-5);
    CHECK(row.log_normaliser == doctest::Approx(model_normaliser));
    CHECK(row.most == *std::max_element(model.begin(), model.end()));
    found.push_back(1);
    return found;
  });
}

}  // namespace

TEST_CASE("there is one variant per instruction set, and the best one is used") {
  const auto& usable = usable_kernels();
  REQUIRE_FALSE(usable.empty());
  CHECK(std::string(usable.front().name) == "baseline");
  CHECK(&kernels() == &usable.back());
  for (std::size_t i = 1; i < usable.size(); ++i) {
    CHECK((usable[i].softmax != usable[i - 1].softmax));
    CHECK((usable[i].fp32.add_neurons != usable[i - 1].fp32.add_neurons));
  }
}

TEST_CASE("every variant of the neuron kernels computes the formula") {
  for (const std::int64_t d : {1, 5, 15, 16, 17, 37, 64, 101})
    for (const bool biases : {false, true}) {
      CAPTURE(d);
      CAPTURE(biases);
      check_neurons<float>(d, biases);
      check_neurons<c10::BFloat16>(d, biases);
    }
}

TEST_CASE("every variant of the attention kernels computes the formula") {
  for (const std::int64_t head_dim : {1, 8, 12, 31, 32, 64, 80, 128}) {
    CAPTURE(head_dim);
    check_attention<float>(head_dim);
    check_attention<c10::BFloat16>(head_dim);
  }
}

TEST_CASE("every variant of the distribution kernels computes the definitions") {
  for (const std::int64_t vocab : {1, 5, 16, 100, 1023, 1024, 5001}) {
    CAPTURE(vocab);
    check_distributions(vocab);
  }
}
