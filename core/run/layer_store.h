// The converted layers of a run, in the generations that the steps of a conversion leave behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "checkpoint/safetensors.h"
#include "policy/moe_shape.h"

namespace ladimo {

/// layers/000.json: what stage 1 records about a layer. It holds no times, so that a resumed run has the same
/// bytes. Losses are normalised squared errors on validation rows.
struct LayerRecord {
  int layer = 0;
  double loss_before = 0;  // with partition, router and compensation alone
  double loss_refit = 0;   // after the refit
  double loss_after = 0;   // after the distillation
  double router_r2 = 0;    // held-out share of the contribution norms' variance that the router explains
  std::vector<double> held_out_losses;  // after each epoch
  std::optional<MoeShape> shape;        // what the layer costs; absent in runs of earlier versions
  std::string hash;                     // of the weights' file; filled in when the layer is stored
};
nlohmann::json to_json(const LayerRecord& record);
/// Reads what to_json() writes. Throws Refusal that names the file and the key.
LayerRecord layer_record_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});

/// second-sweep/000.json. Losses are normalised squared errors on held-back windows of the converted model's
/// own trajectory, mean over the recipe's levels.
struct SweepRecord {
  int layer = 0;
  double loss_before = 0;
  double loss_after = 0;  // equal to loss_before when the layer is unchanged
  std::string hash;       // of the weights' file, filled in when they are stored; empty: unchanged layer
};

/// finish.json: one record for all layers, because they were trained together.
struct FinishRecord {
  /// On validation windows. When all layers are trained together, one number after every epoch: the mean over
  /// slider positions of ln(KL / KL before). When they are trained block by block, one number for every
  /// block: the mean of ln(error / error before), 0 where the block is unchanged.
  std::vector<double> held_out_losses;
  std::map<int, std::string> hashes;  // of every layer's file; empty: all layers are unchanged
};

nlohmann::json to_json(const FinishRecord& record);
/// Reads what to_json() writes. Throws Refusal that names the file and the key.
FinishRecord finish_record_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});

/// What a converted layer costs, from the shapes of its tensors (whose names begin with `prefix`) and the
/// metadata of its file. No weights are read. Precondition: it is a converted layer.
MoeShape stored_shape(const TensorStore& store, const std::string& prefix,
                      const std::map<std::string, std::string>& metadata);

/// The layers of one run folder. Files are written atomically, and every record holds the hash of its
/// weights.
///
/// Several processes may convert layers of one run. Each of them claims the layer that it works on and renews
/// the claim in the background. When a process dies its claim expires, and the layer is free again.
class LayerStore {
 public:
  /// Writes a layer's weights to `file`, atomically.
  using Write = std::function<void(const std::filesystem::path& file)>;

  explicit LayerStore(std::filesystem::path run);

  /// Whether stage 1 has finished a layer. done() looks at the names of its files only; intact() also reads
  /// the weights and compares their hash with the record.
  bool done(int layer) const;
  bool intact(int layer) const;
  /// What stage 1 recorded of a layer, and what the layer costs. Precondition: stage 1 has finished the
  /// layer. Throw Refusal for a broken file.
  LayerRecord record(int layer) const;
  MoeShape shape(int layer) const;

  /// Whether the second sweep has finished a layer. sweep_done() looks at the names of its files only;
  /// sweep_intact() also compares the hash of its weights with the record.
  bool sweep_done(int layer) const;
  bool sweep_intact(int layer) const;
  /// The records of the second sweep and of the finish; absent when there are none. Throw Refusal for a
  /// broken file.
  std::optional<SweepRecord> sweep(int layer) const;
  std::optional<FinishRecord> finish() const;
  /// Whether the finish is recorded and every layer that it wrote is intact.
  bool finish_intact() const;
  std::filesystem::path finish_file() const { return run_ / "finish.json"; }

  /// Stores a layer of stage 1: writes its weights, reads them back for their hash, then writes the record.
  /// Throws Error (disk full).
  void put(LayerRecord record, const Write& write) const;
  /// Stores a layer of the second sweep. Without `write` the layer stays as it was.
  void put(SweepRecord record, const Write& write) const;
  /// Stores a layer of the finish and returns the hash of its file. It counts when put() has stored a record
  /// with that hash.
  std::string put_finished(int layer, const Write& write) const;
  void put(const FinishRecord& record) const;

  /// The file of a layer's weights. stage1_weights() are those of stage 1. weights_before_finish() are those
  /// of the second sweep if it was kept, else of stage 1. weights() are those in use: of the finish if it was
  /// kept, else those before it. The first call for a file checks its hash. Throw Refusal when the layer is
  /// not converted or its file is damaged.
  std::filesystem::path stage1_weights(int layer) const;
  std::filesystem::path weights_before_finish(int layer) const;
  std::filesystem::path weights(int layer) const;

  /// A layer that this process works on. A thread renews the claim until the object is destroyed.
  class Claim {
   public:
    ~Claim();
    Claim(Claim&&) noexcept;
    Claim& operator=(Claim&&) = delete;

   private:
    friend class LayerStore;
    struct Heart;
    explicit Claim(std::unique_ptr<Heart> heart);
    std::unique_ptr<Heart> heart_;
  };
  /// Claims a layer. Returns nothing where another process holds a claim that has not expired. A claim
  /// expires `lifetime` after it was last renewed.
  std::optional<Claim> claim(int layer, std::chrono::milliseconds lifetime = std::chrono::seconds(60)) const;

 private:
  struct File {
    std::filesystem::path path;
    std::string hash;
  };
  std::filesystem::path file(const char* folder, int layer, const char* ending) const;
  File stage1_file(int layer) const;
  File file_before_finish(int layer) const;
  bool is_intact(const File& file) const;
  std::filesystem::path checked(int layer, const File& file) const;
  std::string written(const std::filesystem::path& file, const Write& write) const;
  void require_done(int layer) const;

  std::filesystem::path run_;
  struct Checked;
  std::shared_ptr<Checked> checked_;  // files whose hashes were found correct
};

}  // namespace ladimo
