// What a tokenizer.model (SentencePiece) says, read without the sentencepiece library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ladimo {

struct PieceList {
  /// The numbers are those of the file.
  enum class Kind { normal = 1, unknown, control, user_defined, unused, byte };
  enum class Model { unigram = 1, bpe, word, character };
  struct Piece {
    std::string spelling;  // spaces are U+2581
    float score = 0;
    Kind kind = Kind::normal;
  };

  std::vector<Piece> pieces;  // by id
  Model model = Model::unigram;
  bool adds_space = true;           // add_dummy_prefix: before the text
  bool removes_spaces = true;       // remove_extra_whitespaces
  bool changes_characters = false;  // it has a table that normalises text (precompiled_charsmap)

  /// Reads the bytes of the file, a ModelProto of sentencepiece; what it does not say has sentencepiece's
  /// default. Throws Refusal without a path when they are none.
  static PieceList read(std::string_view bytes);
};

}  // namespace ladimo
