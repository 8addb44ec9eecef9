#include "base/model_files.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;

ModelFiles::ModelFiles(fs::path folder) : source_(std::move(folder)) {}

ModelFiles::ModelFiles(fs::path source, std::map<std::string, std::string> contents)
    : source_(std::move(source)), in_memory_(true), contents_(std::move(contents)) {}

bool ModelFiles::has(const std::string& name) const {
  return in_memory_ ? contents_.contains(name) : has_entry(source_ / name);
}

std::string ModelFiles::read(const std::string& name) const {
  if (!in_memory_) return read_file(source_ / name);
  const auto found = contents_.find(name);
  if (found == contents_.end())
    throw Refusal(fmt::format("{} does not contain the data of {}.", source_.filename().string(), name),
                  "Download the model again.", source_);
  return found->second;
}

nlohmann::json ModelFiles::read_json(const std::string& name) const {
  return in_memory_ ? parse_json(read(name), name, source_) : ladimo::read_json(source_ / name);
}

fs::path ModelFiles::path(const std::string& name) const { return in_memory_ ? source_ : source_ / name; }

}  // namespace ladimo
