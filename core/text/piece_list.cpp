#include "text/piece_list.h"

#include <cstring>
#include <optional>

#include "base/error.h"

namespace ladimo {
namespace {

[[noreturn]] void refuse() {
  throw Refusal("tokenizer.model is not a SentencePiece model, or it is damaged.",
                "Download the file again.");
}

/// A field of a protobuf message. Which of the three holds its value follows from its wire type.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t whole = 0;
  float real = 0;
  std::string_view bytes;
};

/// Reads the fields of a message one by one.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  /// Absent at the end.
  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    Field field;
    const std::uint64_t tag = varint();
    field.number = tag >> 3;
    switch (tag & 7) {
      case 0:
        field.whole = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        std::memcpy(&field.real, take(sizeof field.real).data(), sizeof field.real);
        break;
      default:
        refuse();
    }
    return field;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    refuse();
  }

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) refuse();
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
};

PieceList::Piece read_piece(std::string_view bytes) {
  PieceList::Piece piece;
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 1) piece.spelling = field->bytes;
    if (field->number == 2) piece.score = field->real;
    if (field->number != 3) continue;
    if (field->whole < 1 || field->whole > static_cast<std::uint64_t>(PieceList::Kind::byte)) refuse();
    piece.kind = static_cast<PieceList::Kind>(field->whole);
  }
  return piece;
}

void read_trainer(std::string_view bytes, PieceList& list) {
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number != 3) continue;  // model_type
    if (field->whole < 1 || field->whole > static_cast<std::uint64_t>(PieceList::Model::character)) refuse();
    list.model = static_cast<PieceList::Model>(field->whole);
  }
}

void read_normalizer(std::string_view bytes, PieceList& list) {
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 2) list.changes_characters = !field->bytes.empty();
    if (field->number == 3) list.adds_space = field->whole != 0;
    if (field->number == 4) list.removes_spaces = field->whole != 0;
  }
}

}  // namespace

PieceList PieceList::read(std::string_view bytes) {
  PieceList list;
  Message message(bytes);
  while (const auto field = message.next()) {
    if (field->number == 1) list.pieces.push_back(read_piece(field->bytes));
    if (field->number == 2) read_trainer(field->bytes, list);
    if (field->number == 3) read_normalizer(field->bytes, list);
  }
  if (list.pieces.empty()) refuse();
  return list;
}

}  // namespace ladimo
