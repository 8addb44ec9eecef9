#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "checkpoint/safetensors.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

std::string header_of(const std::vector<TensorSpec>& specs,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorSpec& spec : specs) {
    const std::uint64_t end = offset + spec.bytes();
    header[spec.name] = {
        {"dtype", dtype_name(spec.dtype)}, {"shape", spec.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the tensors begin at a multiple of 8
  return text;
}

std::vector<std::vector<TensorSpec>> split_into_shards(const std::vector<TensorSpec>& specs,
                                                       std::uint64_t max_shard_bytes) {
  std::vector<std::vector<TensorSpec>> shards(1);
  std::uint64_t bytes = 0;
  for (const TensorSpec& spec : specs) {
    if (!shards.back().empty() && bytes + spec.bytes() > max_shard_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += spec.bytes();
    shards.back().push_back(spec);
  }
  return shards;
}

}  // namespace

std::uint64_t TensorSpec::bytes() const {
  std::uint64_t bytes = dtype_size(dtype);
  for (const std::int64_t dim : shape) bytes *= static_cast<std::uint64_t>(dim);
  return bytes;
}

struct SafetensorsWriter::State {
  AtomicFile file;
  fs::path path;
  std::vector<TensorSpec> specs;
  std::size_t next = 0;
};

SafetensorsWriter::SafetensorsWriter(fs::path path, std::vector<TensorSpec> specs,
                                     const std::map<std::string, std::string>& metadata)
    : state_(new State{AtomicFile(path), path, std::move(specs)}) {
  const std::string header = header_of(state_->specs, metadata);
  unsigned char length[8];
  for (std::size_t i = 0; i < sizeof length; ++i)
    length[i] = static_cast<unsigned char>(header.size() >> (8 * i));
  state_->file.write(length, sizeof length);
  state_->file.write(header.data(), header.size());
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write(const std::string& name, std::span<const std::byte> bytes) {
  const TensorSpec* spec = state_->next < state_->specs.size() ? &state_->specs[state_->next] : nullptr;
  if (spec == nullptr || spec->name != name || spec->bytes() != bytes.size())
    throw Error(fmt::format("{} was to be written next with {} bytes, but {} came with {}.",
                            spec ? spec->name : "Nothing", spec ? spec->bytes() : 0, name, bytes.size()),
                "This is a bug. Please report it.", state_->path);
  state_->file.write(bytes.data(), bytes.size());
  ++state_->next;
}

void SafetensorsWriter::finish() {
  if (state_->next < state_->specs.size())
    throw Error(fmt::format("{} was declared but not written.", state_->specs[state_->next].name),
                "This is a bug. Please report it.", state_->path);
  state_->file.commit();
}

void write_sharded(const fs::path& folder, const std::vector<TensorSpec>& specs,
                   std::uint64_t max_shard_bytes,
                   const std::function<std::vector<std::byte>(const TensorSpec&)>& bytes_of,
                   const std::map<std::string, std::string>& metadata) {
  const auto shards = split_into_shards(specs, max_shard_bytes);
  nlohmann::ordered_json weight_map = nlohmann::ordered_json::object();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shards.size() == 1
                                 ? "model.safetensors"
                                 : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    SafetensorsWriter writer(folder / name, shards[i], metadata);
    for (const TensorSpec& spec : shards[i]) {
      writer.write(spec.name, bytes_of(spec));
      weight_map[spec.name] = name;
      total += spec.bytes();
    }
    writer.finish();
  }
  if (shards.size() > 1)
    write_json(folder / "model.safetensors.index.json",
               nlohmann::json{{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}});
}

}  // namespace ladimo
