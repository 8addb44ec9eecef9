#include "stream/walk.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "model/weight_source.h"
#include "stream/side_by_side.h"

namespace ladimo {
namespace {

class Pass {
 public:
  Pass(const WeightSource& source, ResidualStream& stream, const Walk& how, const Context& context)
      : source_(source),
        stream_(stream),
        how_(how),
        context_(context),
        chunks_(how.texts != nullptr ? chunks_of(*how.texts) : chunks_of_windows()),
        branches_(how.branches != nullptr ? how.branches->first_layer.size() : 0) {}

  std::vector<ResidualStream> run() {
    for (std::int64_t l = 0; l < how_.layers; ++l) {
      auto layer = how_.load ? how_.load(l) : source_.layer(l);
      if (how_.enter) how_.enter(l, layer);
      if (how_.deal)
        pass_in_halves(l, layer);
      else
        pass_layer(l, layer);
      if (how_.leave) how_.leave(l, std::move(layer));
    }
    return std::move(branches_);
  }

 private:
  /// Windows that are computed together.
  struct Chunk {
    std::int64_t begin = 0, end = 0;
    std::span<const BranchingText> texts;  // empty: every window is a text
  };

  std::vector<Chunk> chunks_of_windows() const {
    const auto together = how_.together > 0
                              ? how_.together
                              : chunk_windows(source_.config().intermediate_size, stream_.positions());
    std::vector<Chunk> chunks;
    for_chunks(stream_.windows(), together, [&](std::int64_t begin, std::int64_t end) {
      chunks.push_back({begin, end, {}});
    });
    return chunks;
  }

  /// Whole texts, all of whose rotary frequencies are the same.
  std::vector<Chunk> chunks_of(const std::vector<BranchingText>& texts) const {
    const auto& config = source_.config();
    const auto most = chunk_rows(config.intermediate_size);
    std::vector<Chunk> chunks;
    std::int64_t row = 0;
    for (std::size_t first = 0, last = 0; first < texts.size(); first = last) {
      Chunk chunk{row, row, {}};
      const auto longest = config.longest_alike(texts[first].length);
      for (; last < texts.size(); ++last) {
        const auto end = chunk.end + texts[last].rows();
        const bool fits = end - chunk.begin <= most && config.longest_alike(texts[last].length) == longest;
        if (last > first && !fits) break;
        chunk.end = end;
      }
      chunk.texts = std::span(texts).subspan(first, last - first);
      chunks.push_back(chunk);
      row = chunk.end;
    }
    return chunks;
  }

  at::Tensor attend(const DecoderLayer& layer, const at::Tensor& h, const Chunk& chunk,
                    const AttentionCuts& cuts, AttentionInputs& inputs) const {
    return chunk.texts.empty() ? layer.attend(h, source_.rotary(), nullptr, 0, cuts, &inputs)
                               : ladimo::attend(layer, h, source_.rotary(), chunk.texts, cuts, inputs);
  }

  /// Which rows of a chunk begin a text: bool [rows].
  at::Tensor first_tokens(const Chunk& chunk) const {
    const at::Tensor first =
        at::zeros({(chunk.end - chunk.begin) * stream_.positions()}, at::TensorOptions(at::kBool));
    auto* const rows = first.data_ptr<bool>();
    std::int64_t row = 0;
    for (const BranchingText& text : chunk.texts) rows[row] = true, row += text.rows();
    if (chunk.texts.empty()) first.view({-1, stream_.positions()}).select(1, 0).fill_(true);
    return first.to(source_.device());
  }

  void pass_layer(std::int64_t l, const DecoderLayer& layer) {
    const auto own_layers =
        branches_.empty() ? std::vector<BranchLayer>() : how_.branches->layers(static_cast<int>(l));
    for (std::size_t m = 0; m < branches_.size(); ++m)
      if (how_.branches->first_layer[m] == l)
        branches_[m] = ResidualStream(source_, stream_.windows(), stream_.positions(), context_);
    const ResidualStream before = stream_;
    if (how_.inputs != nullptr) {
      how_.inputs->push_back(before);
      stream_ = ResidualStream(source_, before.windows(), before.positions(), context_);
    }
    for (const Chunk& chunk : chunks_) {
      context_.check();
      const auto [begin, end, texts] = chunk;
      const auto h = before.read(begin, end);
      AttentionInputs inputs;
      const auto attended = attend(layer, h, chunk, {}, inputs);
      if (!branches_.empty()) pass_branches(l, layer, own_layers, chunk, h, attended);
      const auto out = layer.add_ffn(attended);
      if (how_.see) how_.see({l, begin, end, out.x, out.ffn.y, inputs, out.ffn.hidden, &layer});
      stream_.write(begin, out.h);
      if (!how_.passed) continue;
      const auto own = std::ranges::count_if(branches_, [](const auto& b) { return b.defined(); });
      how_.passed((end - begin) * (1 + own));
    }
  }

  /// `h` and `attended` are the walking model's stream before and after its attention.
  void pass_branches(std::int64_t l, const DecoderLayer& layer, const std::vector<BranchLayer>& own_layers,
                     const Chunk& chunk, const at::Tensor& h, const at::Tensor& attended) {
    const auto first = first_tokens(chunk);
    const auto bytes =
        (chunk.end - chunk.begin) * stream_.positions() * source_.config().intermediate_size * 4;
    side_by_side(attended.device(), std::ssize(branches_), bytes, [&](std::int64_t model) {
      context_.check();
      const auto m = static_cast<std::size_t>(model);
      auto& stream = branches_[m];
      if (!stream.defined()) return;
      const auto& own = own_layers[m];
      const bool cut = own.qkv_threshold > 0 || own.o_threshold > 0;
      const bool leaves = how_.branches->first_layer[m] == l;
      AttentionInputs inputs;
      at::Tensor after = attended;
      if (cut || !leaves)
        after = attend(layer, leaves ? h : stream.read(chunk.begin, chunk.end), chunk,
                       {own.qkv_threshold, own.o_threshold, first}, inputs);
      const auto out = layer.add_ffn(after, own.ffn ? *own.ffn : *layer.ffn, first);
      if (how_.branches->ran) how_.branches->ran(l, m, {out.ffn, inputs});
      stream.write(chunk.begin, out.h);
    });
  }

  /// The FFNs are chosen after all windows have passed the attention of the layer.
  void pass_in_halves(std::int64_t l, const DecoderLayer& layer) {
    for (const Chunk& chunk : chunks_) {
      context_.check();
      AttentionInputs inputs;
      const auto h = attend(layer, stream_.read(chunk.begin, chunk.end), chunk, {}, inputs);
      if (how_.see) {
        const auto out = layer.add_ffn(h);
        how_.see({l, chunk.begin, chunk.end, out.x, out.ffn.y, inputs, out.ffn.hidden, &layer});
      }
      stream_.write(chunk.begin, h);
    }
    const auto dealt = how_.deal(l, layer);
    const auto ffn_of = [&](std::int64_t window) -> const FeedForward& {
      return dealt.empty() ? *layer.ffn : *dealt[static_cast<std::size_t>(window)];
    };
    for (std::int64_t w = 0; w < stream_.windows(); ++w) {
      context_.check();
      stream_.write(w, layer.add_ffn(stream_.read(w, w + 1), ffn_of(w)).h);
    }
    if (how_.passed) how_.passed(stream_.windows());
  }

  const WeightSource& source_;
  ResidualStream& stream_;
  const Walk& how_;
  const Context& context_;
  std::vector<Chunk> chunks_;
  std::vector<ResidualStream> branches_;
};

}  // namespace

at::Tensor LayerChunk::inputs(Product product) const {
  switch (product) {
    case Product::qkv:
      return attention.qkv.flatten(0, -2);
    case Product::o:
      return attention.o.flatten(0, -2);
    case Product::gate_up:
      return x;
    case Product::down:
      break;
  }
  return hidden;
}

std::vector<ResidualStream> walk(const WeightSource& source, ResidualStream& stream, const Walk& how,
                                 const Context& context) {
  return Pass(source, stream, how, context).run();
}

at::Tensor walk_together(const WeightSource& source, const at::Tensor& h, std::int64_t layers,
                         std::function<DecoderLayer(std::int64_t layer)> load) {
  const Context context;
  // In fp32 whatever other streams are kept as: gradients flow through it.
  ResidualStream stream(source, h.size(0), h.size(1), context, at::kFloat);
  stream.write(0, h);
  Walk how;
  how.layers = layers;
  how.together = h.size(0);
  how.load = std::move(load);
  walk(source, stream, how, context);
  return stream.read(0, h.size(0));
}

void walk_back(const WeightSource& source, std::vector<ResidualStream> inputs, ResidualStream& gradient,
               const std::function<void(const BackwardChunk& chunk)>& see,
               const std::function<void(std::int64_t windows)>& passed, const Context& context) {
  // Autograd keeps a chunk's activations and the gradients: about twice what a forward pass holds.
  const auto chunk = chunk_windows(source.config().intermediate_size, gradient.positions(), 2);
  for (; !inputs.empty(); inputs.pop_back()) {
    const auto l = std::ssize(inputs) - 1;
    const auto layer = source.layer(l);
    for_chunks(gradient.windows(), chunk, [&](auto begin, auto end) {
      context.check();
      const at::AutoGradMode with_gradients(true);
      const auto h = inputs.back().read(begin, end).detach().set_requires_grad(true);
      AttentionInputs attention;
      const auto out = layer.add_ffn(layer.attend(h, source.rotary(), nullptr, 0, {}, &attention));
      const auto g = gradient.read(begin, end);
      std::vector<at::Tensor> with_respect_to = {h, attention.qkv, attention.o,
                                                 out.x};  // as `all_products` has them
      if (out.ffn.hidden.defined()) with_respect_to.push_back(out.ffn.hidden);
      const auto gradients = torch::autograd::grad({out.h}, with_respect_to, {g.to(h.scalar_type())});
      const at::NoGradGuard without_gradients;
      // The layer adds m y to the stream.
      BackwardChunk back{
          {l, begin, end, out.x.detach(), out.ffn.y.detach(), attention, out.ffn.hidden, &layer},
          g.flatten(0, 1) * layer.residual_multiplier,
          {}};
      for (at::Tensor* t : {&back.forward.attention.qkv, &back.forward.attention.o, &back.forward.hidden})
        if (t->defined()) *t = t->detach();
      for (std::size_t i = 1; i < gradients.size(); ++i)
        back.input_gradients[i - 1] = gradients[i].to(at::kFloat).view({-1, gradients[i].size(-1)});
      gradient.write(begin, gradients[0].to(at::kFloat));  // over `g`, which may be a view of it
      see(back);
      passed(end - begin);
    });
  }
}

}  // namespace ladimo
