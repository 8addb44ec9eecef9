#include "commands/pace_measurement.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/chunking.h"
#include "base/work.h"
#include "convert/adam.h"
#include "convert/distil.h"
#include "convert/ridge.h"
#include "evaluate/distributions.h"
#include "model/decoder_layer.h"

namespace ladimo {
namespace {

constexpr int experts = 48;
constexpr double enough_s = 0.2;       // of repeating one kind of work
constexpr double piece_flops = 150e9;  // about a second; larger pieces are cut down

class Measurement {
 public:
  Measurement(const ModelConfig& config, const Runtime& runtime, const Context& context)
      : config_(config),
        context_(context),
        options_(at::TensorOptions(at::kFloat).device(runtime.device)),
        d_(config.hidden_size),
        f_(config.intermediate_size) {}

  Pace pace() {
    Pace pace;
    pace.forward = forward();
    pace.backward = backward();
    pace.distillation = distillation();
    pace.equations = equations();
    pace.head = head();
    pace.bf16_gain = bf16_gain();
    return pace;
  }

 private:
  /// Operations per second of `work`, which does `flops`: the best of a few times, after one that warms up.
  double rate(double flops, const std::function<void()>& work) const {
    const auto timed = [&] {
      context_.check();
      const WorkMeter meter;
      work();
      if (options_.device().is_cuda()) at::zeros({1}, options_).item<float>();  // waits for the device
      return std::max(meter.seconds(), 1e-9);
    };
    double best = timed(), total = best;
    for (int i = 0; i < 20 && total < enough_s; ++i) {
      const double seconds = timed();
      total += seconds;
      best = std::min(best, seconds);
    }
    return flops / best;
  }

  /// How many rows to compute at a time where each takes `flops`: `most`, or fewer in large models.
  static std::int64_t rows_of(double flops, std::int64_t most) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(piece_flops / flops),
                                    std::min<std::int64_t>(64, most), most);
  }

  at::Tensor random(at::IntArrayRef shape) const { return at::randn(shape, options_).mul_(0.02); }

  std::shared_ptr<DenseFfn> ffn() const {
    auto ffn = std::make_shared<DenseFfn>();
    ffn->gate = random({f_, d_});
    ffn->up = random({f_, d_});
    ffn->down = random({d_, f_});
    return ffn;
  }

  DecoderLayer layer() const {
    const auto width = config_.heads * config_.head_dim, narrow = config_.kv_heads * config_.head_dim;
    DecoderLayer layer;
    layer.attention_norm = layer.ffn_norm = at::ones({d_}, options_);
    layer.q = random({width, d_});
    layer.k = random({narrow, d_});
    layer.v = random({narrow, d_});
    layer.o = random({d_, width});
    layer.ffn = ffn();
    layer.heads = config_.heads;
    layer.kv_heads = config_.kv_heads;
    layer.head_dim = config_.head_dim;
    layer.rms_eps = 1e-5;
    layer.attention_scale = 1;
    return layer;
  }

  double layer_flops(std::int64_t positions) const {
    const auto width = static_cast<double>(config_.heads * config_.head_dim),
               narrow = static_cast<double>(config_.kv_heads * config_.head_dim);
    const auto d = static_cast<double>(d_), f = static_cast<double>(f_);
    return 4 * d * (width + narrow) + 2 * static_cast<double>(positions) * width + 6 * d * f;
  }

  /// The windows of a chunk, as a walk computes them together: [n, positions].
  std::pair<std::int64_t, std::int64_t> chunk(double passes) const {
    const auto rows = rows_of(passes * layer_flops(512), chunk_rows(f_));
    const auto positions = std::min<std::int64_t>({rows, 1024, config_.max_positions});
    return {std::max<std::int64_t>(1, rows / positions), positions};
  }

  double forward() const {
    const auto [windows, positions] = chunk(1);
    const auto one = layer();
    const Rotary rotary(config_, options_.device());
    const auto h = at::randn({windows, positions, d_}, options_);
    return rate(static_cast<double>(windows * positions) * layer_flops(positions),
                [&, &one = one] { one.add_ffn(one.attend(h, rotary)); });
  }

  double backward() const {
    const auto [windows, positions] = chunk(3);
    auto one = layer();
    auto trained = ffn();
    for (at::Tensor* weight : {&trained->gate, &trained->up, &trained->down}) weight->set_requires_grad(true);
    one.ffn = trained;
    const Rotary rotary(config_, options_.device());
    const auto h = at::randn({windows, positions, d_}, options_).set_requires_grad(true);
    // Forward, and twice as much for the FFN's gradients; the attention's weights have none.
    const double ffn_flops = 6 * static_cast<double>(d_) * static_cast<double>(f_);
    const double flops = 2 * layer_flops(positions) + ffn_flops;
    return rate(static_cast<double>(windows * positions) * flops, [&, &one = one] {
      const at::AutoGradMode with_gradients(true);
      const auto out = one.add_ffn(one.attend(h, rotary)).h;
      torch::autograd::grad({out}, {h, trained->gate, trained->up, trained->down}, {at::ones_like(out)});
    });
  }

  double distillation() const {
    const double flops = 14 * static_cast<double>(d_) * static_cast<double>(f_);
    const auto rows = rows_of(flops, 1024);
    MoeWeights weights;
    weights.gate = random({f_, d_});
    weights.up = random({f_, d_});
    weights.down = random({f_, d_});
    weights.down_bias = random({d_});
    weights.shared_neurons = f_ - f_ / 64 * experts;
    const auto x = at::randn({rows, d_}, options_), y = at::randn({rows, d_}, options_);
    const auto mask = (at::rand({rows, experts}, options_) > 0.5).to(at::kFloat);
    const auto row_weight = at::ones({rows, 1}, options_);
    Adam gate(weights.gate), up(weights.up), down(weights.down);
    return rate(static_cast<double>(rows) * flops, [&] {
      const auto gradients = distillation_gradients(weights, x, y, mask, row_weight, at::kFloat).second;
      gate.step(gradients.gate, 1e-6);
      up.step(gradients.up, 1e-6);
      down.step(gradients.down, 1e-6);
    });
  }

  double equations() const {
    const auto n = f_ + experts;
    const double flops = static_cast<double>(n) * static_cast<double>(n + 2 * d_);
    const auto rows = rows_of(flops, chunk_rows(f_));
    const auto a = at::randn({rows, n}, options_), y = at::randn({rows, d_}, options_);
    // A part of the sums: those of a large model would take a gigabyte.
    const auto part = std::min<std::int64_t>(n, 2048);
    auto gram = at::zeros({part, part}, options_.dtype(at::kDouble));
    const auto columns = a.slice(1, 0, part);
    const double done = static_cast<double>(part) * static_cast<double>(part + 2 * d_);
    return rate(static_cast<double>(rows) * done, [&] {
      add_gram(gram, columns);
      at::mm(columns.t(), y);
    });
  }

  double head() const {
    const auto vocab = config_.vocab_size;
    const double flops = 4 * static_cast<double>(d_) * static_cast<double>(vocab);
    const auto rows = rows_of(flops, chunk_logit_rows(vocab));
    Head head;
    head.norm = at::ones({d_}, options_);
    head.weight = random({vocab, d_});
    head.rms_eps = 1e-5;
    const auto h = at::randn({rows, d_}, options_);
    const auto targets = at::zeros({rows}, options_.dtype(at::kLong));
    return rate(static_cast<double>(rows) * flops,
                [&] { Distributions(head.logits(h)).compare(head.logits(h), targets); });
  }

  double bf16_gain() const {
    const double flops = 2 * static_cast<double>(d_) * static_cast<double>(f_);
    const auto rows = rows_of(flops, 1024);
    const auto in = [&](at::ScalarType dtype) {
      const auto x = at::randn({rows, d_}, options_).to(dtype), w = random({f_, d_}).to(dtype);
      return rate(static_cast<double>(rows) * flops, [&] { at::mm(x, w.t()); });
    };
    return in(at::kBFloat16) / in(at::kFloat);
  }

  const ModelConfig& config_;
  const Context& context_;
  at::TensorOptions options_;
  std::int64_t d_, f_;
};

}  // namespace

Pace pace_of_machine(const ModelConfig& config, const Runtime& runtime, const Context& context) {
  const PaceCache cache;
  const int threads = at::get_num_threads();
  const std::string device = runtime.device.str();
  if (const auto known = cache.find(config, threads, device)) return *known;
  const Pace pace = Measurement(config, runtime, context).pace();
  cache.keep(config, threads, device, pace);
  return pace;
}

}  // namespace ladimo
