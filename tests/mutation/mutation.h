// Damage as files meet it: cut off, overwritten, edited by hand, made by another program, or made to mislead.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/random.h"

namespace ladimo::testing {

struct Mutation {
  std::string what;                  // in words, for a report
  std::optional<std::string> bytes;  // none: a folder stands where the file was
};

/// Damages `content`, the bytes of a file called `name`. The ending of the name decides what else may happen
/// to it besides damage of its bytes: JSON and JSON lines get other values, safetensors and GGUF other
/// headers.
Mutation mutated(const std::filesystem::path& name, const std::string& content, Random& random);

/// Damages one line of a protocol of JSON lines. The result has no line end inside.
Mutation mutated_line(const std::string& line, Random& random);

}  // namespace ladimo::testing
