// The pre-tokeniser of a tokenizer.json: cuts text into pieces that no token crosses.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json_fields.h"
#include "text/regex.h"

namespace ladimo {

/// Text and the pieces that it was cut into, in order. Text outside the pieces is left out.
struct CutText {
  std::string text;
  std::vector<TextSpan> pieces;
};

/// The steps in the order of the file: Split, ByteLevel, Digits, Metaspace, Punctuation, Whitespace,
/// WhitespaceSplit, Sequence. Without steps, text is one piece.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  /// Reads an object such as {"type": "ByteLevel", ...}. Throws Refusal that names a type, or a combination,
  /// that is not known.
  explicit PreTokenizer(const JsonFields& json);

  /// Cuts `text` in place of what `cut` holds. `begins` says that it stands at the very beginning of the
  /// whole text. Pieces are not empty.
  void cut(std::string text, bool begins, CutText& cut) const;
  /// Whether the model's pieces are spelled in the byte alphabet (byte_alphabet.h). The pieces of cut() are
  /// plain bytes all the same.
  bool byte_level() const { return byte_level_; }

 private:
  using Step = std::function<void(CutText&, bool begins)>;
  void add(const JsonFields& json);
  void add_split(Regex pattern, const std::string& behavior, bool inverted, const JsonFields& json);
  void add_metaspace(const JsonFields& json);

  std::vector<Step> steps_;
  bool byte_level_ = false;
};

}  // namespace ladimo
