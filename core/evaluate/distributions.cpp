#include "evaluate/distributions.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t rows_per_thread = 8;  // fewer are not worth waking a thread

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
  const auto softmax = kernels().softmax;
  at::parallel_for(0, rows, rows_per_thread, [=](std::int64_t begin, std::int64_t end) {
    for (auto r = begin; r < end; ++r) softmax(z + r * vocab, vocab, p + r * vocab, log_normaliser + r);
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
  const auto diverge = kernels().diverge;
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
  const auto diverge = kernels().diverge;
  at::parallel_for(0, logits.size(0), rows_per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (auto r = begin; r < end; ++r) {
      Divergence row{};
      diverge(dense(r), z + r * vocab, vocab, static_cast<float>(scale), g + r * vocab, &row);
      kl[static_cast<std::size_t>(r)] = row.kl;
    }
  });
  return {std::accumulate(kl.begin(), kl.end(), 0.0), gradient};
}

}  // namespace ladimo
