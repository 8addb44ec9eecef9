#include "checkpoint/foreign_layout.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/tensor_names.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr const char* before_quantisation = "Use the checkpoint before quantisation (F32, F16 or BF16).";
constexpr const char* merge_adapter =
    "Merge it into its base model first (merge_and_unload of PEFT), and use the merged folder.";
constexpr const char* hugging_face_layout =
    "Use the same model in the Hugging Face layout, or convert it with transformers "
    "(convert_llama_weights_to_hf.py).";
constexpr const char* save_as_safetensors =
    "Load it with transformers and write it with save_pretrained, which makes safetensors.";

constexpr const char* larger_model = "The language model is part of a larger model, such as a vision model";
constexpr const char* language_model_alone =
    "Save the language model alone with transformers, and use that folder.";

enum class Place { begin, end, anywhere };

struct Sign {
  std::string_view part;  // of a tensor's name
  Place place;
  const char* meaning;
  const char* remedy;
};

// The first sign that one of the names shows is the cause. Signs of a format come before signs of a prefix,
// which such a checkpoint may have as well.
constexpr Sign tensor_signs[] = {
    {".lora_A.", Place::anywhere, "The tensors are those of a LoRA adapter", merge_adapter},
    {".lora_embedding_A", Place::anywhere, "The tensors are those of a LoRA adapter", merge_adapter},
    {".g_idx", Place::end, "The weights are quantised with GPTQ", before_quantisation},
    {".qweight", Place::end, "The weights are quantised with AWQ or GPTQ", before_quantisation},
    {".bitsandbytes__", Place::anywhere, "The weights are quantised with bitsandbytes", before_quantisation},
    {".absmax", Place::end, "The weights are quantised with bitsandbytes", before_quantisation},
    {".SCB", Place::end, "The weights are quantised with bitsandbytes (8 bits)", before_quantisation},
    {".weight_packed", Place::end, "The weights are quantised (compressed-tensors)", before_quantisation},
    {".weight_scale_inv", Place::end, "The weights are quantised to FP8", before_quantisation},
    {".weight_scale", Place::end, "The weights are quantised to FP8 or INT8", before_quantisation},
    {".input_scale", Place::end, "The weights are quantised to FP8", before_quantisation},
    {".weight._data", Place::end, "The weights are quantised with quanto", before_quantisation},
    {".weight_blocks", Place::end, "The weights are quantised to MXFP4", before_quantisation},
    {".weight_scales", Place::end, "The weights are quantised with EETQ", before_quantisation},
    {".q_weight", Place::end, "The weights are quantised with EXL2", before_quantisation},
    {".codebooks", Place::end, "The weights are quantised with AQLM", before_quantisation},
    {".Qidxs", Place::end, "The weights are quantised with QuIP#", before_quantisation},
    {".centroids.weight", Place::end, "The weights are quantised with VPTQ", before_quantisation},
    {".scales", Place::end, "The weights are quantised (MLX or a similar format)", before_quantisation},
    {".W_q", Place::end, "The weights are quantised with HQQ", before_quantisation},
    {".mlp.experts.", Place::anywhere, "The FFNs are experts already: this is a Mixture-of-Experts model",
     "Use a dense checkpoint."},
    {".block_sparse_moe.", Place::anywhere,
     "The FFNs are experts already: this is a Mixture-of-Experts model", "Use a dense checkpoint."},
    {".mlp.gate_up_proj.", Place::anywhere, "Gate and up projection are stored as one tensor",
     "Use the config.json that belongs to the weights (Phi3ForCausalLM has such tensors)."},
    {"tok_embeddings.weight", Place::end, "The tensors have the names of Meta's own format",
     hugging_face_layout},
    {".attention.wq.weight", Place::end, "The tensors have the names of Meta's own format",
     hugging_face_layout},
    {"transformer.h.", Place::begin, "The tensors have the names of GPT-2",
     "Use a model of a supported family."},
    {"gpt_neox.", Place::begin, "The tensors have the names of GPT-NeoX",
     "Use a model of a supported family."},
    {"language_model.", Place::begin, larger_model, language_model_alone},
    {"model.language_model.", Place::begin, larger_model, language_model_alone},
    {"vision_tower.", Place::begin, larger_model, language_model_alone},
    {"model.vision_tower.", Place::begin, larger_model, language_model_alone},
    {"vision_model.", Place::begin, larger_model, language_model_alone},
    {"visual.", Place::begin, larger_model, language_model_alone},
    {"audio_tower.", Place::begin, larger_model, language_model_alone},
    {"multi_modal_projector.", Place::begin, larger_model, language_model_alone},
    {"base_model.model.", Place::begin, "The model was saved from inside PEFT", merge_adapter},
    {"_orig_mod.", Place::begin, "The model was saved from inside torch.compile",
     "Save the original module's weights (model._orig_mod) with save_pretrained."},
    {"module.", Place::begin, "The model was saved from inside a data-parallel wrapper",
     "Save the wrapped module's weights (model.module) with save_pretrained."},
};

bool shows(const std::string& name, const Sign& sign) {
  switch (sign.place) {
    case Place::begin:
      return name.starts_with(sign.part);
    case Place::end:
      return name.ends_with(sign.part);
    case Place::anywhere:
      return name.find(sign.part) != std::string::npos;
  }
  return false;
}

/// What is wrong when all names begin in another way than LLaMA's, as those of a wrapped model do.
std::optional<Problem> other_prefix(const TensorStore& store) {
  const std::string wanted = tensor_name(Role::embedding);
  if (store.contains(wanted)) return std::nullopt;
  const auto last_parts = std::string_view(wanted).substr(wanted.find('.') + 1);  // without "model."
  for (const auto& [name, view] : store.tensors())
    if (name.ends_with(last_parts))
      return Problem{
          fmt::format("The names of the tensors begin otherwise than LLaMA's: there is {}, but no {}.", name,
                      wanted),
          "Load the model with transformers and write it with save_pretrained.", view.file};
  return std::nullopt;
}

/// The names of the files in a folder, sorted.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

/// Whether `name` is like model-00001-of-00002.safetensors.
bool is_shard(std::string_view name) {
  constexpr std::string_view pattern = "-#####-of-#####.safetensors";
  if (name.size() <= pattern.size()) return false;
  name.remove_prefix(name.size() - pattern.size());
  return std::ranges::equal(name, pattern, [](char have, char want) {
    return want == '#' ? have >= '0' && have <= '9' : have == want;
  });
}

bool is_adapter(std::string_view name) {
  return name == "adapter_config.json" || name.starts_with("adapter_model.");
}

}  // namespace

std::optional<Problem> foreign_folder(const fs::path& folder) {
  const auto names = names_in(folder);
  const auto first = [&](auto is) { return std::ranges::find_if(names, is); };
  const auto said = [&](const std::string& name, const std::string& what, const std::string& remedy) {
    return Problem{what, remedy, folder / name};
  };
  if (std::ranges::binary_search(names, "recipe.json"))
    return said("recipe.json", "The folder contains a run, not a model.",
                "Use the model that the run was made from; recipe.json names its folder.");
  if (const auto name = first(is_adapter); name != names.end())
    return said(*name, "The folder contains a LoRA adapter, not a model.", merge_adapter);
  if (const auto name = first(is_shard); name != names.end())
    return said(
        *name,
        fmt::format("The weights are in shards ({}), but there is no model.safetensors.index.json.", *name),
        "Download model.safetensors.index.json too: it says which tensor is in which shard.");
  const auto meta = [](const std::string& name) { return name.starts_with("consolidated."); };
  if (const auto name = first(meta); name != names.end())
    return said(*name, fmt::format("The weights are in Meta's or Mistral's own format ({}).", *name),
                hugging_face_layout);
  const auto ends = [](const char* end) {
    return [end](const std::string& name) { return name.ends_with(end); };
  };
  if (const auto name = first(ends(".safetensors")); name != names.end())
    return said(*name,
                fmt::format("There is no model.safetensors; the folder's safetensors file is {}.", *name),
                "Name the file model.safetensors if it contains the whole model.");
  if (const auto name = first(ends(".gguf")); name != names.end())
    return said(
        *name,
        fmt::format("The folder contains a GGUF file ({}) and no checkpoint in the Hugging Face layout.",
                    *name),
        fmt::format("Use the file itself: {}.", (folder / *name).string()));
  for (const char* end : {".bin", ".pth", ".pt", ".ckpt"})
    if (const auto name = first(ends(end)); name != names.end())
      return said(*name,
                  fmt::format("The weights are stored only as {}, which this program does not read.", *name),
                  save_as_safetensors);
  for (const char* end : {".h5", ".msgpack", ".onnx"})
    if (const auto name = first(ends(end)); name != names.end())
      return said(*name, fmt::format("The weights are stored only for another framework ({}).", *name),
                  "Use the safetensors checkpoint of the same model.");
  return std::nullopt;
}

std::optional<Problem> foreign_tensors(const TensorStore& store) {
  for (const Sign& sign : tensor_signs)
    for (const auto& [name, view] : store.tensors())
      if (shows(name, sign))
        return Problem{fmt::format("{} ({}).", sign.meaning, name), sign.remedy, view.file};
  return other_prefix(store);
}

std::optional<Problem> adapter_beside(const fs::path& folder) {
  const auto names = names_in(folder);
  const auto name = std::ranges::find_if(names, is_adapter);
  if (name == names.end()) return std::nullopt;
  return Problem{fmt::format("An adapter is next to the model ({}). transformers would apply it, so the "
                             "result would be another model.",
                             *name),
                 "Merge the adapter into the model, or move its files to another folder.", folder / *name};
}

}  // namespace ladimo
