#include "checkpoint/hub_cache.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "base/path_problem.h"
#include "checkpoint/foreign_layout.h"
#include "checkpoint/gguf.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "models--";
constexpr std::size_t most_listed = 12;  // names in a message

/// The entries of a folder that `wanted` chooses, by name. What cannot be read holds nothing.
template <class Wanted>
std::vector<fs::path> entries_of(const fs::path& folder, Wanted wanted) {
  std::vector<fs::path> found;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (wanted(*entry)) found.push_back(entry->path());
  std::ranges::sort(found);
  return found;
}

bool is_folder(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}
bool is_there(const fs::path& path) {
  std::error_code code;
  return fs::exists(path, code);  // false for a link to a blob that is not there
}

/// "ORG/NAME" of the folder of a model in a cache; empty for other folders.
std::string name_of_entry(const fs::path& entry) {
  const std::string folder = entry.filename().string();
  if (!folder.starts_with(prefix)) return {};
  std::string name = folder.substr(prefix.size());
  if (const auto separator = name.find("--"); separator != name.npos) name.replace(separator, 2, "/");
  return name;
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

/// Whether a text may be NAME or ORG/NAME.
bool is_hub_name(std::string_view text) {
  const auto slash = text.find('/');
  return slash == text.npos ? is_plain_name(text)
                            : is_plain_name(text.substr(0, slash)) && is_plain_name(text.substr(slash + 1));
}

class Entry {
 public:
  explicit Entry(fs::path path) : path_(std::move(path)), name_(name_of_entry(path_)) {}

  /// The folder or file to open. Throws Refusal.
  fs::path model(ModelUse use) const {
    const fs::path folder = snapshot();
    const bool has_tokenizer = is_there(folder / "tokenizer.json") || is_there(folder / "tokenizer.model");
    if (use == ModelUse::tokenizer && has_tokenizer && gguf_files(folder).empty()) return folder;
    const bool whole = is_there(folder / "model.safetensors"), sharded = has_entry(folder / index_name);
    if (sharded && !whole) require_shards(folder);
    if ((whole || sharded) && is_there(folder / "config.json")) return folder;
    if (const auto file = gguf_of(folder)) return *file;
    refuse_incomplete();
    if (!is_there(folder / "config.json"))
      throw refusal("contains no config.json, so it is not a complete model", download_hint(), folder);
    if (!whole && !sharded && !foreign_folder(folder))
      throw refusal("contains no weights", download_hint(), folder);
    return folder;  // its weights are of another kind, which is said when it is opened
  }

 private:
  static constexpr const char* index_name = "model.safetensors.index.json";

  Refusal refusal(std::string_view what, std::string hint, const fs::path& path) const {
    return Refusal(fmt::format("{} in the cache of the Hugging Face Hub {}.", name_, what), std::move(hint),
                   path);
  }
  std::string download_hint() const { return fmt::format("Download all of it: hf download {}.", name_); }

  fs::path snapshot() const {
    const fs::path snapshots = path_ / "snapshots", ref = path_ / "refs" / "main";
    if (is_there(ref)) {
      std::string commit = read_file(ref);
      commit.erase(std::min(commit.find_first_of(" \r\n\t"), commit.size()));
      if (is_plain_name(commit) && is_folder(snapshots / commit)) return snapshots / commit;
    }
    const auto all = entries_of(snapshots, [](const auto& entry) { return is_folder(entry.path()); });
    if (all.empty()) {
      refuse_incomplete();
      throw refusal("contains no files", download_hint(), path_);
    }
    if (all.size() > 1)
      throw refusal(fmt::format("has {} commits, and none of them is called main", all.size()),
                    fmt::format("Use the folder of one of them in {}.", snapshots.string()), path_);
    return all.front();
  }

  /// Refuses weight files that the index names and that are not there.
  void require_shards(const fs::path& folder) const {
    if (!is_there(folder / index_name)) refuse_incomplete();
    const auto index = read_json(folder / index_name);
    std::set<fs::path> shards;
    if (index.is_object() && index.contains("weight_map") && index["weight_map"].is_object())
      for (const auto& [tensor, shard] : index["weight_map"].items())
        if (shard.is_string() && is_plain_name(shard.get_ref<const std::string&>()))
          shards.insert(folder / shard.get_ref<const std::string&>());
    require_all({shards.begin(), shards.end()}, folder);
  }

  void require_all(const std::vector<fs::path>& files, const fs::path& folder) const {
    const auto absent = std::ranges::count_if(files, [](const fs::path& file) { return !is_there(file); });
    if (absent > 0)
      throw refusal(
          fmt::format("was downloaded in part: {} of its {} weight files are absent", absent, files.size()),
          download_hint(), folder);
  }

  /// The GGUF files in a folder and below it; of a split one only the first.
  static std::set<fs::path> gguf_files(const fs::path& folder) {
    std::set<fs::path> files;
    std::error_code code;
    for (fs::recursive_directory_iterator entry(folder, code), end; !code && entry != end;
         entry.increment(code))
      if (lower_case(entry->path().extension().string()) == ".gguf" && !entry->is_directory(code))
        files.insert(gguf_parts(entry->path()).front());
    return files;
  }

  /// The GGUF file of a folder; none where it has none. Throws Refusal when there are several.
  std::optional<fs::path> gguf_of(const fs::path& folder) const {
    const auto files = gguf_files(folder);
    if (files.empty()) return std::nullopt;
    if (files.size() == 1) {
      require_all(gguf_parts(*files.begin()), folder);
      return *files.begin();
    }
    std::vector<std::string> names;
    for (const fs::path& file : files)
      if (names.size() < most_listed) names.push_back(file.lexically_relative(folder).string());
    throw refusal(fmt::format("has {} GGUF files: {}{}", files.size(), fmt::join(names, ", "),
                              names.size() < files.size() ? ", ..." : ""),
                  fmt::format("Choose one of them in {}.", folder.string()), folder);
  }

  /// Refuses a download that was interrupted.
  void refuse_incomplete() const {
    const auto parts = entries_of(
        path_ / "blobs", [](const auto& entry) { return entry.path().extension() == ".incomplete"; });
    if (!parts.empty())
      throw refusal(fmt::format("was downloaded in part: {} of its files {} incomplete", parts.size(),
                                parts.size() == 1 ? "is" : "are"),
                    download_hint(), path_);
  }

  fs::path path_;
  std::string name_;
};

std::string folder_name(std::string name) {
  if (const auto slash = name.find('/'); slash != name.npos) name.replace(slash, 1, "--");
  return std::string(prefix) + name;
}

/// The folder of a model in a cache that a path names: itself, or its folder of snapshots. Empty when it
/// names something else.
fs::path entry_of(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();  // NAME/
  if (path.filename() == "snapshots") path = path.parent_path();
  const bool is_entry = path.filename().string().starts_with(prefix) && is_folder(path / "snapshots");
  return is_entry ? path : fs::path();
}

/// A folder that an environment variable names; empty when it names none.
fs::path folder_in(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return {};
  const std::string_view text = value;
  const char* home = std::getenv("HOME");
  if (text.starts_with("~/") && home != nullptr) return fs::path(home) / text.substr(2);
  return text;
}

std::uint64_t bytes_of(const fs::path& entry) {
  std::uint64_t bytes = 0;
  std::error_code code;
  for (const fs::path& blob :
       entries_of(entry / "blobs", [](const auto& found) { return !found.is_symlink(); }))
    if (const auto size = fs::file_size(blob, code); !code) bytes += size;
  return bytes;
}

}  // namespace

fs::path find_model(const std::string& named, ModelUse use) {
  if (const fs::path entry = entry_of(named); !entry.empty()) return Entry(entry).model(use);
  const std::string model =
      named.substr(0, named.find_last_not_of('/') + 1);  // ORG/NAME/, as shells complete
  if (has_entry(named) || !is_hub_name(model)) return named;
  std::vector<std::string> places;
  for (const fs::path& cache : hub_caches()) {
    if (const fs::path entry = entry_of(cache / folder_name(model)); !entry.empty())
      return Entry(entry).model(use);
    places.push_back(cache.string());
  }
  if (model.find('/') == model.npos) return named;  // hardly a name of the Hub, which have an ORG
  throw Refusal(
      fmt::format("There is no folder or file {}, and no model of this name in the cache of the Hugging "
                  "Face Hub ({}).",
                  model, fmt::join(places, ", ")),
      fmt::format("Check the name, or download the model: hf download {}.", model), model);
}

std::vector<CachedModel> list_hub_cache() {
  std::vector<CachedModel> models;
  std::set<std::string> known;  // the first cache that has a model is the one that find_model() takes
  for (const fs::path& cache : hub_caches())
    for (const fs::path& path :
         entries_of(cache, [](const auto& entry) { return !entry_of(entry.path()).empty(); })) {
      CachedModel model{name_of_entry(path), {}, bytes_of(path), {}};
      if (!known.insert(model.name).second) continue;
      try {
        model.path = Entry(path).model(ModelUse::whole);
      } catch (const Refusal& refusal) {
        model.problem = refusal.problem();
      }
      models.push_back(std::move(model));
    }
  std::ranges::sort(models, {}, &CachedModel::name);
  return models;
}

std::vector<fs::path> hub_caches() {
  std::vector<fs::path> caches;
  const auto add = [&](const fs::path& base, const fs::path& below) {
    const fs::path cache = below.empty() ? base : base / below;
    if (!base.empty() && std::ranges::find(caches, cache) == caches.end()) caches.push_back(cache);
  };
  add(folder_in("HF_HUB_CACHE"), {});
  add(folder_in("HF_HOME"), "hub");
  add(folder_in("XDG_CACHE_HOME"), "huggingface/hub");
  add(folder_in("HOME"), ".cache/huggingface/hub");
  return caches;
}

std::string hub_name_of(const fs::path& path) {
  for (fs::path folder = path; folder.has_filename(); folder = folder.parent_path()) {
    const fs::path snapshots = folder.parent_path();
    if (snapshots.filename() == "snapshots") return name_of_entry(snapshots.parent_path());
  }
  return {};
}

}  // namespace ladimo
