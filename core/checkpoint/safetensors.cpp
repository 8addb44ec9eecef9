#include "checkpoint/safetensors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

constexpr std::size_t length_bytes = 8;                // size of the field that holds the header's length
constexpr std::uint64_t longest_header = 100'000'000;  // the reference implementation's limit
constexpr const char* fetch_again = "The file is damaged or incomplete; download it again.";

/// A type that this program does not compute with. It is known so that the lengths of its tensors are
/// checked.
struct ForeignType {
  const char* text;
  std::size_t bytes;
};

// The other element types of the format that take a whole number of bytes.
constexpr ForeignType foreign_types[] = {{"F64", 8},     {"U64", 8},    {"U32", 4},  {"I16", 2},
                                         {"U16", 2},     {"I8", 1},     {"BOOL", 1}, {"F8_E4M3", 1},
                                         {"F8_E5M2", 1}, {"F8_E8M0", 1}};

DType dtype_of(const std::string& text) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::u8})
    if (text == dtype_name(dtype)) return dtype;
  return DType::other;
}

/// Bytes per element of a type that is spelled so; 0 where it is not known.
std::size_t element_size(const std::string& text) {
  for (const ForeignType& type : foreign_types)
    if (text == type.text) return type.bytes;
  return dtype_size(dtype_of(text));
}

std::optional<std::uint64_t> product(const std::vector<std::int64_t>& shape, std::uint64_t factor) {
  for (const std::int64_t dim : shape)
    if (__builtin_mul_overflow(factor, static_cast<std::uint64_t>(dim), &factor)) return std::nullopt;
  return factor;
}

std::string spelled(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// Reads and checks the header of one file.
class HeaderReader {
 public:
  HeaderReader(fs::path path, std::span<const std::byte> file) : path_(std::move(path)), file_(file) {}

  std::vector<TensorView> read(std::map<std::string, std::string>& metadata) {
    const Json header = parse();
    std::vector<TensorView> views;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        read_metadata(entry, metadata);
      else
        views.push_back(read_tensor(name, entry));
    }
    check_layout(views);
    return views;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Refusal(fmt::format("{}: {}", path_.filename().string(), what), fetch_again, path_);
  }

  Json parse() {
    if (file_.empty()) refuse("the file is empty.");
    const std::string_view beginning(reinterpret_cast<const char*>(file_.data()), file_.size());
    if (const auto problem = stand_in_problem(path_, beginning)) throw Refusal(*problem);
    if (file_.size() < length_bytes)
      refuse(fmt::format("the file ends at byte {}, inside the header's length (8 bytes at offset 0).",
                         file_.size()));
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length |= static_cast<std::uint64_t>(file_[i]) << (8 * i);
    if (length > file_.size() - length_bytes || length > longest_header)
      refuse(fmt::format("the header's length at offset 0 is {} bytes, but the file has {} bytes.", length,
                         file_.size()));
    const char* text = reinterpret_cast<const char*>(file_.data()) + length_bytes;
    data_ = file_.subspan(length_bytes + length);
    Json header = parse_json({text, length}, fmt::format("{}: the header", path_.filename().string()), path_,
                             length_bytes);
    if (!header.is_object()) refuse("the header at offset 8 is not a JSON object.");
    return header;
  }

  void read_metadata(const Json& entry, std::map<std::string, std::string>& metadata) const {
    if (entry.is_null()) return;
    if (!entry.is_object()) refuse("__metadata__ in the header is not an object.");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse(fmt::format("__metadata__ in the header: {} is not a string.", key));
      metadata.emplace(key, value.get<std::string>());
    }
  }

  // Reads a list of numbers >= 0 that fit into 63 bits.
  std::vector<std::int64_t> read_numbers(const std::string& name, const Json& entry, const char* key) const {
    std::vector<std::int64_t> numbers;
    const auto list = entry.find(key);
    bool good = list != entry.end() && list->is_array();
    for (std::size_t i = 0; good && i < list->size(); ++i) {
      const Json& number = (*list)[i];
      good = number.is_number_unsigned() && number.get<std::uint64_t>() <= INT64_MAX;
      if (good) numbers.push_back(number.get<std::int64_t>());
    }
    if (!good) refuse(fmt::format("tensor {}: {} in the header is not a list of sizes.", name, key));
    return numbers;
  }

  TensorView read_tensor(const std::string& name, const Json& entry) const {
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string())
      refuse(fmt::format("tensor {} has no dtype in the header.", name));
    TensorView view;
    view.name = name;
    view.dtype_text = entry["dtype"].get<std::string>();
    view.dtype = dtype_of(view.dtype_text);
    view.file = path_;
    view.shape = read_numbers(name, entry, "shape");
    const auto offsets = read_numbers(name, entry, "data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      refuse(fmt::format("tensor {}: data_offsets in the header are not a beginning and an end.", name));
    const auto begin = static_cast<std::uint64_t>(offsets[0]);
    const auto end = static_cast<std::uint64_t>(offsets[1]);
    if (end > data_.size())
      refuse(fmt::format("tensor {} ends at offset {}, but the file ends at {}.", name, offset(end),
                         file_.size()));
    if (const std::size_t element = element_size(view.dtype_text); element > 0)
      check_size(view, end - begin, element, begin);
    view.bytes = data_.subspan(begin, end - begin);
    return view;
  }

  void check_size(const TensorView& view, std::uint64_t bytes, std::size_t element,
                  std::uint64_t begin) const {
    const auto needed = product(view.shape, element);
    if (needed == bytes) return;
    refuse(fmt::format(
        "tensor {} of shape {} and dtype {} needs {} bytes, but the header gives it {} at offset {}.",
        view.name, spelled(view.shape), view.dtype_text, needed ? fmt::to_string(*needed) : "too many", bytes,
        offset(begin)));
  }

  // Checks what the format demands: tensors cover the file from the header's end to its own end, without
  // overlaps or holes.
  void check_layout(const std::vector<TensorView>& views) const {
    std::vector<const TensorView*> ordered;
    for (const TensorView& view : views) ordered.push_back(&view);
    std::sort(ordered.begin(), ordered.end(), [](const TensorView* a, const TensorView* b) {
      return std::pair(a->bytes.data(), a->bytes.size()) < std::pair(b->bytes.data(), b->bytes.size());
    });
    const std::byte* end = data_.data();
    for (const TensorView* view : ordered) {
      const auto at = static_cast<std::uint64_t>(view->bytes.data() - data_.data());
      if (view->bytes.data() < end)
        refuse(fmt::format("tensor {} at offset {} overlaps the tensor before it.", view->name, offset(at)));
      if (view->bytes.data() > end)
        refuse(fmt::format("{} bytes before tensor {} at offset {} belong to no tensor.",
                           view->bytes.data() - end, view->name, offset(at)));
      end = view->bytes.data() + view->bytes.size();
    }
    const auto left = data_.data() + data_.size() - end;
    if (left > 0)
      refuse(fmt::format("the last {} bytes, from offset {}, belong to no tensor.", left,
                         file_.size() - static_cast<std::size_t>(left)));
  }

  // Converts an offset into the tensor data to an offset into the file.
  std::uint64_t offset(std::uint64_t in_data) const { return file_.size() - data_.size() + in_data; }

  fs::path path_;
  std::span<const std::byte> file_;
  std::span<const std::byte> data_;
};

// Reads weight_map of an index: tensor name -> file name.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const Json index = read_json(path);
  const auto refuse = [&](const std::string& what) {
    throw Refusal(fmt::format("{}: {}", path.filename().string(), what), fetch_again, path);
  };
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    refuse("there is no weight_map that names the files.");
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : index["weight_map"].items()) {
    if (!file.is_string()) refuse(fmt::format("weight_map: the file of {} is not a string.", name));
    const fs::path relative = file.get<std::string>();
    const bool escapes =
        relative.is_absolute() || std::find(relative.begin(), relative.end(), "..") != relative.end();
    if (relative.empty() || escapes)
      refuse(fmt::format("weight_map: the file of {} is outside the folder: '{}'.", name, relative.string()));
    files.emplace(name, relative.string());
  }
  return files;
}

}  // namespace

struct TensorStore::Mapped {
  std::vector<std::shared_ptr<const MappedFile>> mappings;
  std::vector<fs::path> files;
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;

  // Maps a file and returns its tensors.
  std::vector<TensorView> map(const fs::path& path) {
    mappings.push_back(std::make_shared<const MappedFile>(path));
    files.push_back(path);
    std::map<std::string, std::string> found;
    auto views = HeaderReader(path, mappings.back()->bytes()).read(found);
    if (files.size() == 1) metadata = std::move(found);
    return views;
  }

  void add_file(const fs::path& path) {
    for (TensorView& view : map(path)) tensors.emplace(view.name, std::move(view));
  }

  void add_shards(const fs::path& index) {
    std::map<std::string, std::map<std::string, TensorView>> shards;
    for (const auto& [name, file] : read_index(index)) {
      const fs::path path = index.parent_path() / file;
      if (!shards.contains(file)) {
        if (!has_entry(path))
          throw Refusal(fmt::format("{} is missing; {} names it.", file, index.filename().string()),
                        "Download all files of the checkpoint.", path);
        for (TensorView& view : map(path)) shards[file].emplace(view.name, std::move(view));
      }
      const auto view = shards[file].find(name);
      if (view == shards[file].end())
        throw Refusal(fmt::format("{} does not hold {}, which {} looks for there.", file, name,
                                  index.filename().string()),
                      fetch_again, path);
      tensors.emplace(name, view->second);
    }
  }
};

TensorStore TensorStore::open(const fs::path& path) {
  auto mapped = std::make_shared<Mapped>();
  std::error_code code;
  const fs::path single = path / "model.safetensors";
  const fs::path index = path / "model.safetensors.index.json";
  if (path.string().ends_with(".index.json"))
    mapped->add_shards(path);
  else if (!fs::is_directory(path, code))
    mapped->add_file(path);
  else if (has_entry(single))
    mapped->add_file(single);
  else if (has_entry(index))
    mapped->add_shards(index);
  else
    throw Refusal("There is no model.safetensors and no model.safetensors.index.json in the folder.",
                  "Choose a folder in the Hugging Face layout with safetensors weights.", path);
  return TensorStore(std::move(mapped));
}

TensorStore::TensorStore(std::vector<std::shared_ptr<const MappedFile>> mapped, std::vector<fs::path> files,
                         std::vector<TensorView> tensors) {
  auto held = std::make_shared<Mapped>();
  held->mappings = std::move(mapped);
  held->files = std::move(files);
  for (TensorView& view : tensors) {
    auto name = view.name;
    held->tensors.emplace(std::move(name), std::move(view));
  }
  mapped_ = std::move(held);
}

TensorStore TensorStore::with(std::map<std::string, TensorView> tensors) const {
  auto mapped = std::make_shared<Mapped>(*mapped_);
  mapped->tensors = std::move(tensors);
  return TensorStore(std::move(mapped));
}

bool TensorStore::contains(const std::string& name) const { return mapped_->tensors.contains(name); }

const TensorView& TensorStore::at(const std::string& name) const {
  const auto found = mapped_->tensors.find(name);
  if (found != mapped_->tensors.end()) return found->second;
  throw Refusal(fmt::format("There is no tensor {}.", name),
                "The checkpoint is incomplete; download it again.",
                mapped_->files.empty() ? fs::path() : mapped_->files.front());
}

const std::map<std::string, TensorView>& TensorStore::tensors() const { return mapped_->tensors; }
const std::map<std::string, std::string>& TensorStore::metadata() const { return mapped_->metadata; }
const std::vector<fs::path>& TensorStore::files() const { return mapped_->files; }

}  // namespace ladimo
