// Compares every variant of the kernels that this processor can run with plain loops in double precision and
// with the other variants.
#include "kernels/kernel_table.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "checkpoint/ggml_type.h"
#include "kernels/q8_0.h"

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

/// y_t += x_t rows, for several vectors, with rows that are wider than what is used of them.
template <class T>
void check_multiply(std::int64_t width, std::int64_t tokens, std::int64_t count,
                    decltype(StoredKernels<T>::multiply) StoredKernels<T>::*multiply) {
  constexpr std::int64_t first = 2;
  const std::int64_t inputs = first + count + 2;
  const std::int64_t stride = width + 3;
  const auto rows = random_values<T>(count * stride + 16, 1);
  const auto x = random_values<float>(tokens * inputs, 2), before = random_values<float>(tokens * width, 3);
  std::vector<double> expected(before.begin(), before.end());
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t c = 0; c < width; ++c)
      for (std::int64_t i = 0; i < count; ++i)
        expected[static_cast<std::size_t>(t * width + c)] +=
            static_cast<double>(x[static_cast<std::size_t>(t * inputs + first + i)]) *
            static_cast<double>(static_cast<float>(rows[static_cast<std::size_t>(i * stride + c)]));
  check_variants(expected, [&](const KernelTable& table) {
    auto y = before;
    y.push_back(42);  // the element after the last must not be written
    std::vector<const float*> from;
    std::vector<float*> to;
    for (std::int64_t t = 0; t < tokens; ++t) {
      from.push_back(x.data() + t * inputs);
      to.push_back(y.data() + t * width);
    }
    (table.of<T>().*multiply)({rows.data(), first, count, width, stride, rows.data()}, from.data(), to.data(),
                              tokens);
    CHECK(y.back() == 42);
    y.pop_back();
    return y;
  });
}

/// Weights [inputs, width] in blocks, with what kernels may read beyond them.
std::vector<std::byte> in_blocks(const std::vector<float>& weights, std::int64_t inputs, std::int64_t width) {
  std::vector<std::byte> panel(static_cast<std::size_t>(width * q8_0::bytes(inputs)) + 64);
  q8_0::quantise(weights.data(), inputs, width, panel.data());
  return panel;
}

/// Products with weights in blocks equal, to the bit, those with the same weights in fp32, from any input on.
void check_blocks(std::int64_t width, std::int64_t tokens) {
  constexpr std::int64_t inputs = 100;
  const auto panel = in_blocks(random_values<float>(inputs * width, 1), inputs, width);
  const auto x = random_values<float>(tokens * inputs, 2), before = random_values<float>(tokens * width, 3);
  for (const KernelTable& table : usable_kernels())
    for (const auto& [first, count] :
         {std::pair{0, 100}, std::pair{0, 32}, std::pair{5, 70}, std::pair{99, 1}}) {
      const std::string name = table.name;
      CAPTURE(name);
      CAPTURE(first);
      std::vector<float> weights(static_cast<std::size_t>(count * width) + 1, 7.0F);
      table.q8_0.widen({panel.data(), first, count, width, panel.data()}, weights.data());
      CHECK(weights[static_cast<std::size_t>(count * width)] == 7.0F);  // must not be written
      auto found = before, expected = before;
      std::vector<const float*> from;
      std::vector<float*> to, wanted;
      for (std::int64_t t = 0; t < tokens; ++t) {
        from.push_back(x.data() + t * inputs);
        to.push_back(found.data() + t * width);
        wanted.push_back(expected.data() + t * width);
      }
      table.fp32.multiply({weights.data(), first, count, width, width, weights.data()}, from.data(),
                          wanted.data(), tokens);
      for (const auto multiply : {table.q8_0.multiply, table.q8_0.multiply_many}) {
        std::copy(before.begin(), before.end(), found.begin());
        multiply({panel.data(), first, count, width, panel.data()}, from.data(), to.data(), tokens);
        CHECK(found == expected);
      }
    }
}

/// The steps between products.
void check_activations(std::int64_t n) {
  const auto x = random_values<float>(n, 1, 3), w = random_values<float>(n, 2);
  const auto expect = [&](auto&& formula) {
    std::vector<double> expected;
    for (std::size_t i = 0; i < x.size(); ++i)
      expected.push_back(formula(static_cast<double>(x[i]), static_cast<double>(w[i])));
    return expected;
  };
  const auto silu = [](double g) { return g / (1 + std::exp(-g)); };
  double squares = 0;
  for (const float value : x) squares += static_cast<double>(value) * static_cast<double>(value);
  const double scale = 1 / std::sqrt(squares / static_cast<double>(n) + 1e-5);
  check_variants(expect([&](double a, double b) { return a * scale * b; }), [&](const KernelTable& table) {
    std::vector<float> y(x.size());
    table.rms_norm(x.data(), w.data(), n, 1e-5F, y.data());
    return y;
  });
  check_variants(expect([&](double a, double b) { return silu(a) * b; }), [&](const KernelTable& table) {
    std::vector<float> y(x.size());
    table.fp32.swiglu(x.data(), w.data(), n, y.data());
    auto rows = x;  // two of them, each the gate and then up, n at a time
    rows.insert(rows.end(), w.begin(), w.end());
    rows.insert(rows.end(), rows.begin(), rows.end());
    std::vector<float> twice(2 * y.size() + 1, 42.0F);
    const float* const gates[] = {rows.data(), rows.data() + 2 * n};
    float* const to[] = {twice.data(), twice.data() + n};
    table.swiglu_rows(gates, 2, n, to);
    CHECK(std::equal(y.begin(), y.end(), twice.begin()));
    CHECK(std::equal(y.begin(), y.end(), twice.begin() + n));
    CHECK(twice.back() == 42.0F);
    return y;
  });
  // Its gradients, from the difference quotients of silu(g) u.
  const auto slope = [&](double g) { return (silu(g + 1e-5) - silu(g - 1e-5)) / 2e-5; };
  for (const bool of_gate : {true, false})
    check_variants(expect([&](double g, double u) { return 0.3 * (of_gate ? u * slope(g) : silu(g)); }),
                   [&](const KernelTable& table) {
                     auto gate = x, up = w;
                     const std::vector<float> dh(x.size(), 0.3F);
                     table.fp32.swiglu_gradient(gate.data(), up.data(), dh.data(), n);
                     return of_gate ? gate : up;
                   });
  // In bf16 everything is rounded once more.
  check_variants(
      expect([&](double a, double b) { return silu(a) * b; }),
      [&](const KernelTable& table) {
        std::vector<c10::BFloat16> gate(x.begin(), x.end()), up(w.begin(), w.end());
        table.bf16.swiglu(gate.data(), up.data(), n, gate.data());
        return std::vector<float>(gate.begin(), gate.end());
      },
      1.0 / 64);
  // The first step of Adam goes as far as its rate, against the gradient.
  check_variants(
      expect([](double a, double b) { return b - 0.01 * (a > 0 ? 1 : -1); }), [&](const KernelTable& table) {
        std::vector<float> first(x.size()), second(x.size());
        auto weight = w;
        // Both moments are short by what their averages have not seen yet.
        const float unseen = std::sqrt(1 - 0.99F) / (1 - 0.9F);
        table.adam(x.data(), {0.9F, 0.99F, 0.01F * unseen}, n, first.data(), second.data(), weight.data());
        return weight;
      });
  check_variants(expect([&](double a, double) { return silu(a); }), [&](const KernelTable& table) {
    auto y = x;
    table.silu(y.data(), n, y.data());
    return y;
  });
  check_variants(expect([&](double a, double b) { return b + 0.3 * a; }), [&](const KernelTable& table) {
    auto y = w;
    table.add_scaled(x.data(), 0.3F, n, y.data());
    return y;
  });
  check_variants(
      expect([&](double a, double) { return a; }),
      [&](const KernelTable& table) {
        std::vector<c10::BFloat16> rounded(x.size());
        std::vector<float> y(x.size());
        table.bf16.round(x.data(), n, rounded.data());
        table.bf16.widen(rounded.data(), n, y.data());
        return y;
      },
      1.0 / 256);
}

/// Each pair of dimensions turns as a complex number.
void check_rotation(std::int64_t half) {
  const auto x = random_values<float>(2 * half, 1);
  std::vector<float> cos, sin;
  std::vector<double> expected(x.size());
  for (std::int64_t i = 0; i < 2 * half; ++i) {
    const double angle = 0.7 * static_cast<double>(i % half + 1);
    cos.push_back(static_cast<float>(std::cos(angle)));
    sin.push_back(static_cast<float>(i < half ? -std::sin(angle) : std::sin(angle)));
  }
  for (std::int64_t i = 0; i < half; ++i) {
    const auto low = static_cast<std::size_t>(i), high = static_cast<std::size_t>(i + half);
    const auto turned = std::complex<double>(static_cast<double>(x[low]), static_cast<double>(x[high])) *
                        std::polar(1.0, 0.7 * static_cast<double>(i + 1));
    expected[low] = turned.real();
    expected[high] = turned.imag();
  }
  check_variants(expected, [&](const KernelTable& table) {
    auto y = x;
    table.rotate(y.data(), cos.data(), sin.data(), half);
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
  for (std::size_t i = 1; i < usable.size(); ++i)
    CHECK((usable[i].bf16.multiply_many != usable[i - 1].bf16.multiply_many ||
           usable[i].tiles.multiply != usable[i - 1].tiles.multiply));
}

TEST_CASE("every variant of the product kernel computes the formula, for few vectors and many") {
  for (const std::int64_t width : {1, 5, 15, 16, 17, 37, 48, 64, 95, 96})
    for (const std::int64_t tokens : {1, 3, 4, 9}) {
      CAPTURE(width);
      CAPTURE(tokens);
      check_multiply<float>(width, tokens, 33, &StoredKernels<float>::multiply);
      check_multiply<c10::BFloat16>(width, tokens, 33, &StoredKernels<c10::BFloat16>::multiply);
    }
  for (const std::int64_t width : {1, 17, 48, 95, 96})
    for (const std::int64_t tokens : {16, 37})
      for (const std::int64_t inputs : {24, 300}) {
        CAPTURE(width);
        CAPTURE(tokens);
        CAPTURE(inputs);
        check_multiply<float>(width, tokens, inputs, &StoredKernels<float>::multiply_many);
        check_multiply<c10::BFloat16>(width, tokens, inputs, &StoredKernels<c10::BFloat16>::multiply_many);
      }
}

TEST_CASE(
    "matrix registers compute the same as other variants, for tokens that lie together and that do not") {
  const KernelTable& table = usable_kernels().back();
  if (table.tiles.multiply == nullptr) {
    MESSAGE("skipped: this processor has no matrix registers");
    return;
  }
  constexpr std::int64_t vectors = 70;
  for (const std::int64_t width : {5, 16, 48, 64, 96})
    for (const std::int64_t inputs : {24, 300, 900})
      for (const std::int64_t nth : {1, 3}) {
        CAPTURE(width);
        CAPTURE(inputs);
        CAPTURE(nth);
        const std::int64_t steps = tiles_of(inputs);
        const auto rows = random_values<c10::BFloat16>(inputs * width + 16, 1);
        const auto x = random_values<float>(vectors * inputs, 2);
        std::vector<VectorTile> tiles(static_cast<std::size_t>(tiles_of(vectors) * steps));
        for (std::int64_t t = 0; t < vectors; ++t)
          table.tiles.split(x.data() + t * inputs, inputs, t % tile_size,
                            tiles.data() + t / tile_size * steps);
        std::vector<std::int32_t> tokens;
        std::vector<const float*> from;
        for (std::int32_t t = 0; t < vectors; t += static_cast<std::int32_t>(nth)) {
          tokens.push_back(t);
          from.push_back(x.data() + t * inputs);
        }
        std::vector<float> y(tokens.size() * static_cast<std::size_t>(width)), expected = y;
        std::vector<float*> to, wanted;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
          to.push_back(y.data() + t * static_cast<std::size_t>(width));
          wanted.push_back(expected.data() + t * static_cast<std::size_t>(width));
        }
        const PanelRows<c10::BFloat16> panel{rows.data(), 0, inputs, width, width, rows.data()};
        table.tiles.multiply(panel, tiles.data(), tokens.data(), to.data(), std::ssize(tokens));
        table.bf16.multiply(panel, from.data(), wanted.data(), std::ssize(tokens));
        double furthest = 0;
        for (std::size_t i = 0; i < y.size(); ++i)
          furthest = std::max(furthest, static_cast<double>(std::abs(y[i] - expected[i])));
        CHECK(furthest < 1e-4 * std::sqrt(static_cast<double>(inputs)));
      }
}

TEST_CASE("every variant reads chosen inputs alone, with the sums of a vector that is zero elsewhere") {
  const auto check = []<class T>(T, std::int64_t width, std::int64_t inputs) {
    const auto panel = random_values<T>(inputs * width + 16, 1);
    const auto x = random_values<float>(inputs, 2), before = random_values<float>(width, 3);
    std::vector<float> limits;
    for (std::int64_t i = 0; i < inputs; ++i) limits.push_back(i % 7 == 1 ? 2.0f : 0.4f);
    for (const KernelTable& table : usable_kernels()) {
      const std::string name = table.name;
      CAPTURE(name);
      CAPTURE(width);
      std::vector<std::int32_t> chosen(static_cast<std::size_t>(inputs));
      std::vector<float> cleared(static_cast<std::size_t>(inputs));
      const auto count = table.choose(x.data(), limits.data(), 0, inputs, chosen.data());
      CHECK(table.clear_small(x.data(), limits.data(), inputs, cleared.data()) == count);
      std::int64_t expected_count = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const bool stays = std::abs(x[i]) >= limits[i];
        CHECK(cleared[i] == (stays ? x[i] : 0.0f));
        if (stays) CHECK(chosen[static_cast<std::size_t>(expected_count++)] == static_cast<int>(i));
      }
      CHECK(count == expected_count);
      CHECK((inputs == 1 || (0 < count && count < inputs)));
      auto found = before, expected = before;
      found.push_back(42);  // must not be written
      const float* const from = cleared.data();
      float* const to = expected.data();
      table.of<T>().multiply({panel.data(), 0, inputs, width, width, panel.data()}, &from, &to, 1);
      table.of<T>().multiply_chosen({panel.data(), 0, count, width, width, panel.data()}, chosen.data(),
                                    x.data(), found.data());
      CHECK(found.back() == 42);
      found.pop_back();
      CHECK(found == expected);
    }
  };
  for (const std::int64_t width : {1, 15, 16, 33, 64, 96})
    for (const std::int64_t inputs : {1, 40, 200}) {
      check(float(), width, inputs);
      check(c10::BFloat16(), width, inputs);
    }
}

TEST_CASE("every variant adds chosen rows of any length") {
  const auto check = []<class T>(T, std::int64_t stride, std::int64_t inputs) {
    const auto matrix = random_values<T>(inputs * stride, 1);
    const auto x = random_values<float>(inputs, 2), before = random_values<float>(stride, 3);
    std::vector<std::int32_t> chosen;
    for (std::int64_t i = 0; i < inputs; ++i)
      if (i % 3 != 1) chosen.push_back(static_cast<std::int32_t>(i));
    std::vector<double> expected(before.begin(), before.end());
    for (const std::int32_t i : chosen)
      for (std::int64_t c = 0; c < stride; ++c)
        expected[static_cast<std::size_t>(c)] +=
            static_cast<double>(x[static_cast<std::size_t>(i)]) *
            static_cast<double>(static_cast<float>(matrix[static_cast<std::size_t>(i * stride + c)]));
    check_variants(expected, [&](const KernelTable& table) {
      auto y = before;
      table.of<T>().add_rows({matrix.data(), stride, std::ssize(chosen)}, chosen.data(), x.data(), y.data());
      return y;
    });
  };
  for (const std::int64_t stride : {16, 48, 576})
    for (const std::int64_t inputs : {1, 9, 100}) {
      check(float(), stride, inputs);
      check(c10::BFloat16(), stride, inputs);
    }
}

TEST_CASE("chosen inputs of blocks of Q8_0 give the sums of a vector that is zero elsewhere") {
  constexpr std::int64_t inputs = 200;
  for (const std::int64_t width : {1, 16, 33, 96}) {
    const auto panel = in_blocks(random_values<float>(inputs * width, 1), inputs, width);
    const auto x = random_values<float>(inputs, 2), before = random_values<float>(width, 3);
    const std::vector<float> limits(static_cast<std::size_t>(inputs), 0.6f);
    for (const KernelTable& table : usable_kernels()) {
      const std::string name = table.name;
      CAPTURE(name);
      std::vector<std::int32_t> chosen(static_cast<std::size_t>(inputs));
      std::vector<float> cleared(static_cast<std::size_t>(inputs));
      const auto count = table.choose(x.data(), limits.data(), 0, inputs, chosen.data());
      table.clear_small(x.data(), limits.data(), inputs, cleared.data());
      auto found = before, expected = before;
      const float* const from = cleared.data();
      float* const to = expected.data();
      table.q8_0.multiply({panel.data(), 0, inputs, width, panel.data()}, &from, &to, 1);
      table.q8_0.multiply_chosen({panel.data(), 0, count, width, panel.data()}, chosen.data(), x.data(),
                                 found.data());
      CHECK(found == expected);
    }
  }
}

TEST_CASE("every variant multiplies with blocks of Q8_0 as with the same weights in fp32") {
  for (const std::int64_t width : {1, 5, 16, 37, 64, 95, 96})
    for (const std::int64_t tokens : {1, 3, 4, 9}) {
      CAPTURE(width);
      CAPTURE(tokens);
      check_blocks(width, tokens);
    }
}

TEST_CASE("every variant reads blocks of Q8_0 as GGUF does, and making them again changes nothing") {
  constexpr std::int64_t inputs = 96, width = 21;
  const auto weights = random_values<float>(inputs * width, 4, 0.03);
  const auto panel = in_blocks(weights, inputs, width);
  const GgmlType& type = *find_ggml_type(8);
  std::vector<float> expected(weights.size());
  for (std::int64_t o = 0; o < width; ++o) {  // a column alone lies as in GGUF
    std::vector<float> column, values(inputs);
    for (std::int64_t i = 0; i < inputs; ++i)
      column.push_back(weights[static_cast<std::size_t>(i * width + o)]);
    const auto blocks = in_blocks(column, inputs, 1);
    dequantise(type, std::span(blocks).first(static_cast<std::size_t>(q8_0::bytes(inputs))), values);
    for (std::int64_t i = 0; i < inputs; ++i)
      expected[static_cast<std::size_t>(i * width + o)] = values[static_cast<std::size_t>(i)];
  }
  for (const KernelTable& table : usable_kernels()) {
    std::vector<float> found(weights.size());
    table.q8_0.widen({panel.data(), 0, inputs, width, panel.data()}, found.data());
    CHECK(found == expected);
  }
  CHECK(in_blocks(expected, inputs, width) == panel);
}

// The hash (FNV-1a) is that of what quantize() of gguf-py 0.19 gives for the same 64 blocks: 24 bits of a
// linear congruential generator (1664525, 1013904223) that starts with 8, in magnitudes of 2^-16 to 2^7.
TEST_CASE("weights are rounded to Q8_0 bit for bit as gguf-py does") {
  constexpr std::int64_t count = 64 * q8_0::block_inputs;
  std::vector<float> weights;
  std::uint32_t state = 8;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    const auto value = static_cast<float>(static_cast<std::int32_t>(state >> 8) - (1 << 23)) * 0x1p-23F;
    weights.push_back(std::ldexp(value, i / 32 % 24 - 16));
  }
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto blocks = in_blocks(weights, count, 1);
  for (const std::byte byte : std::span(blocks).first(q8_0::bytes(count)))
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
  CHECK(hash == 0x983becf0634c6de5U);
}

TEST_CASE("every variant of the kernels between products computes the formula") {
  for (const std::int64_t n : {1, 15, 16, 37, 100}) {
    CAPTURE(n);
    check_activations(n);
    check_rotation(n);
  }
}

TEST_CASE("silu has its limits where exp leaves the range of floats") {
  for (const KernelTable& table : usable_kernels()) {
    std::vector<float> x(16, -200.0F), y(16);
    x[1] = 200.0F, x[2] = -88.5F, x[3] = -1e30F;
    table.silu(x.data(), 16, y.data());
    CHECK(std::abs(y[0]) < 1e-30F);
    CHECK(y[1] == 200.0F);
    CHECK(std::abs(y[2]) < 1e-30F);
    CHECK(std::abs(y[3]) < 1e-6F);
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
