// GGUF files: magic and version, metadata, the table of tensors, tensor bytes at aligned offsets.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "checkpoint/gguf_metadata.h"
#include "checkpoint/mapped_file.h"
#include "checkpoint/tensor_view.h"

namespace ladimo {

/// Whether `path` is a file that is to be read as GGUF: its name ends in .gguf, or its bytes begin as such.
bool is_gguf(const std::filesystem::path& path);

/// The parts of a split file (NAME-00001-of-00003.gguf), in order, as the name of any of them says. The file
/// alone for another name.
std::vector<std::filesystem::path> gguf_parts(const std::filesystem::path& path);
/// The first part of the split file that is called NAME.gguf; absent where its folder holds none.
std::optional<std::filesystem::path> first_part_of_gguf(const std::filesystem::path& path);

/// What a GGUF file holds, or all parts of a split one.
struct Gguf {
  GgufMetadata metadata;            // of the first part
  std::vector<TensorView> tensors;  // by GGUF's names, with different names, in file order
  std::uint64_t header_bytes = 0;   // of the first part: everything before its tensors' bytes
  std::vector<std::filesystem::path> files;
  std::vector<std::shared_ptr<const MappedFile>> mapped;  // what metadata and tensors point into

  /// Opens version 2 or 3 in little-endian order. Any part stands for a split file
  /// (NAME-00001-of-00003.gguf). Every count, length, shape, offset and overlap is checked against the file
  /// before it is used. Throws Refusal with the file and the offset.
  static Gguf open(const std::filesystem::path& path);
};

}  // namespace ladimo
