#include "text/json_tokenizer.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/path_problem.h"
#include "base/utf8.h"
#include "text/added_token_search.h"
#include "text/file_tokenizer.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_settings.h"

namespace ladimo {
namespace {

constexpr const char* file_name = "tokenizer.json";

class JsonTokenizer final : public FileTokenizer {
 public:
  JsonTokenizer(const ModelFiles& files, const std::string& bytes, TokenizerJson parts,
                const std::optional<ModelTokens>& model)
      : FileTokenizer(files), parts_(std::move(parts)) {
    auto settings = read_tokenizer_settings(files);
    warnings_ = std::move(settings.warnings);
    add_missing(settings.added, files);
    use_ids_of_vocabulary(files);
    if (model) leave_out_unknown(parts_.added, model->count, files.source(), warnings_);
    find_added();
    choose_bos(settings, files);
    if (settings.eos && !settings.eos->empty()) eos_ = id_of(*settings.eos);
    if (model) compare_eos(eos_, *model, files.source(), warnings_);
    fingerprint_ = fingerprint_of(bytes, settings);
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    if (find_invalid_utf8(text))
      throw Refusal("The text cannot be turned into tokens.", "Check that it is plain UTF-8 text.");
    std::vector<std::int32_t> ids;
    ids.reserve(text.size() / 4 + 1);
    CutText cut;
    for (const TextPart& part : in_text_->split(text)) {
      if (part.added)
        ids.push_back(*part.added);
      else
        encode_part(part.text, part.text.data() == text.data(), cut, ids);
    }
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::vector<std::string> tokens;
    for (const std::int32_t id : ids) {
      const auto added = added_.find(id);
      if (added != added_.end() && added->second.special) continue;
      auto token = added != added_.end() && added->second.normalized
                       ? parts_.normalizer.apply(added->second.content)  // as it stood in the text
                       : spelling(id);
      if (!token.empty()) tokens.push_back(std::move(token));
    }
    return parts_.decoder.decode(std::move(tokens));
  }

  bool is_byte(std::int32_t id) const override { return parts_.decoder.is_byte(spelling(id)); }
  std::string kind() const override { return parts_.model->kind(); }
  std::int64_t size() const override { return static_cast<std::int64_t>(vocabulary().size()); }

 private:
  const Vocabulary& vocabulary() const { return parts_.model->vocabulary(); }

  /// Tokens of tokenizer_config.json that tokenizer.json lacks, as in transformers 5.
  void add_missing(const std::vector<AddedToken>& listed, const ModelFiles& files) {
    for (const AddedToken& token : listed) {
      const auto known = std::ranges::find(parts_.added, token.id, &AddedToken::id);
      if (known == parts_.added.end())
        parts_.added.push_back(token);
      else if (known->content != token.content)
        warn({fmt::format("tokenizer.json spells token {} {}, and tokenizer_config.json spells it {}.",
                          token.id, known->content, token.content),
              "The spelling of tokenizer.json is used.", files.path(file_name)});
    }
    std::ranges::stable_sort(parts_.added, {}, &AddedToken::id);
  }

  void use_ids_of_vocabulary(const ModelFiles& files) {
    std::unordered_map<std::string_view, std::int32_t> ids;
    if (!parts_.added.empty())
      for (std::size_t id = 0; id < vocabulary().size(); ++id)
        ids[vocabulary()[id]] = static_cast<std::int32_t>(id);  // of a token that is there twice, the last
    bool warned = false;
    for (AddedToken& token : parts_.added) {
      const auto known = ids.find(token.content);
      if (known == ids.end() || known->second == token.id) continue;
      if (!std::exchange(warned, true))
        warn({fmt::format(
                  "The added token {} has the id {}, and the vocabulary of tokenizer.json gives it {}.",
                  token.content, token.id, known->second),
              "The id of the vocabulary is used, as in Hugging Face tokenizers.", files.path(file_name)});
      token.id = known->second;
    }
    std::ranges::stable_sort(parts_.added, {}, &AddedToken::id);
  }

  void find_added() {
    std::vector<AddedToken> in_text, in_normal_text;
    for (const AddedToken& token : parts_.added) {
      added_[token.id] = token;
      (token.normalized ? in_normal_text : in_text).push_back(token);
    }
    for (AddedToken& token : in_normal_text) token.content = parts_.normalizer.apply(token.content);
    std::erase_if(in_normal_text, [](const AddedToken& token) { return token.content.empty(); });
    in_text_.emplace(std::move(in_text));
    in_normal_text_.emplace(std::move(in_normal_text));
  }

  std::string piece(std::int32_t id) const override {
    return id >= 0 && id < size() ? vocabulary()[static_cast<std::size_t>(id)] : std::string();
  }
  std::int32_t piece_spelled(const std::string& spelling) const override {
    const auto found = std::ranges::find(vocabulary(), spelling);
    return found == vocabulary().end() ? -1 : static_cast<std::int32_t>(found - vocabulary().begin());
  }

  void choose_bos(const TokenizerSettings& settings, const ModelFiles& files) {
    bos_ = parts_.begins_with.value_or(-1);
    if (!settings.adds_bos || *settings.adds_bos == (bos_ >= 0)) return;
    const auto named = settings.bos.value_or(std::string());
    const std::int32_t id = named.empty() ? -1 : id_of(named);
    const bool adds = *settings.adds_bos && id >= 0;
    if (bos_ >= 0)
      warn(
          {"tokenizer_config.json says that no BOS token is added (add_bos_token), but the post_processor of "
           "tokenizer.json adds one.",
           "Texts begin without BOS.", files.path(file_name)});
    bos_ = adds ? id : -1;
  }

  /// Text between added tokens. `begins`: it stands at the beginning of the whole text.
  void encode_part(std::string_view text, bool begins, CutText& cut, std::vector<std::int32_t>& ids) const {
    auto normal = parts_.normalizer.apply(text);
    const auto parts = in_normal_text_->split(normal);
    if (parts.size() == 1 && !parts.front().added) return encode_normal(std::move(normal), begins, cut, ids);
    for (const TextPart& part : parts) {
      if (part.added)
        ids.push_back(*part.added);
      else
        encode_normal(std::string(part.text), begins && part.text.data() == normal.data(), cut, ids);
    }
  }

  void encode_normal(std::string text, bool begins, CutText& cut, std::vector<std::int32_t>& ids) const {
    parts_.pre_tokenizer.cut(std::move(text), begins, cut);
    for (const TextSpan& piece : cut.pieces)
      parts_.model->encode(std::string_view(cut.text).substr(piece.begin, piece.size()), ids);
  }

  std::string fingerprint_of(const std::string& bytes, const TokenizerSettings& settings) const {
    Hasher hasher;
    hasher.add(bytes);
    add_to_hash(settings.added, hasher);
    hasher.add(fmt::format("\nbos {}", bos_));
    return hasher.hex();
  }

  TokenizerJson parts_;
  std::optional<AddedTokenSearch> in_text_, in_normal_text_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_json_tokenizer(const ModelFiles& files,
                                               const std::optional<ModelTokens>& model) {
  const auto path = files.path(file_name);
  return naming_file(path, [&] {
    const auto bytes = files.read(file_name);
    if (const auto stand_in = stand_in_problem(path, bytes)) throw Refusal(*stand_in);
    auto parts = [&] {
      const auto json = parse_json(bytes, file_name, path);
      return read_tokenizer_json(JsonFields(json, file_name, path));
    }();
    return std::make_unique<JsonTokenizer>(files, bytes, std::move(parts), model);
  });
}

}  // namespace ladimo
