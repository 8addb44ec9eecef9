// safetensors files: u64 little-endian header length, JSON header, tensor bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/mapped_file.h"
#include "checkpoint/tensor_view.h"

namespace ladimo {

/// The tensors of a folder or file, mapped read-only.
class TensorStore {
 public:
  /// Opens one file, the shards that an index (`.index.json`) names, or what a folder holds: its
  /// `model.safetensors`, else its `model.safetensors.index.json`. Headers, shapes, offsets, overlaps and
  /// lengths are checked against the files before any tensor is touched. Throws Refusal with the file and the
  /// offset.
  static TensorStore open(const std::filesystem::path& path);
  /// Tensors of another format, which point into `mapped`. Precondition: their names differ.
  TensorStore(std::vector<std::shared_ptr<const MappedFile>> mapped, std::vector<std::filesystem::path> files,
              std::vector<TensorView> tensors);

  bool contains(const std::string& name) const;
  /// Throws Refusal when there is no such tensor.
  const TensorView& at(const std::string& name) const;
  const std::map<std::string, TensorView>& tensors() const;
  /// `__metadata__` in the header of the first file.
  const std::map<std::string, std::string>& metadata() const;
  /// The same files with other views of their bytes.
  TensorStore with(std::map<std::string, TensorView> tensors) const;
  /// The files that hold the tensors.
  const std::vector<std::filesystem::path>& files() const;

 private:
  struct Mapped;
  explicit TensorStore(std::shared_ptr<const Mapped> mapped) : mapped_(std::move(mapped)) {}
  std::shared_ptr<const Mapped> mapped_;
};

/// A tensor to be written. All of them must be known before the first is written, because the header comes
/// first in the file.
struct TensorSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t bytes() const;
};

/// Writes one safetensors file under a temporary name. Declare all tensors, write each of them once in that
/// order, then call finish().
class SafetensorsWriter {
 public:
  SafetensorsWriter(std::filesystem::path path, std::vector<TensorSpec> specs,
                    const std::map<std::string, std::string>& metadata = {});
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  /// Writes the next declared tensor. Throws Error when name or size differ from its spec, or the disk is
  /// full.
  void write(const std::string& name, std::span<const std::byte> bytes);
  /// Completes the file (fsync) and gives it its final name. Throws Error when a declared tensor was not
  /// written.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes `specs` to a folder as `model.safetensors`, or as shards of at most `max_shard_bytes` with an
/// index, in the layout of Hugging Face; `bytes_of(spec)` is called for one tensor at a time, and its bytes
/// are freed after they are written.
void write_sharded(const std::filesystem::path& folder, const std::vector<TensorSpec>& specs,
                   std::uint64_t max_shard_bytes,
                   const std::function<std::vector<std::byte>(const TensorSpec&)>& bytes_of,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace ladimo
