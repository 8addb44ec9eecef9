#include "transfer/native_format.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/ops/cat.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "decode/decoder.h"
#include "model/moe_layers.h"
#include "transfer/huggingface.h"

namespace ladimo {
namespace {

/// Where every tensor of the folder comes from, in file order.
class Sources {
 public:
  Sources(const ExportSource& source, const NativeSection& section) {
    for (const ExpectedTensor& tensor : expected_tensors(source.original.config())) {
      const auto& layer = section.layers[static_cast<std::size_t>(tensor.layer)];
      if (is_ffn(tensor.role) && !layer.dense) continue;
      add(tensor.name, source.original.store().at(tensor.name));
      if (tensor.role != Role::ffn_norm || !layer.converted) continue;
      stores_.push_back(TensorStore::open(source.run.layers().weights(static_cast<int>(tensor.layer))));
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
    if (view.dtype == DType::other)
      throw Refusal(fmt::format("Tensor {} has the unknown dtype {}.", view.name, view.dtype_text),
                    "The file is damaged, or another program made it.", view.file);
    specs_.push_back({name, view.dtype, view.shape});
    views_.emplace(name, &view);
  }

  std::vector<TensorStore> stores_;  // stay mapped until their tensors are copied
  std::vector<TensorSpec> specs_;
  std::map<std::string, const TensorView*> views_;
};

/// The section that says which weights of every layer the folder holds.
NativeSection section_of(const ExportSource& source) {
  const Recipe recipe = source.run.recipe();
  const auto config = source.original.files().read_json("config.json");
  NativeSection section{normal_path(source.original.path()),
                        recipe.model_fingerprint,
                        config.value("model_type", std::string()),
                        recipe.routed(),
                        {}};
  const LayerStore& store = source.run.layers();
  for (int l = 0; l < static_cast<int>(source.policy.layers.size()); ++l) {
    const bool dense = source.policy.layers[static_cast<std::size_t>(l)].kind == LayerPolicy::Kind::dense;
    NativeLayer layer{dense || source.all_policies, !dense || (source.all_policies && store.done(l)), {}};
    if (layer.converted) layer.metadata = TensorStore::open(store.weights(l)).metadata();
    section.layers.push_back(std::move(layer));
  }
  return section;
}

/// Those of a converted layer; empty for the others.
TensorShapes shapes_of(const LayerStore& store, const NativeLayer& layer, int index) {
  TensorShapes shapes;
  if (!layer.converted) return shapes;
  const auto tensors = TensorStore::open(store.weights(index));
  for (const auto& [name, view] : tensors.tensors()) shapes.emplace(name, view.shape);
  return shapes;
}

/// config.json and the Python code that reads it.
void write_config(const ExportSource& source, const NativeSection& section,
                  const std::filesystem::path& folder) {
  auto config = native_config(source.original.files().read_json("config.json"), section);
  std::vector<TensorShapes> tensors;
  for (const NativeLayer& layer : section.layers)
    tensors.push_back(shapes_of(source.run.layers(), layer, static_cast<int>(tensors.size())));
  describe_layers(config, source.policy.layers, tensors);
  write_json(folder / "config.json", config);
  for (const PythonFile& file : python_files(source.original.config().architecture))
    write_file(folder / file.name, file.text);
}

class NativeFormat : public Format {
 public:
  const char* name() const override { return "native"; }
  const char* title() const override { return "LaDiMo Studio"; }
  std::optional<Problem> objection(const Checkpoint&) const override { return {}; }
  std::optional<Problem> objection(const RunFolder&, const ModelPolicy&) const override { return {}; }

  std::uint64_t bytes(const ExportSource& source) const override {
    return Sources(source, section_of(source)).bytes();
  }

  void write(const ExportSource& source, const std::filesystem::path& folder,
             const Context& context) const override {
    const auto section = section_of(source);
    const Sources sources(source, section);
    Progress progress(context, static_cast<std::int64_t>(sources.bytes()));
    const auto bytes_of = [&](const TensorSpec& spec) {
      const TensorView& view = sources.at(spec.name);
      std::vector<std::byte> copy(spec.bytes());
      read_elements(view, 0, copy);
      release_pages(view.bytes);
      progress.advance(static_cast<std::int64_t>(copy.size()));
      return copy;
    };
    write_sharded(folder, sources.specs(), source.shard_bytes, bytes_of, {{"format", "pt"}});
    const ModelFiles& from = source.original.files();
    write_config(source, section, folder);
    write_json(folder / "policy.json", to_json(source.policy));
    copy_small_files(from, folder);
    // The folder still recognises the text that it was made with when it is measured somewhere else.
    if (const auto seen = source.run.seen_text_file(); exists(seen))
      write_file(folder / seen.filename(), read_file(seen));
  }

  Verification verify(const ExportSource&, const std::filesystem::path& path, const Expected& expected,
                      const WeightSource& weights, const Context& context) const override {
    const Decoder decoder = read(path, weights.device(), weights.dtype());
    std::vector<at::Tensor> found;
    for (const auto& window : expected.ids.split(1)) {
      context.check();
      found.push_back(decoder.forward(window).logits.flatten(0, 1).to(at::kCPU, at::kFloat));
    }
    const auto logits = at::cat(found);
    require_same_logits(expected.logits, logits, path);
    return compare_logits(expected.logits, logits);
  }

 private:
  /// Loads the exported model from its folder alone.
  static Decoder read(const std::filesystem::path& folder, at::Device device, at::ScalarType dtype) {
    const auto checkpoint = Checkpoint::open(folder);
    const auto layers = static_cast<std::size_t>(checkpoint.config().layers);
    const auto policy = read_policy(folder / "policy.json", checkpoint.native()->fingerprint, layers);
    const MoeLayers moe{
        [&](int layer) {
          return std::make_shared<const MoeWeights>(load_moe_weights(checkpoint, layer, device, dtype));
        },
        {}};
    return Decoder(WeightSource(checkpoint, device, dtype), policy_ffns(moe, policy.layers), policy.layers,
                   checkpoint.config().layers);
  }
};

}  // namespace

std::unique_ptr<const Format> native_format() { return std::make_unique<NativeFormat>(); }

}  // namespace ladimo
