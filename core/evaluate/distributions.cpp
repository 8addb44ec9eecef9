#include "evaluate/distributions.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "kernels/simd.h"

namespace ladimo {
namespace {

using simd::Floats;
using simd::lanes;

constexpr std::int64_t chunk_bytes = std::int64_t{4} << 20;  // one [rows, V] fp32 matrix
constexpr std::int64_t least_rows = 128;                     // fewer and the head is read too often
constexpr std::int64_t rows_per_thread = 8;                  // fewer are not worth waking a thread
constexpr std::int64_t block = 64 * lanes;                   // summed in float, the blocks in double

LADIMO_INLINE float largest(const float* z, std::int64_t n) {
  float result = z[0];
  std::int64_t c = 0;
  if (n >= lanes) {
    Floats most, v;
    simd::load(z, most);
    for (c = lanes; c + lanes <= n; c += lanes) {
      simd::load(z + c, v);
      most = v > most ? v : most;
    }
    for (std::int64_t i = 0; i < lanes; ++i) result = most[i] > result ? most[i] : result;
  }
  for (; c < n; ++c) result = z[c] > result ? z[c] : result;
  return result;
}

// e = exp(z - most); returns their sum.
LADIMO_INLINE double exponentials(const float* z, float most, std::int64_t n, float* e) {
  double total = 0;
  std::int64_t c = 0;
  while (c + lanes <= n) {
    Floats sum{}, v;
    for (const std::int64_t end = std::min(c + block, n); c + lanes <= end; c += lanes) {
      simd::load(z + c, v);
      v -= most;
      simd::exponential(v);
      simd::store(v, e + c);
      sum += v;
    }
    total += static_cast<double>(simd::sum(sum));
  }
  for (; c < n; ++c) total += static_cast<double>(e[c] = std::exp(z[c] - most));
  return total;
}

// sum p (a - b)
LADIMO_INLINE double mean_difference(const float* p, const float* a, const float* b, std::int64_t n) {
  double total = 0;
  std::int64_t c = 0;
  while (c + lanes <= n) {
    Floats sum{}, u, v, w;
    for (const std::int64_t end = std::min(c + block, n); c + lanes <= end; c += lanes) {
      simd::load(p + c, u);
      simd::load(a + c, v);
      simd::load(b + c, w);
      sum += u * (v - w);
    }
    total += static_cast<double>(simd::sum(sum));
  }
  for (; c < n; ++c) total += static_cast<double>(p[c] * (a[c] - b[c]));
  return total;
}

// x = factor x - scale p
LADIMO_INLINE void subtract(float* x, float factor, const float* p, float scale, std::int64_t n) {
  Floats u, v;
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    simd::load(x + c, u);
    simd::load(p + c, v);
    u = factor * u - scale * v;
    simd::store(u, x + c);
  }
  for (; c < n; ++c) x[c] = factor * x[c] - scale * p[c];
}

LADIMO_CLONES void normalise(const float* z, std::int64_t n, float* p, double* log_normaliser) {
  const float most = largest(z, n);
  const double sum = exponentials(z, most, n, p);
  const auto factor = static_cast<float>(1 / sum);
  for (std::int64_t c = 0; c < n; ++c) p[c] *= factor;
  *log_normaliser = static_cast<double>(most) + std::log(sum);
}

// One row of the dense model.
struct DenseRow {
  const float *logits, *p;
  double log_normaliser;
};

struct Divergence {
  double kl, log_normaliser;
  float most;
};

// `gradient` is room for [n]; with a scale of 0 what is left there says nothing.
LADIMO_CLONES void diverge(const DenseRow& dense, const float* z, std::int64_t n, float scale,
                           float* gradient, Divergence* row) {
  row->most = largest(z, n);
  const double sum = exponentials(z, row->most, n, gradient);
  row->log_normaliser = static_cast<double>(row->most) + std::log(sum);
  // sum p (ln p - ln q)
  const double kl = mean_difference(dense.p, dense.logits, z, n) + row->log_normaliser - dense.log_normaliser;
  row->kl = kl < 0 ? 0 : kl;  // not a number stays
  if (scale != 0) subtract(gradient, static_cast<float>(static_cast<double>(scale) / sum), dense.p, scale, n);
}

auto rows_of(const at::Tensor& logits, const at::Tensor& probabilities, const at::Tensor& log_normaliser) {
  return [z = logits.data_ptr<float>(), p = probabilities.data_ptr<float>(),
          log_of = log_normaliser.data_ptr<double>(), vocab = logits.size(1)](std::int64_t r) {
    return DenseRow{z + r * vocab, p + r * vocab, log_of[r]};
  };
}

at::Tensor log_probability(const at::Tensor& logits, const at::Tensor& log_normaliser,
                           const at::Tensor& targets) {
  return logits.gather(1, targets.unsqueeze(1)).squeeze(1) - log_normaliser;
}

}  // namespace

Distributions::Distributions(const at::Tensor& logits) : logits_(logits.to(at::kFloat).contiguous()) {
  top_ = logits_.argmax(1);
  if (!logits_.is_cpu()) {
    log_normaliser_ = logits_.logsumexp(1);
    probabilities_ = (logits_ - log_normaliser_.unsqueeze(1)).exp();
    return;
  }
  const auto rows = logits_.size(0), vocab = logits_.size(1);
  probabilities_ = at::empty_like(logits_);
  log_normaliser_ = at::empty({rows}, logits_.options().dtype(at::kDouble));
  const auto* z = logits_.data_ptr<float>();
  auto* p = probabilities_.data_ptr<float>();
  auto* log_normaliser = log_normaliser_.data_ptr<double>();
  at::parallel_for(0, rows, rows_per_thread, [=](std::int64_t begin, std::int64_t end) {
    for (auto r = begin; r < end; ++r) normalise(z + r * vocab, vocab, p + r * vocab, log_normaliser + r);
  });
}

at::Tensor Distributions::nll(const at::Tensor& targets) const {
  return -log_probability(logits_, log_normaliser_.to(at::kFloat), targets);
}

RowScores Distributions::compare(const at::Tensor& given, const at::Tensor& targets) const {
  const auto logits = given.to(at::kFloat).contiguous();
  const auto at_top = logits.gather(1, top_.unsqueeze(1)).squeeze(1);
  if (!logits.is_cpu()) {
    const auto log_q = logits.log_softmax(1);
    const auto log_p = logits_ - log_normaliser_.unsqueeze(1);
    return {(probabilities_ * (log_p - log_q)).sum(1).clamp_min(0),
            -log_q.gather(1, targets.unsqueeze(1)).squeeze(1), (at_top >= logits.amax(1)).to(at::kByte)};
  }
  auto kl = at::empty({logits.size(0)}, logits.options());
  auto log_normaliser = at::empty_like(kl), most = at::empty_like(kl);
  const auto vocab = logits.size(1);
  const auto dense = rows_of(logits_, probabilities_, log_normaliser_);
  const auto* z = logits.data_ptr<float>();
  auto *kl_of = kl.data_ptr<float>(), *log_of = log_normaliser.data_ptr<float>(),
       *most_of = most.data_ptr<float>();
  at::parallel_for(0, logits.size(0), rows_per_thread, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> room(static_cast<std::size_t>(vocab));
    for (auto r = begin; r < end; ++r) {
      Divergence row{};
      diverge(dense(r), z + r * vocab, vocab, 0, room.data(), &row);
      kl_of[r] = static_cast<float>(row.kl);
      log_of[r] = static_cast<float>(row.log_normaliser);
      most_of[r] = row.most;
    }
  });
  return {kl, -log_probability(logits, log_normaliser, targets), (at_top >= most).to(at::kByte)};
}

std::pair<double, at::Tensor> Distributions::kl_gradient(const at::Tensor& given, double scale) const {
  const auto logits = given.to(at::kFloat).contiguous();
  if (!logits.is_cpu()) {
    const auto log_q = logits.log_softmax(1);
    const auto log_p = logits_ - log_normaliser_.unsqueeze(1);
    return {(probabilities_ * (log_p - log_q)).sum().item<double>(), (log_q.exp() - probabilities_) * scale};
  }
  auto gradient = at::empty_like(logits);
  std::vector<double> kl(static_cast<std::size_t>(logits.size(0)));
  const auto vocab = logits.size(1);
  const auto dense = rows_of(logits_, probabilities_, log_normaliser_);
  const auto* z = logits.data_ptr<float>();
  auto* g = gradient.data_ptr<float>();
  at::parallel_for(0, logits.size(0), rows_per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (auto r = begin; r < end; ++r) {
      Divergence row{};
      diverge(dense(r), z + r * vocab, vocab, static_cast<float>(scale), g + r * vocab, &row);
      kl[static_cast<std::size_t>(r)] = row.kl;
    }
  });
  return {std::accumulate(kl.begin(), kl.end(), 0.0), gradient};
}

std::int64_t Distributions::rows_at_once(std::int64_t vocab_size) {
  return std::max(least_rows, chunk_bytes / (4 * vocab_size));
}

}  // namespace ladimo
