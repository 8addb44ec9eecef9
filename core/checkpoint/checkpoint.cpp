#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/path_problem.h"
#include "checkpoint/foreign_layout.h"
#include "checkpoint/fused_tensors.h"
#include "checkpoint/generation_config.h"
#include "checkpoint/gguf_model.h"
#include "checkpoint/gguf_tokenizer.h"
#include "checkpoint/weight_values.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t sample_blocks = 64;  // blocks of every tensor that the fingerprint covers
constexpr std::size_t block_bytes = 4096;
constexpr std::size_t listed_tensors = 8;  // tensors that do not fit and are named one by one

std::string spelled(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

struct Found {
  std::optional<ModelFiles> files;
  FileFormat format = FileFormat::safetensors;
  ModelConfig config;
  std::optional<NativeSection> native;
  std::optional<TensorStore> store;
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

// The tensors that the folder must hold. A native folder need not have the dense FFN of every layer.
std::vector<ExpectedTensor> tensors_of(const ModelConfig& config,
                                       const std::optional<NativeSection>& native) {
  auto expected = expected_tensors(config);
  if (native)
    std::erase_if(expected, [&](const ExpectedTensor& tensor) {
      return is_ffn(tensor.role) && !native->layers[static_cast<std::size_t>(tensor.layer)].dense;
    });
  return expected;
}

// Whether a tensor belongs to a converted layer. Such tensors are checked when they are loaded
// (model/moe_layer.h).
bool is_converted(const std::string& name, const std::optional<NativeSection>& native) {
  if (native)
    for (std::size_t l = 0; l < native->layers.size(); ++l)
      if (native->layers[l].converted && name.starts_with(native_prefix(static_cast<std::int64_t>(l))))
        return true;
  return false;
}

// Runs `work` and appends the problems of a Refusal.
template <class Work>
void collect(std::vector<Problem>& problems, Work work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    if (refusal.problems().empty()) problems.push_back(refusal.problem());
    problems.insert(problems.end(), refusal.problems().begin(), refusal.problems().end());
  }
}

bool has_safetensors(const fs::path& folder) {
  return has_entry(folder / "model.safetensors") || has_entry(folder / "model.safetensors.index.json");
}

void check_tensor(const TensorStore& store, const ExpectedTensor& expected, const fs::path& folder,
                  std::vector<Problem>& problems) {
  if (!store.contains(expected.name)) {
    problems.push_back(
        {fmt::format("Tensor {} of shape {} is missing.", expected.name, spelled(expected.shape)),
         "Download all files of the checkpoint, or correct config.json.", folder});
    return;
  }
  const TensorView& view = store.at(expected.name);
  if (view.shape != expected.shape)
    problems.push_back({fmt::format("Tensor {} has shape {}, but config.json asks for {}.", view.name,
                                    spelled(view.shape), spelled(expected.shape)),
                        "Use the config.json that belongs to the weights.", view.file});
}

// Adds one problem for every dtype that this program does not compute with, however many tensors have it.
void check_dtypes(const TensorStore& store, const std::vector<ExpectedTensor>& expected,
                  std::vector<Problem>& problems) {
  std::map<std::string, std::vector<const TensorView*>> unknown;
  for (const ExpectedTensor& tensor : expected) {
    if (!store.contains(tensor.name)) continue;
    const TensorView& view = store.at(tensor.name);
    if (view.dtype != DType::f32 && view.dtype != DType::f16 && view.dtype != DType::bf16)
      unknown[view.dtype_text].push_back(&view);
  }
  for (const auto& [dtype, views] : unknown) {
    const auto more = views.size() - 1;
    problems.push_back(
        {fmt::format("Tensor {}{} dtype {}, which this program cannot compute with.", views.front()->name,
                     more > 0 ? fmt::format(" and {} more have", more) : " has", dtype),
         "Use a checkpoint in F32, F16 or BF16.", views.front()->file});
  }
}

// Adds a problem for every tensor that the architecture has no use for. Such a tensor shows that another
// computation was meant, so it must not be dropped silently.
void check_extras(const TensorStore& store, const std::vector<ExpectedTensor>& expected, const Found& found,
                  std::vector<Problem>& problems) {
  std::set<std::string> known;
  for (const ExpectedTensor& tensor : expected) known.insert(tensor.name);
  for (const auto& [name, view] : store.tensors()) {
    if (known.contains(name) || is_harmless_extra(name, found.config) || is_converted(name, found.native))
      continue;
    problems.push_back(
        {fmt::format("Tensor {} has no place in {} with this config.json.", name, found.config.architecture),
         "Use the config.json that belongs to the weights, or remove the tensor.", view.file});
  }
}

// Lists the first problems and the number of the others.
void add_first(std::vector<Problem> problems, const fs::path& folder, Found& found) {
  if (problems.size() > listed_tensors) {
    const auto more = problems.size() - listed_tensors;
    problems.resize(listed_tensors);
    problems.push_back({fmt::format("{} more tensors do not fit config.json either.", more),
                        "Use the config.json that belongs to the weights.", folder});
  }
  found.problems.insert(found.problems.end(), problems.begin(), problems.end());
}

// Splits fused tensors, and adds what is wrong with the tensors: the cause where it is recognised, else the
// problems. Where a fused tensor cannot be split, nothing is said about its parts.
void check_tensors(Found& found, const fs::path& folder) {
  std::vector<Problem> problems;
  found.store = split_fused(*found.store, found.config, problems);
  if (!problems.empty()) return add_first(std::move(problems), folder, found);
  const auto expected = tensors_of(found.config, found.native);
  for (const ExpectedTensor& tensor : expected) check_tensor(*found.store, tensor, folder, problems);
  check_dtypes(*found.store, expected, problems);
  check_extras(*found.store, expected, found, problems);
  if (problems.empty()) return;
  if (auto cause = foreign_tensors(*found.store))
    found.problems.push_back(std::move(*cause));
  else
    add_first(std::move(problems), folder, found);
}

void read_config(Found& found) {
  const fs::path file = found.files->path("config.json");
  auto json = found.files->read_json("config.json");
  if (is_native(json)) {
    found.native = native_section(json, file);
    json = original_config(std::move(json));
  }
  found.config = parse_config(json, file, found.problems);
  if (found.native && static_cast<std::int64_t>(found.native->layers.size()) != found.config.layers)
    throw Refusal(fmt::format("config.json: ladimo.layers has {} layers, num_hidden_layers says {}.",
                              found.native->layers.size(), found.config.layers),
                  "The file is damaged: {export_again}.", file);
}

// Shapes can be checked as soon as all sizes are known, whatever else is wrong.
bool has_all_sizes(const ModelConfig& config) {
  return std::min({config.layers, config.hidden_size, config.intermediate_size, config.heads, config.kv_heads,
                   config.head_dim, config.vocab_size}) > 0;
}

void open_store(const fs::path& folder, Found& found) {
  if (!has_safetensors(folder))
    if (auto foreign = foreign_folder(folder)) {
      found.problems.push_back(std::move(*foreign));
      return;
    }
  collect(found.problems, [&] { found.store = TensorStore::open(folder); });
}

// transformers ties the head only to an embedding that it equals (PreTrainedModel.tie_weights since 5.0).
void check_tied_head(Found& found) {
  const auto head = tensor_name(Role::head), embedding = tensor_name(Role::embedding);
  if (!found.config.tied_head || !found.store->contains(head) || !found.store->contains(embedding)) return;
  const TensorView &stored = found.store->at(head), &tied = found.store->at(embedding);
  const bool equal = have_equal_values(stored, tied);
  for (const TensorView* tensor : {&stored, &tied}) release_pages(tensor->bytes);
  if (equal) return;
  found.config.tied_head = false;
  found.warnings.push_back(
      {fmt::format("config.json ties the head to the embedding (tie_word_embeddings), but "
                   "the stored {} differs from {}.",
                   head, embedding),
       "The stored lm_head is used, as in transformers 5.", stored.file});
}

bool hold_same_tensors(const TensorStore& a, const TensorStore& b) {
  return std::ranges::equal(a.tensors(), b.tensors(), [](const auto& left, const auto& right) {
    return Checkpoint::fingerprint(left.second) == Checkpoint::fingerprint(right.second);
  });
}

// Warns about an index beside a single file that says something else.
void check_index_beside(const fs::path& folder, Found& found) {
  const fs::path index = folder / "model.safetensors.index.json";
  if (!has_entry(folder / "model.safetensors") || !has_entry(index)) return;
  const char* hint = "model.safetensors is used, as in transformers 5. Remove what is stale.";
  try {
    if (!hold_same_tensors(*found.store, TensorStore::open(index)))
      found.warnings.push_back(
          {"model.safetensors and the shards that model.safetensors.index.json names hold "
           "different weights.",
           hint, index});
  } catch (const Refusal& refusal) {
    found.warnings.push_back(
        {fmt::format("model.safetensors.index.json is next to model.safetensors but cannot be used: {}",
                     refusal.what()),
         hint, index});
  }
}

// Problems of the tokenizer leave the model without files, so that nothing else is said about them.
void read_gguf(const fs::path& path, Found& found) {
  found.format = FileFormat::gguf;
  collect(found.problems, [&] {
    Gguf gguf = Gguf::open(path);
    found.files = ModelFiles(path, {{"config.json", gguf_config(gguf)}});
    read_config(found);
    auto files = gguf_tokenizer_files(gguf.metadata);
    files["config.json"] = found.files->read("config.json");
    found.files = ModelFiles(path, std::move(files));
    found.store = gguf_tensors(std::move(gguf));
  });
  if (!found.store) found.files.reset();
}

Found find_in_gguf(const fs::path& path) {
  Found found;
  read_gguf(path, found);
  if (!found.store) return found;
  check_tied_head(found);
  if (has_all_sizes(found.config)) check_tensors(found, path);
  return found;
}

Found find_in_folder(const fs::path& folder) {
  Found found;
  if (auto problem = folder_problem(folder)) {
    found.problems.push_back(std::move(*problem));
    return found;
  }
  found.files = ModelFiles(folder);
  const fs::path file = folder / "config.json";
  if (!has_entry(file) && !has_safetensors(folder))
    if (auto foreign = foreign_folder(folder)) {
      found.problems.push_back(std::move(*foreign));
      return found;
    }
  if (!has_entry(file))
    found.problems.push_back(
        {"There is no config.json in the folder.",
         "Choose a folder in the Hugging Face layout: config.json, safetensors, tokenizer.", file});
  else
    collect(found.problems, [&] { read_config(found); });
  open_store(folder, found);
  if (has_all_sizes(found.config)) add_generation_config(*found.files, found.config, found.warnings);
  if (found.store) {
    check_tied_head(found);
    check_index_beside(folder, found);
    if (auto adapter = adapter_beside(folder)) found.problems.push_back(std::move(*adapter));
  }
  const bool all_layers =
      !found.native || static_cast<std::int64_t>(found.native->layers.size()) == found.config.layers;
  if (found.store && has_all_sizes(found.config) && all_layers) check_tensors(found, folder);
  return found;
}

// Adds a fixed sample of a tensor's elements: up to 64 blocks of 4 KiB, evenly spread, with the first and the
// last among them. It is that of the elements as they are read, so that equal tensors of different files have
// the same.
void add_sample(Hasher& hasher, const TensorView& view) {
  std::vector<std::byte> buffer;
  const std::size_t element = dtype_size(view.dtype), size = element * view.elements();
  const auto add = [&](std::size_t begin, std::size_t bytes) {
    const std::size_t first = begin / element, end = (begin + bytes + element - 1) / element;
    const auto elements = elements_of(view, first, end - first, buffer);
    hasher.add(elements.data() + (begin - first * element), bytes);
  };
  if (element == 0) {
    hasher.add(view.bytes.data(), view.bytes.size());
    return;
  }
  if (size <= sample_blocks * block_bytes) return add(0, size);
  const std::size_t last = size - block_bytes;
  for (std::size_t i = 0; i < sample_blocks; ++i)
    add(last / (sample_blocks - 1) * i + last % (sample_blocks - 1) * i / (sample_blocks - 1), block_bytes);
}

// Adds the header of a GGUF file, and not what this program makes of it, which may change with the program.
void add_header(Hasher& hasher, const fs::path& file) {
  const Gguf gguf = Gguf::open(file);
  hasher.add(gguf.mapped.front()->bytes().data(), gguf.header_bytes);
}

void add_tensor(Hasher& hasher, const TensorView& view) {
  hasher.add(fmt::format("\n{} {} {}\n", view.name, view.dtype_text, spelled(view.shape)));
  add_sample(hasher, view);
}

}  // namespace

Examination Checkpoint::examine(const fs::path& path) {
  Found found = is_gguf(path) ? find_in_gguf(path) : find_in_folder(path);
  Examination examination{
      std::move(found.config), std::move(found.problems), std::move(found.warnings), found.files, {}};
  if (!examination.problems.empty()) return examination;
  Checkpoint checkpoint(std::move(*found.files), std::move(*found.store));
  checkpoint.format_ = found.format;
  checkpoint.config_ = examination.config;
  checkpoint.native_ = std::move(found.native);
  examination.opened = std::move(checkpoint);
  return examination;
}

Checkpoint Checkpoint::open(const fs::path& path) {
  Examination examination = examine(path);
  if (!examination.problems.empty()) throw Refusal(std::move(examination.problems));
  return std::move(*examination.opened);
}

const TensorView& Checkpoint::tensor(Role role, std::int64_t layer) const {
  return store_.at(tensor_name(role, layer));
}

bool Checkpoint::has(Role role, std::int64_t layer) const {
  return has_role(role, config_) && store_.contains(tensor_name(role, layer));
}

DType Checkpoint::converted_dtype() const {
  return tensor(Role::gate).dtype == DType::f32 ? DType::f32 : DType::bf16;
}

std::string Checkpoint::fingerprint() const {
  Hasher hasher;
  if (format_ == FileFormat::gguf)
    add_header(hasher, path());
  else
    hasher.add(files_.read("config.json"));
  for (const auto& [name, view] : store_.tensors()) add_tensor(hasher, view);
  return hasher.hex();
}

ModelFiles model_files(const fs::path& path) {
  if (is_gguf(path)) {
    const Gguf gguf = Gguf::open(path);
    auto files = gguf_tokenizer_files(gguf.metadata);
    files["config.json"] = gguf_config(gguf);
    return {path, std::move(files)};
  }
  if (const auto problem = folder_problem(path)) throw Refusal(*problem);
  return ModelFiles(path);
}

TokenizerFiles tokenizer_files(const fs::path& path) {
  Found found;
  std::optional<Gguf> gguf;
  if (is_gguf(path)) {
    gguf = Gguf::open(path);
  } else if (const auto problem = folder_problem(path)) {
    throw Refusal(*problem);
  }
  const ModelFiles files = gguf ? ModelFiles(path, gguf_tokenizer_files(gguf->metadata)) : ModelFiles(path);
  if (!files.has("tokenizer.json") && !files.has("tokenizer.model"))
    if (const auto foreign = foreign_folder(path); foreign && is_gguf(foreign->path)) throw Refusal(*foreign);
  collect(found.problems, [&] {
    found.files = gguf ? ModelFiles(path, {{"config.json", gguf_config(*gguf)}}) : files;
    read_config(found);
    add_generation_config(*found.files, found.config, found.warnings);
  });
  const bool known = found.problems.empty() && has_all_sizes(found.config);
  return {files, known ? std::optional(std::move(found.config)) : std::nullopt};
}

bool looks_like_model(const fs::path& path) {
  return is_gguf(path) ? has_entry(path) : has_entry(path / "config.json");
}

std::string Checkpoint::fingerprint(const TensorView& view) {
  Hasher hasher;
  add_tensor(hasher, view);
  return hasher.hex();
}

}  // namespace ladimo
