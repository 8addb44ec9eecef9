#include <cmath>
#include <numbers>
#include <numeric>

#include <ATen/ATen.h>

#include "convert/adam.h"
#include "convert/ridge.h"
#include "convert/router_fit.h"

namespace ladimo {
namespace {

constexpr int epochs = 5, least_steps = 400;
constexpr std::int64_t batch_rows = 1024;
constexpr double learning_rate = 0.02;  // times the root mean square of each weight

/// Normally distributed numbers from our own generator (Box and Muller 1958).
at::Tensor normal(at::IntArrayRef shape, Random& random, const at::TensorOptions& options) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values)
    value = static_cast<float>(std::sqrt(-2 * std::log(1 - random.uniform())) *
                               std::cos(2 * std::numbers::pi * random.uniform()));
  return at::tensor(values).view(shape).to(options);
}

at::Tensor units(const RouterFit& router, const at::Tensor& x) {
  return at::silu(at::addmm(router.hidden_bias, x, router.hidden.t()));
}

/// Fits the best readout of the hidden units, which stay as they are.
void fit_readout(RouterFit& router, const LayerRows& rows, const at::Tensor& targets, double ridge) {
  const auto rank = router.hidden.size(0);
  const auto wide = rows.options().dtype(at::kDouble);
  auto gram = at::zeros({rank + 1, rank + 1}, wide);
  auto moment = at::zeros({rank + 1, targets.size(1)}, wide);
  for_chunks(rows.count(), chunk_rows(rows.hidden_size()), [&](std::int64_t begin, std::int64_t end) {
    const auto a = with_one(units(router, rows.x(begin, end)));
    add_gram(gram, a);
    moment += at::mm(a.t(), targets.slice(0, begin, end));
  });
  const auto solution = ridge_solution(gram, moment, ridge);
  router.weight = solution.slice(0, 0, rank).t().contiguous();
  router.bias = solution[rank].clone();
}

/// Adam on all weights of a router.
class RouterTraining {
 public:
  explicit RouterTraining(RouterFit& router)
      : router_(router),
        hidden_(router.hidden),
        hidden_bias_(router.hidden_bias),
        weight_(router.weight),
        bias_(router.bias) {}

  /// One step on the mean squared error, with gradients by hand. x [n, d], targets [n, E].
  void step(const at::Tensor& x, const at::Tensor& targets, double rate) {
    const auto z = at::addmm(router_.hidden_bias, x, router_.hidden.t());
    const auto sigmoid = z.sigmoid();
    const auto h = z * sigmoid;
    const auto error =
        (at::addmm(router_.bias, h, router_.weight.t()) - targets) * (2 / static_cast<double>(x.size(0)));
    // d silu(z)/dz = sigmoid + silu (1 - sigmoid)
    const auto dz = at::mm(error, router_.weight) * (sigmoid + h * (1 - sigmoid));
    weight_.step(at::mm(error.t(), h), rate);
    bias_.step(error.sum(0), rate);
    hidden_.step(at::mm(dz.t(), x), rate);
    hidden_bias_.step(dz.sum(0), rate);
  }

 private:
  RouterFit& router_;
  Adam hidden_, hidden_bias_, weight_, bias_;
};

}  // namespace

RouterFit fit_hidden_router(const LayerRows& rows, const at::Tensor& targets, int rank, double ridge,
                            Random random, const Context& context) {
  const auto training = rows.train();
  const auto d = rows.hidden_size();
  const auto chunk = chunk_rows(d);
  RouterFit router;
  // Each unit starts with about unit variance over the tokens.
  const auto norms = in_chunks(training.count(), chunk, [&](std::int64_t begin, std::int64_t end) {
    return training.x(begin, end).square().sum(1);
  });
  const double scale = 1 / std::max(norms.mean().sqrt().item<double>(), 1e-12);
  router.hidden = normal({rank, d}, random, rows.options()) * scale;
  router.hidden_bias = normal({rank}, random, rows.options()) * 0.5;
  fit_readout(router, training, targets.slice(0, 0, rows.training()), ridge);

  RouterTraining work(router);
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows.training()));
  std::iota(order.begin(), order.end(), 0);
  const auto batches = std::max<std::int64_t>(1, rows.training() / batch_rows);
  const auto rounds = std::max<std::int64_t>(epochs, least_steps / batches);
  const auto steps = static_cast<double>(batches * rounds);
  int done = 0;
  for (std::int64_t round = 0; round < rounds; ++round) {
    random.shuffle(order);
    const auto index = at::tensor(order).to(targets.device());
    for (std::int64_t batch = 0; batch < batches; ++batch) {
      context.check();
      const auto pick =
          index.slice(0, batch * batch_rows, std::min((batch + 1) * batch_rows, rows.training()));
      work.step(rows.x(pick), targets.index_select(0, pick), learning_rate * scheduled(++done / steps));
    }
  }
  fit_readout(router, training, targets.slice(0, 0, rows.training()), ridge);
  const auto judges = rows.validation();
  const auto predicted = in_chunks(judges.count(), chunk, [&](std::int64_t begin, std::int64_t end) {
    return at::addmm(router.bias, units(router, judges.x(begin, end)), router.weight.t());
  });
  router.r2 = explained(predicted, targets.slice(0, rows.training()));
  return router;
}

}  // namespace ladimo
