// A SentencePiece model: text to pieces and back, without any token that stands outside tokenizer.model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/sentencepiece_shim.h"

namespace ladimo {

/// The sentencepiece library is opened with dlopen in a namespace of its own (see core/CMakeLists.txt).
class PieceModel {
 public:
  /// How text begins: as the model says (usually with a space that is put before it), or as it is.
  enum class Beginning { as_model_says, as_it_is };

  /// Parses the bytes of a tokenizer.model. Throws Refusal without a path when they are none.
  PieceModel(std::string_view bytes, Beginning beginning);
  ~PieceModel();
  PieceModel(const PieceModel&) = delete;
  PieceModel& operator=(const PieceModel&) = delete;

  /// Throws Refusal for text that cannot be encoded.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// Precondition: every id is that of a piece.
  std::string decode(std::span<const std::int32_t> ids) const;
  std::int32_t size() const { return library_.size(model_); }
  std::int32_t bos() const { return library_.bos(model_); }  // -1: none
  std::int32_t eos() const { return library_.eos(model_); }  // -1: none
  /// The id of the piece that is spelled so; -1 where there is none.
  std::int32_t id_of(std::string_view piece) const;
  /// The spelling of a piece; empty for an id that is none.
  std::string piece(std::int32_t id) const;
  bool is_control(std::int32_t id) const { return library_.is_control(model_, id) != 0; }

 private:
  const LadimoSentencePiece& library_;
  void* model_ = nullptr;
};

}  // namespace ladimo
