// One walk through all layers for few tokens or many, without an operator of libtorch and without allocating
// memory: norm, projections, rotary embedding, attention over the cache, router, selection, SwiGLU in the
// experts that run, head. Dense and sparse layers read their weights through the same kernel, so a sparse one
// is faster by what it does not read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "decode/input_limits.h"
#include "decode/prepared_weights.h"
#include "decode/routing.h"
#include "kernels/team.h"
#include "model/kv_cache.h"
#include "model/rotary.h"
#include "policy/layer_policy.h"

namespace ladimo {

class DecodingEngine {
 public:
  struct Layer {
    std::shared_ptr<const PreparedAttention> attention;
    std::shared_ptr<const PreparedFfn> ffn;
    LayerPolicy policy;  // dense where `ffn` has no router
    InputLimits limits = {};
    std::shared_ptr<const PreparedRows> rows = {};  // where there are limits; null: panels are read instead
  };
  struct Parts {
    at::Tensor embedding;  // [vocab, d] fp32 or bf16, on the CPU
    std::vector<Layer> layers;
    std::shared_ptr<const PreparedHead> head;
  };
  DecodingEngine(const ModelConfig& config, const Rotary& rotary, Parts parts);
  ~DecodingEngine();

  /// Appends `ids`, `ids.size() / batch` for each sequence of the cache, one sequence after another.
  /// Activations and sums are fp32, keys and values have the dtype of the cache. Throws Error when the cache
  /// is full, and Refusal beyond the model's last position. Not thread-safe. Precondition: every id
  /// is in the vocabulary.
  void run(std::span<const std::int32_t> ids, std::int64_t batch, KvCache& cache, bool last_only);

  /// The logits of the last run, [rows, vocab]: of all its tokens, or of the last one of every sequence.
  /// Valid until the next run.
  std::span<const float> logits() const { return {logits_.data(), logits_size_}; }
  /// Sequences of the last run.
  std::int64_t batch() const { return rows_ / width_; }
  /// How many routed experts of a layer ran for each token of the last run; empty for a dense layer.
  std::span<const std::int32_t> experts(std::size_t layer) const;
  /// The mean share of a product's inputs that were read in the last run; of `down`, of all neurons. 1 where
  /// the inputs have no limits.
  double read_share(std::size_t layer, Product product) const;

 private:
  struct Desk;  // what one thread needs for itself

  void make_room(std::int64_t rows, std::int64_t wanted, std::int64_t positions);
  void make_attention_room();
  void embed(std::span<const std::int32_t> ids);
  void walk(const Team::Member& me);
  float* const* normed(const Team::Member& me, Desk& desk, const std::vector<float>& weight, float eps);
  bool begins(std::int64_t row) const { return start_ == 0 && row % width_ == 0; }
  std::int64_t choose_from(const float* x, const std::vector<float>& limits, Range range, std::int64_t row,
                           std::int32_t* inputs) const;
  /// Which inputs of a product are read, and from where.
  enum class Reading {
    all,     // all, of panels
    chosen,  // those in desk.chosen, of panels
    rows,    // the same, of whole rows: every member has its sums in `partial_`
    tiles,   // all, of panels, by many vectors that are split in `split_`
  };
  Reading choose_inputs(const Team::Member& me, Desk& desk, std::size_t layer, Product product,
                        const PanelMatrix& matrix, float* const* x);
  Reading choose_neurons(const Team::Member& me, Desk& desk, std::size_t layer);
  Reading read_rows(const Team::Member& me, Desk& desk, std::size_t layer, Product product, const float* x);
  Reading split(const Team::Member& me, const PanelMatrix& matrix, const float* const* x, std::int64_t rows);
  void add_partial(Range columns, float* y) const;
  void multiply_panel(Desk& desk, const PanelMatrix& matrix, std::int64_t panel, Reading reading,
                      const float* const* x, std::span<const std::int32_t> tokens, const void* next) const;
  void project_qkv(const Team::Member& me, Desk& desk, std::size_t layer, float* const* x);
  void finish_head(const PreparedAttention& attention, std::int64_t head, std::size_t layer);
  void attend_one(const Team::Member& me, Desk& desk, std::size_t layer);
  void attend_many(Desk& desk, std::size_t layer);
  template <class T>
  void attend_queries(Desk& desk, std::size_t layer, std::int64_t unit, std::int64_t queries);
  void project_o(const Team::Member& me, Desk& desk, std::size_t layer);
  void multiply_router(const Team::Member& me, Desk& desk, const PanelMatrix& matrix, const float* const* x,
                       float* y, std::int64_t stride) const;
  void route(const Team::Member& me, Desk& desk, const Layer& layer, const float* const* x);
  void count_experts(const Desk& desk, std::size_t layer);
  std::span<const std::int32_t> tokens_of(const Desk& desk, const PreparedFfn::Block& block) const;
  bool takes_all_neurons(const Desk& desk, const Layer& layer) const;
  void run_block(Desk& desk, const PreparedFfn& ffn, std::int64_t index, Reading reading,
                 const float* const* x, const void* next);
  void run_neurons(const Team::Member& me, Desk& desk, std::size_t layer, float* const* x);
  void project_down(const Team::Member& me, Desk& desk, std::size_t layer);
  void project_head(const Team::Member& me, Desk& desk);
  void multiply(const Team::Member& me, Desk& desk, const PanelMatrix& matrix, Reading reading,
                const float* const* x, std::int64_t tokens, float* y, std::int64_t stride) const;
  void add_to_stream(Desk& desk, const PanelMatrix& matrix, std::int64_t panel, float factor);
  const void* after_ffn(const Team::Member& me, std::size_t layer) const;

  ModelConfig config_;
  Rotary rotary_;
  Parts parts_;
  Team team_;
  std::vector<std::unique_ptr<Desk>> desks_;

  // The run at hand.
  std::int64_t rows_ = 0, width_ = 0, start_ = 0, wanted_ = 0;
  bool last_only_ = false, attends_in_tiles_ = false;
  std::atomic<std::int64_t> claimed_ = 0;         // blocks of queries that have somebody
  std::atomic<std::int64_t> claimed_blocks_ = 0;  // the same of neurons
  KvCache* cache_ = nullptr;
  Rotary::Tables turns_;

  // Activations [rows, ...] fp32. Inputs of a product are followed by a 1, which a bias is multiplied with.
  std::int64_t room_ = 0;  // rows
  std::int64_t x_stride_, qkv_stride_, attended_stride_, h_stride_, routing_stride_, hidden_stride_;
  std::vector<float> stream_;                    // [rows, d] the residual stream
  std::vector<float> x_;                         // [rows, d + 1]
  std::vector<float> qkv_;                       // [rows, (heads + 2 kv_heads) head_dim]
  std::vector<float> attended_;                  // [rows, heads head_dim + 1]
  std::vector<float> h_;                         // [rows, f]
  std::vector<float> hidden_;                    // [rows, r + 1] of routers
  std::vector<float> routing_;                   // [rows, E]
  std::vector<std::int32_t> experts_;            // [layers, rows]
  std::vector<std::atomic<std::int64_t>> read_;  // [layers, products] inputs that were read, of all rows
  std::vector<float> ones_;                      // [E + 1]
  std::vector<VectorTile> split_;                // [rows / 32, inputs / 32] the vectors of a product
  std::int64_t split_steps_ = 0;                 // the most inputs / 32
  std::vector<float> partial_;                   // [threads, partial_stride_] sums over a member's rows
  std::int64_t partial_stride_ = 0;
  std::atomic<int> members_ = 0;  // of the team at work
  std::vector<float> logits_;
  std::size_t logits_size_ = 0;
};

}  // namespace ladimo
