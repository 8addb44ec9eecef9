// The normaliser of a tokenizer.json: what happens to text before it is cut.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json_fields.h"

namespace ladimo {

/// The steps in the order of the file: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend,
/// Replace, Sequence. Without steps, text stays as it is.
class Normalizer {
 public:
  Normalizer() = default;
  /// Reads an object such as {"type": "NFC"}. Throws Refusal that names a type that is not known.
  explicit Normalizer(const JsonFields& json);

  bool empty() const { return steps_.empty(); }
  std::string apply(std::string_view text) const;

 private:
  using Step = std::function<void(std::string&)>;
  void add(const JsonFields& json);

  std::vector<Step> steps_;
};

/// Reads the `pattern` of a step, {"String": "▁"} or {"Regex": "..."}, as a regular expression.
class Regex;
Regex pattern_from(const JsonFields& json);

}  // namespace ladimo
