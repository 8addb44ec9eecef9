// Models in the cache of the Hugging Face Hub: CACHE/models--ORG--NAME with refs/, snapshots/COMMIT/ and
// blobs/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace ladimo {

/// What a MODEL is named for.
enum class ModelUse { whole, tokenizer };

/// The folder or file that a MODEL names: a path, the folder of a model in a cache, or ORG/NAME where there
/// is no such path and a cache has it. In a cache, the commit of refs/main counts, else the only one; where
/// that holds a GGUF file (or one that is split) instead of a folder's weights, also below it, it is that
/// file. For its tokenizer alone, the tokenizer's files are enough. Any other text is returned as it is, so
/// that what opens it says what is wrong. Throws Refusal: ORG/NAME is in no cache (the places looked at are
/// named), the model is not whole, or it is not clear which commit or which file is meant.
std::filesystem::path find_model(const std::string& model, ModelUse use = ModelUse::whole);

struct CachedModel {
  std::string name;                // ORG/NAME
  std::filesystem::path path;      // what find_model() gives for it; empty when there is a problem
  std::uint64_t bytes = 0;         // on the disk, of all commits
  std::optional<Problem> problem;  // why find_model() refuses it
};
/// The models of all caches, by name. What cannot be read is left out.
std::vector<CachedModel> list_hub_cache();

/// The folders where caches may be, in the order in which they are searched: HF_HUB_CACHE, HF_HOME/hub,
/// XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub.
std::vector<std::filesystem::path> hub_caches();

/// ORG/NAME (NAME where there is no ORG) of a folder of a commit in a cache, or of a file in one; empty for
/// other paths.
std::string hub_name_of(const std::filesystem::path& path);

}  // namespace ladimo
