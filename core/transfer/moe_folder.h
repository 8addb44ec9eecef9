// A model of a MoE class as a folder in the Hugging Face layout, which transformers loads without code of
// ours.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "checkpoint/checkpoint.h"
#include "transfer/layerwise_model.h"
#include "transfer/standard_layer.h"

namespace ladimo {

/// What the files of a MoE class are made from.
struct MoeModel {
  const MoeClass* target = nullptr;
  Checkpoint original;       // everything outside the FFNs, and dense FFNs
  std::vector<bool> routed;  // per layer: whether it has experts
  /// A layer with experts; all of them have the same sizes.
  std::function<std::shared_ptr<const StandardMoe>(int layer)> layer;
  std::string description = {};  // for GGUF

  /// The first layer with experts. Throws Error where there is none.
  int first_routed() const;
};

/// One tensor of a layer with experts, by the class's name without that of the layer.
struct MoeTensor {
  std::string name;
  at::Tensor values;
  bool exact = false;  // stays fp32 whatever the dtype of the weights
};
/// The tensors of one layer in the layout of checkpoints with one tensor per expert, which transformers 4 and
/// 5 read.
std::vector<MoeTensor> folder_tensors(const MoeClass& target, const StandardMoe& layer);

/// config.json of the class, from that of the original. Keys for transformers 4 and 5.
nlohmann::json moe_config(const MoeModel& model);

/// The bytes of weights that write_moe_folder() writes.
std::uint64_t moe_folder_bytes(const MoeModel& model);
/// Writes config.json and the weights into an existing folder, one tensor at a time, shards of at most
/// `shard_bytes`. Throws Error when the disk is full, and Interrupted.
void write_moe_folder(const MoeModel& model, const std::filesystem::path& folder, std::uint64_t shard_bytes,
                      const Context& context);

/// Reads such a folder again (moe_folder_reader.cpp), in fp32. Throws Refusal where it is not
/// what the class has.
LayerwiseModel read_moe_folder(const MoeClass& target, const std::filesystem::path& folder,
                               at::Device device);

}  // namespace ladimo
