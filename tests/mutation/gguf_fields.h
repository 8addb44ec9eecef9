// Where the numbers in the header of a good GGUF file are, so that damage can mislead a reader.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ladimo::testing {

struct GgufField {
  std::string what;
  std::size_t at = 0, bytes = 0;  // 4 or 8 bytes
};

/// Version, counts, lengths, types, shapes and offsets. Precondition: the file is good, without lists in
/// lists.
std::vector<GgufField> gguf_fields(const std::string& content);

}  // namespace ladimo::testing
