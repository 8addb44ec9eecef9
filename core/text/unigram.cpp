#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/token_memory.h"
#include "text/token_model.h"

namespace ladimo {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr double unknown_penalty = 10;  // below the lowest score, as in SentencePiece

/// The pieces as a tree of bytes.
class Trie {
 public:
  void add(std::string_view piece, std::int32_t id) {
    std::uint64_t node = 0;
    for (const char byte : piece) {
      const auto [child, added] = children_.try_emplace(key(node, byte), pieces_.size());
      if (added) pieces_.push_back(-1);
      node = child->second;
    }
    pieces_[node] = id;
  }

  /// Calls `found(length, id)` for every piece that `text` begins with, the shortest first.
  template <class Found>
  void for_each_prefix(std::string_view text, Found found) const {
    std::uint64_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto child = children_.find(key(node, text[i]));
      if (child == children_.end()) return;
      node = child->second;
      if (pieces_[node] >= 0) found(i + 1, pieces_[node]);
    }
  }

 private:
  static std::uint64_t key(std::uint64_t node, char byte) {
    return node << 8 | static_cast<unsigned char>(byte);
  }

  std::unordered_map<std::uint64_t, std::uint64_t> children_;
  std::vector<std::int32_t> pieces_{-1};  // the piece that ends at a node; -1: none
};

/// The best way to reach a place in the text.
struct Step {
  double score = -std::numeric_limits<double>::infinity();
  std::size_t from = 0;
  std::int32_t token = -1;  // -1: no piece, an unknown character
};

class Unigram final : public TokenModel {
 public:
  explicit Unigram(const JsonFields& json) {
    const auto& vocab = json.at("vocab");
    if (!vocab.is_array() || vocab.empty()) json.refuse("vocab", "must be a list of pieces with scores");
    double lowest = std::numeric_limits<double>::infinity();
    TextMap<std::int32_t> ids;
    for (const auto& entry : vocab) {
      const auto place = fmt::format("vocab[{}]", vocabulary_.size());
      const bool good = entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
                        entry[1].is_number() && std::isfinite(entry[1].get<double>());
      if (!good) json.refuse(place, "must be a piece and its score");
      const auto id = static_cast<std::int32_t>(vocabulary_.size());
      vocabulary_.push_back(entry[0].get<std::string>());
      scores_.push_back(entry[1].get<double>());
      lowest = std::min(lowest, scores_.back());
      if (!vocabulary_.back().empty()) trie_.add(vocabulary_.back(), id);
      ids.emplace(vocabulary_.back(), id);
    }
    unknown_score_ = lowest - unknown_penalty;
    if (json.has("unk_id")) {
      const int unknown = json.small("unk_id");
      if (unknown < 0 || static_cast<std::size_t>(unknown) >= vocabulary_.size())
        json.refuse("unk_id", "is no id of the vocabulary");
      unknown_ = unknown;
    }
    if (json.has("byte_fallback") && json.flag("byte_fallback")) bytes_ = byte_tokens(ids);
  }

  void encode(std::string_view piece, Ids& ids) const override {
    memory_.append(piece, ids, [&] { append_best(piece, ids); });
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* kind() const override { return "Unigram"; }

 private:
  void append_best(std::string_view piece, Ids& ids) const {
    std::vector<Step> steps(piece.size() + 1);
    steps[0].score = 0;
    for (std::size_t at = 0; at < piece.size();) {
      const std::size_t character = utf8_at(piece, at).bytes;
      const double here = steps[at].score;
      bool known = false;  // whether a piece is this one character
      trie_.for_each_prefix(piece.substr(at), [&](std::size_t length, std::int32_t token) {
        improve(steps[at + length], here + scores_[static_cast<std::size_t>(token)], at, token);
        known = known || length == character;
      });
      if (!known) improve(steps[at + character], here + unknown_score_, at, -1);
      at += character;
    }
    append_path(piece, steps, ids);
  }

  static void improve(Step& step, double score, std::size_t from, std::int32_t token) {
    if (score > step.score) step = {score, from, token};
  }

  /// Neighbouring unknown characters are one unknown token.
  void append_path(std::string_view piece, const std::vector<Step>& steps, Ids& ids) const {
    std::vector<std::pair<std::size_t, std::size_t>> path;  // ends and beginnings, the last first
    for (std::size_t end = piece.size(); end > 0; end = path.back().second) {
      const std::size_t from = steps[end].from;
      const bool fused = !path.empty() && steps[end].token < 0 && steps[path.back().first].token < 0;
      if (fused)
        path.back().second = from;
      else
        path.push_back({end, from});
    }
    for (auto part = path.rbegin(); part != path.rend(); ++part) {
      const auto token = steps[part->first].token;
      if (token >= 0)
        ids.push_back(token);
      else
        append_unknown(piece.substr(part->second, part->first - part->second), ids);
    }
  }

  void append_unknown(std::string_view text, Ids& ids) const {
    const bool spelled = !bytes_.empty() && std::ranges::all_of(text, [&](char byte) {
      return bytes_[static_cast<unsigned char>(byte)] >= 0;
    });
    if (spelled)
      for (const char byte : text) ids.push_back(bytes_[static_cast<unsigned char>(byte)]);
    else if (unknown_)
      ids.push_back(*unknown_);
    else
      throw Refusal(
          fmt::format("tokenizer.json knows neither {} nor a token for what is unknown (unk_id).", text),
          "Use the tokenizer that belongs to the checkpoint.");
  }

  Vocabulary vocabulary_;
  std::vector<double> scores_;  // log probabilities, by id
  Trie trie_;
  double unknown_score_ = 0;
  std::optional<std::int32_t> unknown_;
  std::vector<std::int32_t> bytes_;  // byte fallback; empty without it
  mutable TokenMemory memory_;
};

}  // namespace

std::unique_ptr<TokenModel> read_unigram(const JsonFields& json) { return std::make_unique<Unigram>(json); }

}  // namespace ladimo
