#include "transfer/native_folder.h"

#include <map>
#include <utility>
#include <vector>

#include "base/files.h"

namespace ladimo {
namespace {

/// Where every tensor of the folder comes from, in file order.
class Sources {
 public:
  Sources(const Checkpoint& original, const NativeSection& section,
          const std::function<TensorStore(std::int64_t layer)>& layer_file) {
    for (const ExpectedTensor& tensor : expected_tensors(original.config())) {
      const auto& layer = section.layers[static_cast<std::size_t>(tensor.layer)];
      if (is_ffn(tensor.role) && !layer.dense) continue;
      add(tensor.name, original.store().at(tensor.name));
      if (tensor.role != Role::ffn_norm || !layer.converted) continue;
      stores_.push_back(layer_file(tensor.layer));
      for (const auto& [name, view] : stores_.back().tensors()) add(native_prefix(tensor.layer) + name, view);
    }
  }

  const std::vector<TensorSpec>& specs() const { return specs_; }
  const TensorView& at(const std::string& name) const { return *views_.at(name); }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const TensorSpec& spec : specs_) sum += spec.bytes();
    return sum;
  }

 private:
  void add(const std::string& name, const TensorView& view) {
    specs_.push_back({name, view.dtype, view.shape});
    views_.emplace(name, &view);
  }

  std::vector<TensorStore> stores_;  // mapped as long as their tensors are copied
  std::vector<TensorSpec> specs_;
  std::map<std::string, const TensorView*> views_;
};

}  // namespace

void write_native_weights(const std::filesystem::path& folder, const Checkpoint& original,
                          const NativeSection& section,
                          const std::function<TensorStore(std::int64_t layer)>& layer_file,
                          std::uint64_t shard_bytes, const Context& context) {
  const Sources sources(original, section, layer_file);
  Progress progress(context, static_cast<std::int64_t>(sources.bytes()));
  write_sharded(folder, sources.specs(), shard_bytes,
                [&](const TensorSpec& spec) {
                  const auto& bytes = sources.at(spec.name).bytes;
                  progress.advance(static_cast<std::int64_t>(bytes.size()));
                  return std::vector<std::byte>(bytes.begin(), bytes.end());
                },
                {{"format", "pt"}});
}

std::uint64_t native_weight_bytes(const Checkpoint& original, const NativeSection& section,
                                  const std::function<TensorStore(std::int64_t layer)>& layer_file) {
  return Sources(original, section, layer_file).bytes();
}

void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const char* name : {"tokenizer.model", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json", "generation_config.json"})
    if (exists(from / name)) write_file(to / name, read_file(from / name));
}

}  // namespace ladimo
