#include "checkpoint/gguf.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/format.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view magic = "GGUF";
constexpr const char* fetch_again = "The file is damaged or incomplete; download it again.";
constexpr std::uint64_t default_alignment = 32, most_alignment = 1 << 20;
constexpr std::uint32_t most_dims = 4;
constexpr int deepest_list = 8;

/// Bytes of one value of a type; 0 for those whose length varies.
std::size_t size_of(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::flag:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::text:
    case GgufType::list:
      return 0;
  }
  return 0;
}

/// Reads one file from its beginning to the end of its table of tensors.
class Reader {
 public:
  Reader(fs::path path, std::span<const std::byte> file) : path_(std::move(path)), file_(file) {}

  GgufMetadata read_metadata() {
    const std::string_view beginning(reinterpret_cast<const char*>(file_.data()), file_.size());
    if (beginning.empty()) refuse("the file is empty.");
    if (const auto problem = stand_in_problem(path_, beginning)) throw Refusal(*problem);
    if (!beginning.starts_with(magic)) refuse("this is not a GGUF file, which begins with GGUF.");
    take(magic.size(), "the magic number");
    read_version();
    tensors_ = number<std::uint64_t>("the number of tensors");
    const auto count = number<std::uint64_t>("the number of metadata values");
    GgufMetadata metadata(path_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto at = at_;
      const auto key = text("a metadata key");
      if (!metadata.add(key, value(type(key), key)))
        refuse(fmt::format("the metadata key {} at offset {} is there twice.", key, at));
    }
    return metadata;
  }

  /// Precondition: read_metadata() was called.
  std::vector<TensorView> read_tensors(const GgufMetadata& metadata) {
    struct Entry {
      TensorView view;
      std::uint64_t offset = 0;
    };
    std::vector<Entry> entries;
    std::set<std::string_view> names;
    for (std::uint64_t i = 0; i < tensors_; ++i) {
      Entry entry;
      const auto at = at_;
      const auto name = text("a tensor's name");
      if (!names.insert(name).second) refuse(fmt::format("tensor {} at offset {} is there twice.", name, at));
      entry.view.name = name;
      entry.view.file = path_;
      read_shape(entry.view);
      read_type(entry.view);
      entry.offset = number<std::uint64_t>("a tensor's offset");
      entries.push_back(std::move(entry));
    }
    const auto alignment =
        static_cast<std::uint64_t>(metadata.whole("general.alignment").value_or(default_alignment));
    if (alignment == 0 || alignment % 8 != 0 || alignment > most_alignment)
      metadata.refuse("general.alignment",
                      fmt::format("is {}; it must be a multiple of 8 up to {}.", alignment, most_alignment));
    data_ = std::min<std::uint64_t>((at_ + alignment - 1) / alignment * alignment, file_.size());
    std::vector<TensorView> views;
    for (Entry& entry : entries) {
      if (entry.offset % alignment != 0)
        refuse(fmt::format("tensor {} begins {} bytes after offset {}, which is not a multiple of {}.",
                           entry.view.name, entry.offset, data_, alignment));
      place(entry.view, entry.offset);
      views.push_back(std::move(entry.view));
    }
    check_overlaps(views);
    return views;
  }

  /// Bytes before those of the tensors. Precondition: read_tensors() was called.
  std::uint64_t header_bytes() const { return data_; }

 private:
  [[noreturn]] void refuse(const std::string& what, const char* hint = fetch_again) const {
    throw Refusal(fmt::format("{}: {}", path_.filename().string(), what), hint, path_);
  }

  std::span<const std::byte> take(std::uint64_t bytes, std::string_view what) {
    if (bytes > file_.size() - at_)
      refuse(fmt::format("the file ends at byte {}, inside {} of {} bytes at offset {}.", file_.size(), what,
                         bytes, at_));
    const auto taken = file_.subspan(at_, bytes);
    at_ += bytes;
    return taken;
  }

  template <class Number>
  Number number(std::string_view what) {
    Number number;
    std::memcpy(&number, take(sizeof number, what).data(), sizeof number);
    return number;
  }

  std::string_view text(std::string_view what) {
    const auto length = number<std::uint64_t>(what);
    const auto bytes = take(length, what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  void read_version() {
    const auto version = number<std::uint32_t>("the version");
    // A version is small, so it shows when its bytes are in the other order.
    if (version != 0 && (version & 0xffff) == 0)
      refuse("the file is in big-endian order, which is not read.",
             "Use a file for little-endian machines; nearly all are.");
    if (version < 2 || version > 3)
      refuse(fmt::format("this is version {} of GGUF; versions 2 and 3 are supported.", version),
             "Make the file again with a current llama.cpp.");
  }

  GgufType type(std::string_view key) {
    const auto at = at_;
    const auto type = number<std::uint32_t>(key);
    if (type > static_cast<std::uint32_t>(GgufType::f64))
      refuse(fmt::format("{} has the unknown value type {} at offset {}.", key, type, at));
    return static_cast<GgufType>(type);
  }

  GgufValue value(GgufType type, std::string_view key) {
    switch (type) {
      case GgufType::u8:
        return std::uint64_t{number<std::uint8_t>(key)};
      case GgufType::u16:
        return std::uint64_t{number<std::uint16_t>(key)};
      case GgufType::u32:
        return std::uint64_t{number<std::uint32_t>(key)};
      case GgufType::u64:
        return number<std::uint64_t>(key);
      case GgufType::i8:
        return std::int64_t{number<std::int8_t>(key)};
      case GgufType::i16:
        return std::int64_t{number<std::int16_t>(key)};
      case GgufType::i32:
        return std::int64_t{number<std::int32_t>(key)};
      case GgufType::i64:
        return number<std::int64_t>(key);
      case GgufType::f32:
        return number<float>(key);
      case GgufType::f64:
        return number<double>(key);
      case GgufType::flag:
        return number<std::uint8_t>(key) != 0;
      case GgufType::text:
        return text(key);
      case GgufType::list:
        return list(key, 0);
    }
    return false;  // unreachable: type() gives no other
  }

  GgufList list(std::string_view key, int depth) {
    if (depth == deepest_list) refuse(fmt::format("{} contains lists in lists too deep.", key));
    GgufList list;
    list.type = type(key);
    list.count = number<std::uint64_t>(key);
    const auto begin = at_;
    if (const std::size_t size = size_of(list.type); size > 0) {
      if (list.count > (file_.size() - at_) / size)
        refuse(fmt::format("the file ends at byte {}, inside the {} entries of {} at offset {}.",
                           file_.size(), list.count, key, at_));
      take(list.count * size, key);
    } else {
      for (std::uint64_t i = 0; i < list.count; ++i) {
        if (list.type == GgufType::text)
          text(key);
        else
          this->list(key, depth + 1);
      }
    }
    list.bytes = file_.subspan(begin, at_ - begin);
    return list;
  }

  /// GGUF names the dimension whose elements lie together first.
  void read_shape(TensorView& view) {
    const auto at = at_;
    const auto dims = number<std::uint32_t>("a tensor's shape");
    if (dims < 1 || dims > most_dims)
      refuse(fmt::format("tensor {} has {} dimensions at offset {}; 1 to {} are supported.", view.name, dims,
                         at, most_dims));
    for (std::uint32_t i = 0; i < dims; ++i) {
      const auto dim = number<std::uint64_t>("a tensor's shape");
      if (dim < 1 || dim > INT64_MAX)
        refuse(fmt::format("tensor {} has a dimension of {} at offset {}.", view.name, dim, at));
      view.shape.insert(view.shape.begin(), static_cast<std::int64_t>(dim));
    }
  }

  void read_type(TensorView& view) {
    const auto at = at_;
    const auto id = number<std::uint32_t>("a tensor's type");
    const GgmlType* type = find_ggml_type(id);
    if (type == nullptr || type->decode == nullptr)
      refuse(fmt::format("tensor {} has the {} at offset {}, which is not read.", view.name,
                         type == nullptr ? fmt::format("unknown type {}", id)
                                         : fmt::format("quantisation {}", type->name),
                         at),
             "Use a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL or IQ4_XS.");
    view.stored = type;
  }

  /// Finds the bytes of a tensor that begins `offset` bytes into the data.
  void place(TensorView& view, std::uint64_t offset) const {
    const GgmlType& type = *view.stored;
    const auto row = static_cast<std::uint64_t>(view.shape.back());
    if (row % type.block_elements != 0)
      refuse(fmt::format("tensor {} has rows of {} elements, which are no whole blocks of {} ({}).",
                         view.name, row, type.block_elements, type.name));
    std::uint64_t bytes = row / type.block_elements;
    bool fits = !__builtin_mul_overflow(bytes, std::uint64_t{type.block_bytes}, &bytes);
    for (std::size_t i = 0; i + 1 < view.shape.size(); ++i)
      fits = fits && !__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(view.shape[i]), &bytes);
    const std::uint64_t room = file_.size() - data_;
    if (!fits || offset > room || bytes > room - offset)
      refuse(fmt::format(
          "tensor {} of shape [{}] in {} does not fit: it begins {} bytes after offset {}, but the "
          "file ends at {}.",
          view.name, fmt::join(view.shape, ", "), type.name, offset, data_, file_.size()));
    view.bytes = file_.subspan(data_ + offset, bytes);
  }

  void check_overlaps(const std::vector<TensorView>& views) const {
    std::vector<const TensorView*> ordered;
    for (const TensorView& view : views) ordered.push_back(&view);
    std::ranges::sort(ordered, {}, [](const TensorView* view) { return view->bytes.data(); });
    for (std::size_t i = 1; i < ordered.size(); ++i)
      if (ordered[i]->bytes.data() < ordered[i - 1]->bytes.data() + ordered[i - 1]->bytes.size())
        refuse(fmt::format("tensor {} at offset {} overlaps tensor {}.", ordered[i]->name,
                           ordered[i]->bytes.data() - file_.data(), ordered[i - 1]->name));
  }

  fs::path path_;
  std::span<const std::byte> file_;
  std::uint64_t at_ = 0;
  std::uint64_t tensors_ = 0;
  std::uint64_t data_ = 0;  // where tensor bytes begin
};

void add_part(Gguf& gguf, const fs::path& path, std::int64_t index, std::int64_t count) {
  if (!has_entry(path))
    throw Refusal(
        fmt::format("{} is missing; the model is split into {} files.", path.filename().string(), count),
        "Download all parts into one folder.", path);
  gguf.mapped.push_back(std::make_shared<const MappedFile>(path));
  Reader reader(path, gguf.mapped.back()->bytes());
  auto metadata = reader.read_metadata();
  if (metadata.whole("split.count").value_or(1) != count || metadata.whole("split.no").value_or(0) != index)
    metadata.refuse("split.no", "and split.count do not say what the file's name says.",
                    "Download all parts again, under the names that they had.");
  auto tensors = reader.read_tensors(metadata);
  gguf.tensors.insert(gguf.tensors.end(), std::make_move_iterator(tensors.begin()),
                      std::make_move_iterator(tensors.end()));
  gguf.files.push_back(path);
  if (index > 0) return;
  gguf.metadata = std::move(metadata);
  gguf.header_bytes = reader.header_bytes();
}

void refuse_repeats(const Gguf& gguf) {
  std::set<std::string_view> names;
  for (const TensorView& view : gguf.tensors)
    if (!names.insert(view.name).second)
      throw Refusal(
          fmt::format("{}: tensor {} is also in another part.", view.file.filename().string(), view.name),
          "Download all parts again.", view.file);
}

}  // namespace

bool is_gguf(const fs::path& path) {
  std::error_code code;
  if (fs::is_directory(path, code)) return false;
  if (lower_case(path.extension().string()) == ".gguf") return true;
  if (!fs::is_regular_file(path, code)) return false;
  char beginning[magic.size()] = {};
  std::ifstream(path, std::ios::binary).read(beginning, sizeof beginning);
  return std::string_view(beginning, sizeof beginning) == magic;
}

std::vector<fs::path> gguf_parts(const fs::path& path) {
  constexpr std::string_view pattern = "-#####-of-#####.gguf";
  const std::string name = path.filename().string();
  if (name.size() <= pattern.size()) return {path};
  const std::string_view end = std::string_view(name).substr(name.size() - pattern.size());
  const bool fits = std::ranges::equal(end, pattern, [](char have, char want) {
    return want == '#' ? have >= '0' && have <= '9' : have == want;
  });
  if (!fits) return {path};
  const int count = std::stoi(std::string(end.substr(10, 5)));
  std::vector<fs::path> parts;
  const auto stem = name.substr(0, name.size() - pattern.size());
  for (int i = 1; i <= count; ++i)
    parts.push_back(path.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", stem, i, count));
  return parts.empty() ? std::vector{path} : parts;
}

std::optional<fs::path> first_part_of_gguf(const fs::path& path) {
  const auto begin = path.stem().string() + "-00001-of-";
  for (const auto& entry : fs::directory_iterator(path.parent_path()))
    if (entry.path().filename().string().starts_with(begin)) return entry.path();
  return {};
}

Gguf Gguf::open(const fs::path& path) {
  Gguf gguf{GgufMetadata(path), {}, 0, {}, {}};
  std::int64_t count = 1;
  {
    const MappedFile first(path);
    const auto metadata = Reader(path, first.bytes()).read_metadata();
    count = metadata.whole("split.count").value_or(1);
    if (count < 1 || count > 99999) metadata.refuse("split.count", "is not a number of files.");
    if (count > 1 && static_cast<std::int64_t>(gguf_parts(path).size()) != count)
      metadata.refuse("split.count",
                      fmt::format("says that this is one of {} parts, but the file's name does not.", count),
                      fmt::format("Name the parts as they were: NAME-00001-of-{:05}.gguf.", count));
  }
  const auto parts = count > 1 ? gguf_parts(path) : std::vector{path};
  for (std::size_t i = 0; i < parts.size(); ++i)
    add_part(gguf, parts[i], static_cast<std::int64_t>(i), count);
  refuse_repeats(gguf);
  return gguf;
}

}  // namespace ladimo
