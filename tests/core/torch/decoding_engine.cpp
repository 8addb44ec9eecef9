// The decoding engine against the same layers computed by libtorch in fp32.
#include "decode/decoding_engine.h"

#include <string_view>

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include "decode/decoder.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

struct Shape {
  std::int64_t hidden, heads, kv_heads, head_dim, ffn, routed, shared, vocab;
  bool biases = false, qk_norm = false, hidden_router = false, compensated = true;
  std::int64_t sliding_window = 0;
  double multiplier = 1;
};

const std::vector<Shape> shapes = {
    {64, 4, 2, 16, 96, 6, 24, 101},
    {37, 3, 1, 10, 50, 5, 7, 33, true, false, false, true},  // nothing is a multiple of a register
    {48, 4, 4, 128, 300, 2, 100, 64, false, true, true, false, 0, 0.4},    // a head of two panels
    {192, 6, 2, 32, 512, 48, 128, 1000, true, true, false, true, 5, 2.5},  // a sliding window
    {16, 2, 1, 8, 24, 3, 0, 20, false, false, true, true},                 // no shared expert
};

/// Rounds along the inputs, which are dimension `dim` of a matrix, to blocks of Q8_0: 32 values share a scale
/// in half precision, the largest magnitude over 127.
at::Tensor in_blocks(const at::Tensor& matrix, std::int64_t dim) {
  std::vector<at::Tensor> blocks;
  for (const at::Tensor& block : matrix.to(at::kFloat).split(32, dim)) {
    const at::Tensor scale = block.abs().amax(dim, true) / 127;
    const at::Tensor quotient = block * scale.reciprocal();
    const at::Tensor integers = (quotient.abs() + 0.5).floor() * quotient.sign();
    blocks.push_back(integers * scale.to(at::kHalf).to(at::kFloat));
  }
  return at::cat(blocks, dim);
}

at::Tensor positive(std::int64_t count, std::uint64_t seed) { return random_tensor({count}, seed, 0.3) + 1; }

/// A random model of two layers, one dense and one in experts, held in `dtype`.
struct Model {
  ModelConfig config;
  std::vector<DecoderLayer> layers;
  Head head;
  at::Tensor embedding;
  std::shared_ptr<const MoeWeights> moe;

  Model(const Shape& s, at::ScalarType dtype) {
    config.layers = 2;
    config.hidden_size = s.hidden;
    config.heads = s.heads;
    config.kv_heads = s.kv_heads;
    config.head_dim = s.head_dim;
    config.intermediate_size = s.ffn;
    config.vocab_size = s.vocab;
    config.max_positions = 64;
    config.qk_norm = s.qk_norm;
    config.embedding_multiplier = s.multiplier;
    config.residual_multiplier = s.multiplier;
    config.logits_scaling = s.multiplier;
    const auto random = [&](at::IntArrayRef size, std::uint64_t seed) {
      return random_tensor(size, seed, 0.5).to(dtype);
    };
    for (const std::uint64_t seed : {100, 200}) {
      DecoderLayer layer;
      layer.heads = s.heads, layer.kv_heads = s.kv_heads, layer.head_dim = s.head_dim;
      layer.sliding_window = s.sliding_window;
      layer.rms_eps = 1e-5;
      layer.attention_scale = 0.3;
      layer.residual_multiplier = s.multiplier;
      layer.attention_norm = positive(s.hidden, seed).to(dtype);
      layer.ffn_norm = positive(s.hidden, seed + 1).to(dtype);
      layer.q = random({s.heads * s.head_dim, s.hidden}, seed + 2);
      layer.k = random({s.kv_heads * s.head_dim, s.hidden}, seed + 3);
      layer.v = random({s.kv_heads * s.head_dim, s.hidden}, seed + 4);
      layer.o = random({s.hidden, s.heads * s.head_dim}, seed + 5);
      if (s.biases) {
        layer.q_bias = random({s.heads * s.head_dim}, seed + 6);
        layer.k_bias = random({s.kv_heads * s.head_dim}, seed + 7);
        layer.v_bias = random({s.kv_heads * s.head_dim}, seed + 8);
        layer.o_bias = random({s.hidden}, seed + 9);
      }
      if (s.qk_norm) {
        layer.q_norm = positive(s.head_dim, seed + 10).to(dtype);
        layer.k_norm = positive(s.head_dim, seed + 11).to(dtype);
      }
      layers.push_back(layer);
    }
    DenseFfn ffn = *random_ffn(s.hidden, s.ffn, 7, s.biases);
    MoeWeights weights = random_moe(ffn, s.routed, s.shared, 8);
    if (!s.compensated) weights.compensation = at::Tensor();
    if (s.hidden_router) {
      weights.router_hidden = random_tensor({9, s.hidden}, 20, 0.4);
      weights.router_hidden_bias = random_tensor({9}, 21, 0.1);
      weights.router = random_tensor({s.routed, 9}, 22, 0.5);
    }
    moe = std::make_shared<const MoeWeights>(weights.to(at::kCPU, dtype));
    for (at::Tensor* t : {&ffn.gate, &ffn.up, &ffn.down, &ffn.gate_bias, &ffn.up_bias, &ffn.down_bias})
      if (t->defined()) *t = t->to(dtype);
    layers[0].ffn = std::make_shared<DenseFfn>(ffn);
    head = {positive(s.hidden, 30).to(dtype), random({s.vocab, s.hidden}, 31), 1e-5, s.multiplier};
    embedding = random({s.vocab, s.hidden}, 32);
  }

  /// Rounds what is held as q8_0, in fp32.
  void round_to_blocks() {
    for (DecoderLayer& layer : layers)
      for (at::Tensor* t : {&layer.q, &layer.k, &layer.v, &layer.o}) *t = in_blocks(*t, 1);
    DenseFfn ffn = static_cast<const DenseFfn&>(*layers[0].ffn);
    for (at::Tensor* t : {&ffn.gate, &ffn.up, &ffn.down}) *t = in_blocks(*t, 1);
    layers[0].ffn = std::make_shared<DenseFfn>(ffn);
    MoeWeights weights = *moe;
    weights.gate = in_blocks(weights.gate, 1);
    weights.up = in_blocks(weights.up, 1);
    weights.down = in_blocks(weights.down, 0);
    moe = std::make_shared<const MoeWeights>(weights);
    head.weight = in_blocks(head.weight, 1);
  }

  /// The first layer has the cuts of `policy` too. `rows` says whether single tokens read whole rows.
  DecodingEngine engine(const LayerPolicy& policy, Holding holding = Holding::as_stored,
                        bool rows = false) const {
    Arena arena;
    const Preparing preparing{arena, at::get_num_threads(), holding};
    DecodingEngine::Parts parts{embedding, {}, std::make_shared<PreparedHead>(head, preparing)};
    const auto& dense = static_cast<const DenseFfn&>(*layers[0].ffn);
    parts.layers.push_back({std::make_shared<PreparedAttention>(layers[0], preparing),
                            std::make_shared<PreparedFfn>(dense, preparing), LayerPolicy::dense()});
    parts.layers.push_back({std::make_shared<PreparedAttention>(layers[1], preparing),
                            std::make_shared<PreparedFfn>(*moe, preparing), policy});
    for (auto& layer : parts.layers) layer.limits = InputLimits(policy, config, layer.ffn->neuron_norms);
    if (rows) {
      parts.layers[0].rows = std::make_shared<PreparedRows>(layers[0], &dense, arena);
      parts.layers[1].rows = std::make_shared<PreparedRows>(layers[1], nullptr, arena);
    }
    return DecodingEngine(config, Rotary(config, at::kCPU), std::move(parts));
  }

  /// By libtorch, in fp32: logits [B, W, vocab] and the experts that ran in the second layer.
  Decoder::Output expected(const at::Tensor& ids, const LayerPolicy& policy) const {
    const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kFloat) : t; };
    Decoder::Output output;
    at::Tensor h = wide(embedding).index_select(0, ids.flatten()).view({ids.size(0), ids.size(1), -1});
    h = entering_stream(h, config);
    for (std::size_t l = 0; l < 2; ++l) {
      DecoderLayer layer = layers[l];
      for (at::Tensor* t :
           {&layer.attention_norm, &layer.ffn_norm, &layer.q, &layer.k, &layer.v, &layer.o, &layer.q_bias,
            &layer.k_bias, &layer.v_bias, &layer.o_bias, &layer.q_norm, &layer.k_norm})
        *t = wide(*t);
      DenseFfn dense = static_cast<const DenseFfn&>(*layers[0].ffn);
      for (at::Tensor* t :
           {&dense.gate, &dense.up, &dense.down, &dense.gate_bias, &dense.up_bias, &dense.down_bias})
        *t = wide(*t);
      const at::Tensor first = at::zeros({ids.size(0), ids.size(1)}, at::kBool);
      first.select(1, 0).fill_(true);
      const AttentionCuts cuts{policy.cut(Product::qkv).threshold, policy.cut(Product::o).threshold, first};
      h = layer.attend(h, Rotary(config, at::kCPU), nullptr, 0, cuts);
      const CutFfn cut_dense(std::make_shared<const DenseFfn>(dense), policy);
      const MoeLayer sparse(std::make_shared<const MoeWeights>(moe->to(at::kCPU, at::kFloat)), policy);
      const auto added = l == 0 ? layer.add_ffn(h, cut_dense, first) : layer.add_ffn(h, sparse, first);
      h = added.h;
      output.experts.push_back(added.ffn.experts);
    }
    output.logits = Head{wide(head.norm), wide(head.weight), head.rms_eps, head.logits_scaling}.logits(h);
    return output;
  }
};

/// ids [B, W], read from position 0 on in steps of the given widths. Returns the logits of all positions.
at::Tensor read(DecodingEngine& engine, const ModelConfig& config, const at::Tensor& ids,
                std::span<const std::int64_t> widths, at::ScalarType dtype,
                std::vector<std::int32_t>& experts) {
  KvCache cache(config, ids.size(0), ids.size(1), at::kCPU, dtype);
  std::vector<at::Tensor> parts, counts;
  std::int64_t start = 0;
  for (const std::int64_t width : widths) {
    const at::Tensor part = ids.narrow(1, start, width).to(at::kInt).contiguous();
    engine.run({part.data_ptr<std::int32_t>(), static_cast<std::size_t>(part.numel())}, ids.size(0), cache,
               false);
    const auto logits = engine.logits();
    parts.push_back(at::tensor(at::ArrayRef<float>(logits.data(), logits.size()))
                        .view({ids.size(0), width, config.vocab_size}));
    const auto ran = engine.experts(1);
    counts.push_back(
        at::tensor(at::ArrayRef<std::int32_t>(ran.data(), ran.size())).view({ids.size(0), width}));
    start += width;
  }
  const at::Tensor all = at::cat(counts, 1).contiguous();
  experts.assign(all.data_ptr<std::int32_t>(), all.data_ptr<std::int32_t>() + all.numel());
  return at::cat(parts, 1);
}

at::Tensor some_ids(std::int64_t batch, std::int64_t width, std::int64_t vocab) {
  return ((random_tensor({batch, width}, 3) + 1) / 2 * static_cast<double>(vocab))
      .to(at::kLong)
      .clamp(0, vocab - 1);
}

/// The share of positions whose logits differ by more than `tolerance` of the largest logit.
double share_off(const at::Tensor& logits, const at::Tensor& expected, double tolerance) {
  const at::Tensor furthest = (logits - expected).abs().amax(-1) / expected.abs().max();
  return (furthest > tolerance).to(at::kDouble).mean().item<double>();
}

/// AMX rounds the vectors of a prompt to 17 bits.
double bf16_tolerance() { return kernels().tiles.multiply != nullptr ? 1e-4 : 1e-5; }

const std::vector<std::vector<std::int64_t>> ways = {
    {23},  // at once
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {9, 1, 1, 4, 1, 7},
    {3, 20},  // a prompt after a beginning
};

}  // namespace

TEST_CASE("the engine computes what libtorch computes, whatever the shape, the batch and the way") {
  for (const Shape& shape : shapes)
    for (const auto& policy : {LayerPolicy::above(0.05), LayerPolicy::top(2), LayerPolicy::top(0)}) {
      CAPTURE(shape.hidden);
      CAPTURE(to_string(policy));
      const Model model(shape, at::kFloat);
      DecodingEngine engine = model.engine(policy);
      for (const std::int64_t batch : {1, 3, 8}) {
        const at::Tensor ids = some_ids(batch, 23, shape.vocab);
        const auto expected = model.expected(ids, policy);
        for (const auto& way : ways) {
          CAPTURE(batch);
          CAPTURE(way.size());
          std::vector<std::int32_t> experts;
          const at::Tensor logits = read(engine, model.config, ids, way, at::kFloat, experts);
          CHECK(relative_difference(logits, expected.logits) < 1e-5);
          CHECK(
              at::equal(at::tensor(at::ArrayRef<std::int32_t>(experts)).to(at::kFloat), expected.experts[1]));
        }
      }
    }
}

TEST_CASE("the engine leaves out small inputs and neurons as libtorch does, but of no first token") {
  for (const Shape& shape : shapes)
    for (const auto& [dtype, kind] :
         {std::pair{at::kFloat, LayerPolicy::above(0.05)}, std::pair{at::kFloat, LayerPolicy::top(2)},
          std::pair{at::kBFloat16, LayerPolicy::top(2)}}) {
      LayerPolicy policy = kind;
      policy.cut(Product::qkv).threshold = 0.4;
      policy.cut(Product::o).threshold = 0.1;
      policy.cut(Product::gate_up).threshold = 0.5;
      policy.cut(Product::down).threshold = 0.3;
      CAPTURE(shape.hidden);
      CAPTURE(to_string(policy));
      const Model model(shape, dtype);
      // Sums that differ in the last digits may turn the choice of an input near its limit, for all later
      // positions.
      const double most_off = dtype == at::kFloat ? 0 : 0.2;
      const double tolerance = dtype == at::kFloat ? 1e-5 : bf16_tolerance();
      DecodingEngine engine = model.engine(policy), by_rows = model.engine(policy, Holding::as_stored, true);
      for (const std::int64_t batch : {1, 3, 8}) {
        const at::Tensor ids = some_ids(batch, 23, shape.vocab);
        const auto expected = model.expected(ids, policy);
        LayerPolicy all = policy;
        all.cuts = {};
        CHECK(relative_difference(model.expected(ids, all).logits, expected.logits) > 1e-2);
        for (const auto& way : ways) {
          CAPTURE(batch);
          CAPTURE(way.size());
          std::vector<std::int32_t> experts;
          const at::Tensor logits = read(engine, model.config, ids, way, at::kFloat, experts);
          CHECK(share_off(logits, expected.logits, tolerance) <= most_off);
          const at::Tensor of_rows = read(by_rows, model.config, ids, way, at::kFloat, experts);
          CHECK(share_off(of_rows, expected.logits, tolerance) <= most_off);
          for (const Product product : all_products)
            for (const std::size_t layer : {0, 1}) {
              CHECK(engine.read_share(layer, product) > 0);
              CHECK(engine.read_share(layer, product) <= 1);
            }
        }
      }
    }
}

TEST_CASE("weights in bf16 are read as they are, with sums in fp32") {
  const double tolerance = bf16_tolerance();
  for (const Shape& shape : shapes) {
    CAPTURE(shape.hidden);
    const auto policy = LayerPolicy::top(2);
    const Model model(shape, at::kBFloat16);
    DecodingEngine engine = model.engine(policy);
    const at::Tensor ids = some_ids(2, 23, shape.vocab);
    const auto expected = model.expected(ids, policy);
    // Keys and values in bf16 are rounded to 8 bits, which could turn a choice between experts.
    DecodingEngine settled = model.engine(LayerPolicy::top(0));
    const auto of_settled = model.expected(ids, LayerPolicy::top(0));
    for (const auto& way : ways) {
      std::vector<std::int32_t> experts;
      const at::Tensor exact = read(engine, model.config, ids, way, at::kFloat, experts);
      CHECK(relative_difference(exact, expected.logits) < tolerance);
      const at::Tensor coarse = read(settled, model.config, ids, way, at::kBFloat16, experts);
      CHECK(relative_difference(coarse, of_settled.logits) < 5e-2);
    }
  }
}

TEST_CASE("held as q8_0 the engine computes, to the bit, what it computes from the rounded weights") {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16})
    for (const Shape& shape : shapes)
      for (const auto& policy : {LayerPolicy::top(2), LayerPolicy::top(0)}) {
        CAPTURE(shape.hidden);
        CAPTURE(to_string(policy));
        const Model model(shape, dtype);
        Model rounded = model;
        rounded.round_to_blocks();
        DecodingEngine held = model.engine(policy, Holding::q8_0), expected = rounded.engine(policy);
        for (const std::int64_t batch : {1, 3, 8})
          for (const auto& way : ways) {
            CAPTURE(batch);
            CAPTURE(way.size());
            const at::Tensor ids = some_ids(batch, 23, shape.vocab);
            std::vector<std::int32_t> experts, expected_experts;
            const at::Tensor logits = read(held, model.config, ids, way, dtype, experts);
            CHECK(at::equal(logits, read(expected, model.config, ids, way, dtype, expected_experts)));
            CHECK(experts == expected_experts);
          }
      }
}

TEST_CASE("a token reads the bytes that its weights take") {
  const Shape& shape = shapes[3];  // of whole blocks
  const Model model(shape, at::kBFloat16);
  Arena arena;
  const auto bytes = [&](Holding holding, double mean_experts) {
    return PreparedFfn(*model.moe, {arena, 1, holding}).bytes(LayerPolicy::above(0, mean_experts));
  };
  const double d = 192, fp32 = 4, bf16 = 2, q8_0 = 34.0 / 32;
  const double router = fp32 * (48 * d + 48);
  for (const double experts : {0.0, 3.0, 48.0}) {
    const double neurons = 128 + 8 * experts, skipped = bf16 * (48 - experts) * d;
    CAPTURE(experts);
    CHECK(bytes(Holding::as_stored, experts) ==
          doctest::Approx(router + skipped + bf16 * (neurons * (3 * d + 2) + d)));
    CHECK(bytes(Holding::q8_0, experts) ==
          doctest::Approx(router + skipped + q8_0 * neurons * 3 * d + fp32 * neurons * 2 + bf16 * d));
  }
  CHECK(PreparedFfn(static_cast<const DenseFfn&>(*model.layers[0].ffn), {arena, 1, Holding::q8_0})
            .bytes(LayerPolicy::dense()) == doctest::Approx(q8_0 * 512 * 3 * d + fp32 * 512 * 2 + bf16 * d));
}

TEST_CASE("the number of threads changes no more than rounding") {
  const int before = at::get_num_threads();
  const Model model(shapes[3], at::kFloat);
  const auto policy = LayerPolicy::above(0.05);
  const at::Tensor ids = some_ids(2, 23, shapes[3].vocab);
  std::vector<at::Tensor> results;
  for (const int threads : {1, 2, 3, 5}) {
    at::set_num_threads(threads);
    DecodingEngine engine = model.engine(policy);
    std::vector<std::int32_t> experts;
    results.push_back(read(engine, model.config, ids, ways[2], at::kFloat, experts));
    CHECK(relative_difference(results.back(), results.front()) < 1e-6);
    CHECK(at::equal(results.back(), read(engine, model.config, ids, ways[2], at::kFloat, experts)));
  }
  at::set_num_threads(before);
}

TEST_CASE("a full cache is refused, and nothing is stored") {
  const Model model(shapes[0], at::kFloat);
  DecodingEngine engine = model.engine(LayerPolicy::top(1));
  KvCache cache(model.config, 1, 3, at::kCPU, at::kFloat);
  const std::vector<std::int32_t> two = {1, 2};
  engine.run(two, 1, cache, true);
  CHECK_THROWS_WITH(engine.run(two, 1, cache, true), "The KV cache contains 3 tokens; 4 were to be stored.");
  CHECK(cache.length() == 2);
}

TEST_CASE("panels cover every output once") {
  for (const std::int64_t outputs : {1, 16, 17, 96, 97, 576, 960, 11008, 49152})
    for (const int threads : {1, 2, 3, 16}) {
      std::int64_t sum = 0;
      for (const std::int64_t width : even_panels(outputs, threads)) {
        CHECK(width > 0);
        CHECK(width <= widest_panel);
        sum += width;
      }
      CHECK(sum == outputs);
    }
}
