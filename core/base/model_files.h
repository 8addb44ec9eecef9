// The small files of a model: configuration, tokenizer and generation settings.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// Either the files of a folder in the Hugging Face layout, or files in memory that say the same, made from a
/// file that holds a whole model (GGUF).
class ModelFiles {
 public:
  /// The files of a folder. They are read when they are asked for. For a MODEL that a person named, use
  /// model_files() (checkpoint/checkpoint.h), which knows GGUF files.
  explicit ModelFiles(std::filesystem::path folder);
  /// Files in memory, by name. Messages name `source`.
  ModelFiles(std::filesystem::path source, std::map<std::string, std::string> contents);

  /// Whether there is such a file, or a link of that name.
  bool has(const std::string& name) const;
  /// Throws Refusal when the file is absent or cannot be read.
  std::string read(const std::string& name) const;
  /// Reads JSON. Throws Refusal with the byte offset when it does not parse.
  nlohmann::json read_json(const std::string& name) const;
  /// What a message about the file names: the file of the folder, or the source of the files in memory.
  std::filesystem::path path(const std::string& name) const;
  /// The folder, or the source of the files in memory.
  const std::filesystem::path& source() const { return source_; }

 private:
  std::filesystem::path source_;
  bool in_memory_ = false;
  std::map<std::string, std::string> contents_;
};

}  // namespace ladimo
