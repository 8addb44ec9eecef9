#include <algorithm>
#include <optional>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/token_memory.h"
#include "text/token_model.h"

namespace ladimo {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::int64_t most_tokens = 1 << 24;
constexpr std::string_view space_mark = "\xE2\x96\x81";  // U+2581, a space in SentencePiece's spelling

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

struct Merge {
  std::int32_t rank = 0, token = 0;
};

/// A token of a piece under construction, in a doubly linked list.
struct Symbol {
  std::int32_t token = 0;
  std::int32_t before = -1, after = -1;  // -1: the end of the list
  bool alive = true;
};

/// Two neighbours that may be merged. The lowest rank goes first, and of equal ranks the leftmost pair.
struct Candidate {
  std::int32_t rank, at, token;
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

class Bpe final : public TokenModel {
 public:
  Bpe(const JsonFields& json, bool byte_level) : byte_level_(byte_level) {
    refuse_unknown(json);
    read_vocabulary(json);
    read_merges(json);
    fuse_unknown_ = flag(json, "fuse_unk");
    whole_first_ = flag(json, "ignore_merges");
    if (json.has("unk_token")) {
      unknown_ = id_of(json.text("unk_token"));
      if (!unknown_) json.refuse("unk_token", "is no token of the vocabulary");
    }
    if (flag(json, "byte_fallback")) bytes_ = byte_tokens(ids_);
    cuts_at_spaces_ = !byte_level_ && id_of(space_mark) && !space_mark_follows_letter();
  }

  void encode(std::string_view piece, Ids& ids) const override {
    if (!cuts_at_spaces_) return encode_word(piece, ids);
    // No token has a space mark after anything else, so no merge crosses such a place, and cutting there
    // changes nothing.
    while (!piece.empty()) {
      std::size_t end = piece.find_first_not_of(space_mark);
      end = piece.find(space_mark, std::min(end, piece.size()));
      end = std::min(end, piece.size());
      encode_word(piece.substr(0, end), ids);
      piece.remove_prefix(end);
    }
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* kind() const override { return byte_level_ ? "byte-level BPE" : "BPE"; }

 private:
  static bool flag(const JsonFields& json, const char* key) { return json.has(key) && json.flag(key); }

  static void refuse_unknown(const JsonFields& json) {
    if (json.has("dropout") && json.number("dropout") != 0)
      json.refuse("dropout", "is not 0; merges are never left out here");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (json.has(key) && !json.text(key).empty()) json.refuse(key, "is not supported");
  }

  std::optional<std::int32_t> id_of(std::string_view spelling) const {
    const auto found = ids_.find(spelling);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }

  void read_vocabulary(const JsonFields& json) {
    const auto vocab = json.object("vocab");
    for (const auto& [spelling, value] : vocab.value().items()) {
      if (!value.is_number_integer() || value < 0 || value >= most_tokens)
        vocab.refuse(spelling, fmt::format("must be the id of a token below {}", most_tokens));
      const auto id = value.get<std::int32_t>();
      if (vocabulary_.size() <= static_cast<std::size_t>(id))
        vocabulary_.resize(static_cast<std::size_t>(id) + 1);
      vocabulary_[static_cast<std::size_t>(id)] = spelling;
      if (!byte_level_) {
        ids_.emplace(spelling, id);
      } else if (auto bytes = bytes_spelled(spelling)) {
        ids_.emplace(std::move(*bytes), id);
      }
    }
    if (byte_level_)
      for (int byte = 0; byte < 256; ++byte) {
        const auto id = id_of(std::string(1, static_cast<char>(byte)));
        byte_ids_.push_back(id.value_or(-1));
      }
  }

  /// A merge is "left right" or ["left", "right"].
  void read_merges(const JsonFields& json) {
    const auto& list = json.at("merges");
    if (!list.is_array()) json.refuse("merges", "must be a list");
    merges_.reserve(list.size());
    std::int32_t rank = 0;
    for (const auto& entry : list) {
      const auto place = fmt::format("merges[{}]", rank);
      std::string left, right;
      if (entry.is_string()) {
        const auto& words = entry.get_ref<const std::string&>();
        const auto space = words.find(' ');
        if (space == std::string::npos) json.refuse(place, "must hold two tokens");
        left = words.substr(0, space);
        right = words.substr(space + 1);
      } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
        left = entry[0].get<std::string>();
        right = entry[1].get<std::string>();
      } else {
        json.refuse(place, "must hold two tokens");
      }
      add_merge(left, right, rank, json, place);
      ++rank;
    }
  }

  void add_merge(std::string left, std::string right, std::int32_t rank, const JsonFields& json,
                 const std::string& place) {
    if (byte_level_) {
      auto left_bytes = bytes_spelled(left), right_bytes = bytes_spelled(right);
      if (!left_bytes || !right_bytes) json.refuse(place, "is not spelled in the byte alphabet");
      left = std::move(*left_bytes);
      right = std::move(*right_bytes);
    }
    const auto left_id = id_of(left), right_id = id_of(right), merged = id_of(left + right);
    if (!left_id || !right_id || !merged) json.refuse(place, "names what is no token of the vocabulary");
    merges_.insert_or_assign(pair_key(*left_id, *right_id), Merge{rank, *merged});
  }

  bool space_mark_follows_letter() const {
    return std::ranges::any_of(vocabulary_, [](const std::string& spelling) {
      const auto letters = spelling.find_first_not_of(space_mark);
      return letters != std::string::npos && spelling.find(space_mark, letters) != std::string::npos;
    });
  }

  void encode_word(std::string_view word, Ids& ids) const {
    if (whole_first_)
      if (const auto whole = id_of(word)) {
        ids.push_back(*whole);
        return;
      }
    memory_.append(word, ids, [&] { merge(word, ids); });
  }

  /// The tokens that a word begins with: bytes, or characters.
  std::vector<Symbol> symbols_of(std::string_view word) const {
    std::vector<Symbol> symbols;
    symbols.reserve(word.size());
    const auto add = [&](std::int32_t token) { symbols.push_back({token}); };
    if (byte_level_) {
      for (const char byte : word)
        if (const auto id = byte_ids_[static_cast<unsigned char>(byte)]; id >= 0) add(id);
      return symbols;
    }
    bool after_unknown = false;
    for (std::size_t at = 0; at < word.size();) {
      const auto character = word.substr(at, utf8_at(word, at).bytes);
      at += character.size();
      const bool was_unknown = std::exchange(after_unknown, false);
      if (const auto id = id_of(character))
        add(*id);
      else if (has_bytes(character))
        for (const char byte : character) add(bytes_[static_cast<unsigned char>(byte)]);
      else if (unknown_) {
        if (!was_unknown || !fuse_unknown_) add(*unknown_);
        after_unknown = true;
      }
    }
    return symbols;
  }

  bool has_bytes(std::string_view character) const {
    return !bytes_.empty() && std::ranges::all_of(character, [&](char byte) {
      return bytes_[static_cast<unsigned char>(byte)] >= 0;
    });
  }

  void merge(std::string_view word, Ids& ids) const {
    auto symbols = symbols_of(word);
    std::priority_queue<Candidate> queue;
    const auto propose = [&](std::int32_t at) {
      const auto after = symbols[static_cast<std::size_t>(at)].after;
      if (after < 0) return;
      const auto found = merges_.find(pair_key(symbols[static_cast<std::size_t>(at)].token,
                                               symbols[static_cast<std::size_t>(after)].token));
      if (found != merges_.end()) queue.push({found->second.rank, at, found->second.token});
    };
    const auto count = static_cast<std::int32_t>(symbols.size());
    for (std::int32_t i = 0; i < count; ++i) {
      symbols[static_cast<std::size_t>(i)].before = i - 1;
      symbols[static_cast<std::size_t>(i)].after = i + 1 < count ? i + 1 : -1;
    }
    for (std::int32_t i = 0; i + 1 < count; ++i) propose(i);
    while (!queue.empty()) {
      const Candidate best = queue.top();
      queue.pop();
      Symbol& left = symbols[static_cast<std::size_t>(best.at)];
      if (!left.alive || left.after < 0) continue;
      Symbol& right = symbols[static_cast<std::size_t>(left.after)];
      const auto found = merges_.find(pair_key(left.token, right.token));
      if (found == merges_.end() || found->second.token != best.token) continue;  // its tokens have changed
      left.token = best.token;
      right.alive = false;
      left.after = right.after;
      if (left.after >= 0) symbols[static_cast<std::size_t>(left.after)].before = best.at;
      if (left.before >= 0) propose(left.before);
      propose(best.at);
    }
    for (const Symbol& symbol : symbols)
      if (symbol.alive) ids.push_back(symbol.token);
  }

  bool byte_level_;
  bool whole_first_ = false, fuse_unknown_ = false, cuts_at_spaces_ = false;
  Vocabulary vocabulary_;
  TextMap<std::int32_t> ids_;  // by spelling; with byte_level_, by the bytes that the spelling stands for
  std::vector<std::int32_t> byte_ids_;  // with byte_level_: the token of every byte, -1 where there is none
  std::vector<std::int32_t> bytes_;     // byte fallback; empty without it
  std::optional<std::int32_t> unknown_;
  std::unordered_map<std::uint64_t, Merge> merges_;
  mutable TokenMemory memory_;
};

}  // namespace

std::unique_ptr<TokenModel> read_bpe(const JsonFields& json, bool byte_level) {
  return std::make_unique<Bpe>(json, byte_level);
}

std::vector<std::int32_t> byte_tokens(const TextMap<std::int32_t>& ids) {
  std::vector<std::int32_t> tokens;
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = ids.find(fmt::format("<0x{:02X}>", byte));
    tokens.push_back(found == ids.end() ? -1 : found->second);
  }
  return tokens;
}

}  // namespace ladimo
