#include "checkpoint/gguf_writer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/files.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t version = 3;
constexpr std::uint64_t alignment = 32;
constexpr std::size_t rounded_at_once = 1 << 18;  // elements; a multiple of every block
constexpr std::size_t most_files = 65535;         // split.no is u16
constexpr const char* report_it = "This is a bug. Please report it.";

template <class Number>
void add_number(std::string& bytes, Number number) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  bytes.append(raw, sizeof raw);
}

void add_text(std::string& bytes, std::string_view text) {
  add_number(bytes, std::uint64_t{text.size()});
  bytes += text;
}

void add_type(std::string& bytes, GgufType type) { add_number(bytes, static_cast<std::uint32_t>(type)); }

template <class Number>
void add_list(std::string& bytes, GgufType type, std::span<const Number> list) {
  add_type(bytes, type);
  add_number(bytes, std::uint64_t{list.size()});
  bytes.append(reinterpret_cast<const char*>(list.data()), list.size_bytes());
}

std::uint64_t aligned(std::uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

void check_specs(const std::vector<GgufTensorSpec>& specs, const fs::path& path) {
  std::set<std::string_view> names;
  for (const GgufTensorSpec& spec : specs) {
    const bool rows_fit =
        !spec.shape.empty() && spec.shape.size() <= 4 &&
        std::ranges::all_of(spec.shape, [](std::int64_t dim) { return dim > 0; }) &&
        static_cast<std::uint64_t>(spec.shape.back()) % ggml_type_of(spec.precision).block_elements == 0;
    if (!rows_fit)
      throw Error(fmt::format("Tensor {} of shape [{}] cannot be written as {}.", spec.name,
                              fmt::join(spec.shape, ", "), gguf_precision_name(spec.precision)),
                  report_it, path);
    if (!names.insert(spec.name).second)
      throw Error(fmt::format("Tensor {} was declared twice.", spec.name), report_it, path);
  }
}

/// The tensors of each file: [first, end) of all.
std::vector<std::pair<std::size_t, std::size_t>> split(const std::vector<GgufTensorSpec>& specs,
                                                       std::uint64_t most_bytes) {
  std::vector<std::pair<std::size_t, std::size_t>> parts{{0, 0}};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::uint64_t more = aligned(specs[i].bytes());
    if (bytes > 0 && bytes + more > most_bytes) {
      parts.emplace_back(i, i);
      bytes = 0;
    }
    bytes += more;
    parts.back().second = i + 1;
  }
  return parts;
}

/// Everything in a file before the bytes of its tensors.
std::string header_of(const GgufKeys& keys, std::span<const GgufTensorSpec> specs) {
  std::string header = "GGUF";
  add_number(header, version);
  add_number(header, std::uint64_t{specs.size()});
  add_number(header, std::uint64_t{keys.size()});
  header += keys.bytes();
  std::uint64_t offset = 0;
  for (const GgufTensorSpec& spec : specs) {
    add_text(header, spec.name);
    add_number(header, static_cast<std::uint32_t>(spec.shape.size()));
    // GGUF names the dimension whose elements lie together first.
    for (auto dim = spec.shape.rbegin(); dim != spec.shape.rend(); ++dim)
      add_number(header, static_cast<std::uint64_t>(*dim));
    add_number(header, ggml_type_of(spec.precision).id);
    add_number(header, offset);
    offset += aligned(spec.bytes());
  }
  header.resize(aligned(header.size()), '\0');
  return header;
}

fs::path part_path(const fs::path& path, std::size_t index, std::size_t count) {
  if (count == 1) return path;
  return path.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", path.stem().string(), index + 1, count);
}

}  // namespace

void GgufKeys::begin(std::string_view key, GgufType type) {
  if (has(key)) throw Error(fmt::format("The GGUF key {} was set twice.", key), report_it);
  keys_.emplace_back(key);
  add_text(bytes_, key);
  add_type(bytes_, type);
}

bool GgufKeys::has(std::string_view key) const { return std::ranges::find(keys_, key) != keys_.end(); }

void GgufKeys::u16(std::string_view key, std::uint16_t value) {
  begin(key, GgufType::u16);
  add_number(bytes_, value);
}

void GgufKeys::u32(std::string_view key, std::uint32_t value) {
  begin(key, GgufType::u32);
  add_number(bytes_, value);
}

void GgufKeys::i32(std::string_view key, std::int32_t value) {
  begin(key, GgufType::i32);
  add_number(bytes_, value);
}

void GgufKeys::f32(std::string_view key, float value) {
  begin(key, GgufType::f32);
  add_number(bytes_, value);
}

void GgufKeys::flag(std::string_view key, bool value) {
  begin(key, GgufType::flag);
  add_number(bytes_, static_cast<std::uint8_t>(value ? 1 : 0));
}

void GgufKeys::text(std::string_view key, std::string_view value) {
  begin(key, GgufType::text);
  add_text(bytes_, value);
}

void GgufKeys::texts(std::string_view key, std::span<const std::string> list) {
  begin(key, GgufType::list);
  add_type(bytes_, GgufType::text);
  add_number(bytes_, std::uint64_t{list.size()});
  for (const std::string& entry : list) add_text(bytes_, entry);
}

void GgufKeys::u32s(std::string_view key, std::span<const std::uint32_t> list) {
  begin(key, GgufType::list);
  add_list(bytes_, GgufType::u32, list);
}

void GgufKeys::i32s(std::string_view key, std::span<const std::int32_t> list) {
  begin(key, GgufType::list);
  add_list(bytes_, GgufType::i32, list);
}

void GgufKeys::f32s(std::string_view key, std::span<const float> list) {
  begin(key, GgufType::list);
  add_list(bytes_, GgufType::f32, list);
}

void GgufKeys::copy(std::string_view key, const GgufValue& value) {
  const auto add = [&](GgufType type, auto number) {
    begin(key, type);
    add_number(bytes_, number);
  };
  std::visit(
      [&](const auto& found) {
        using Found = std::decay_t<decltype(found)>;
        if constexpr (std::is_same_v<Found, std::uint64_t>) {
          if (found <= std::numeric_limits<std::uint32_t>::max())
            u32(key, static_cast<std::uint32_t>(found));
          else
            add(GgufType::u64, found);
        } else if constexpr (std::is_same_v<Found, std::int64_t>) {
          if (found >= INT32_MIN && found <= INT32_MAX)
            i32(key, static_cast<std::int32_t>(found));
          else
            add(GgufType::i64, found);
        } else if constexpr (std::is_same_v<Found, float>) {
          f32(key, found);
        } else if constexpr (std::is_same_v<Found, double>) {
          add(GgufType::f64, found);
        } else if constexpr (std::is_same_v<Found, bool>) {
          flag(key, found);
        } else if constexpr (std::is_same_v<Found, std::string_view>) {
          text(key, found);
        } else {
          begin(key, GgufType::list);
          add_type(bytes_, found.type);
          add_number(bytes_, found.count);
          bytes_.append(reinterpret_cast<const char*>(found.bytes.data()), found.bytes.size());
        }
      },
      value);
}

std::uint64_t GgufTensorSpec::elements() const {
  std::uint64_t elements = 1;
  for (const std::int64_t dim : shape) elements *= static_cast<std::uint64_t>(dim);
  return elements;
}

std::uint64_t GgufTensorSpec::bytes() const {
  const GgmlType& type = ggml_type_of(precision);
  return elements() / type.block_elements * type.block_bytes;
}

struct GgufWriter::State {
  fs::path path;
  GgufKeys keys;
  std::vector<GgufTensorSpec> specs;
  std::vector<std::pair<std::size_t, std::size_t>> parts = {};
  std::vector<fs::path> names = {};
  std::vector<std::unique_ptr<AtomicFile>> files = {};  // begun so far
  std::size_t next = 0;                                 // tensor

  /// Begins the next file with its header.
  void begin_file() {
    const std::size_t index = files.size();
    const auto [first, end] = parts[index];
    GgufKeys own;
    GgufKeys& written = index == 0 ? keys : own;
    if (parts.size() > 1) {
      written.u16("split.no", static_cast<std::uint16_t>(index));
      written.u16("split.count", static_cast<std::uint16_t>(parts.size()));
      written.i32("split.tensors.count", static_cast<std::int32_t>(specs.size()));
    }
    const std::string header = header_of(written, std::span(specs).subspan(first, end - first));
    files.push_back(std::make_unique<AtomicFile>(names[index]));
    files.back()->write(header.data(), header.size());
  }

  void write_values(const GgufTensorSpec& spec, std::span<const float> values) {
    const GgmlType& type = ggml_type_of(spec.precision);
    std::vector<std::byte> bytes;
    for (std::size_t first = 0; first < values.size(); first += rounded_at_once) {
      const auto part = values.subspan(first, std::min(rounded_at_once, values.size() - first));
      bytes.resize(part.size() / type.block_elements * type.block_bytes);
      if (const auto bad = round_to(spec.precision, part, bytes))
        throw Refusal(fmt::format("{} cannot hold tensor {}: a value at or after element {} is not finite "
                                  "or too large.",
                                  gguf_precision_name(spec.precision), spec.name, first + *bad),
                      "Export as BF16 or F32.", path);
      files.back()->write(bytes.data(), bytes.size());
    }
    constexpr char zeros[alignment] = {};
    files.back()->write(zeros, aligned(spec.bytes()) - spec.bytes());
  }
};

GgufWriter::GgufWriter(fs::path path, const GgufKeys& keys, std::vector<GgufTensorSpec> specs,
                       std::uint64_t max_file_bytes)
    : state_(new State{path, keys, std::move(specs)}) {
  check_specs(state_->specs, path);
  state_->parts = split(state_->specs, max_file_bytes);
  const std::size_t count = state_->parts.size();
  if (count > most_files)
    throw Refusal(fmt::format("The model would be split into {} files; GGUF knows {}.", count, most_files),
                  "Allow larger files.", path);
  for (std::size_t i = 0; i < count; ++i) state_->names.push_back(part_path(path, i, count));
  state_->begin_file();
}

GgufWriter::~GgufWriter() = default;

void GgufWriter::write(const std::string& name, std::span<const float> values) {
  State& state = *state_;
  const GgufTensorSpec* spec = state.next < state.specs.size() ? &state.specs[state.next] : nullptr;
  if (spec == nullptr || spec->name != name || spec->elements() != values.size())
    throw Error(fmt::format("{} was to be written next with {} elements, but {} came with {}.",
                            spec ? spec->name : "Nothing", spec ? spec->elements() : 0, name, values.size()),
                report_it, state.path);
  if (state.next == state.parts[state.files.size() - 1].second) state.begin_file();
  state.write_values(*spec, values);
  ++state.next;
}

void GgufWriter::finish() {
  State& state = *state_;
  if (state.next < state.specs.size())
    throw Error(fmt::format("{} was declared but not written.", state.specs[state.next].name), report_it,
                state.path);
  std::size_t done = 0;
  try {
    for (; done < state.files.size(); ++done) state.files[done]->commit();
  } catch (...) {
    std::error_code code;
    for (std::size_t i = 0; i < done; ++i) fs::remove(state.names[i], code);
    throw;
  }
}

const std::vector<fs::path>& GgufWriter::files() const { return state_->names; }

std::vector<fs::path> write_gguf(const fs::path& path, const GgufKeys& keys,
                                 const std::vector<GgufTensor>& tensors, std::uint64_t max_file_bytes,
                                 const std::function<void(const GgufTensorSpec&)>& before) {
  std::vector<GgufTensorSpec> specs;
  for (const GgufTensor& tensor : tensors) specs.push_back(tensor.spec);
  GgufWriter writer(path, keys, std::move(specs), max_file_bytes);
  for (const GgufTensor& tensor : tensors) {
    before(tensor.spec);
    writer.write(tensor.spec.name, tensor.values());
  }
  writer.finish();
  return writer.files();
}

}  // namespace ladimo
