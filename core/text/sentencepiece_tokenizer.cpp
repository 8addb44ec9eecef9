#include "text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/path_problem.h"
#include "text/added_token_search.h"
#include "text/file_tokenizer.h"
#include "text/piece_model.h"
#include "text/tokenizer_settings.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

class SentencePieceTokenizer final : public FileTokenizer {
 public:
  SentencePieceTokenizer(const ModelFiles& files, const std::string& bytes,
                         const std::optional<ModelTokens>& model)
      : FileTokenizer(files), pieces_(bytes, PieceModel::Beginning::as_model_says) {
    eos_ = pieces_.eos();
    auto settings = read_tokenizer_settings(files);
    warnings_ = std::move(settings.warnings);
    if (model) leave_out_unknown(settings.added, model->count, files.source(), warnings_);
    for (const AddedToken& token : settings.added) added_[token.id] = token;
    if (!settings.added.empty()) inner_.emplace(bytes, PieceModel::Beginning::as_it_is);
    prefix_every_part_ = settings.prefix_every_part;
    search_.emplace(settings.added);
    choose_bos(settings, model, files);
    if (settings.eos && !settings.eos->empty()) eos_ = named(*settings.eos, pieces_.eos());
    if (model) compare_eos(eos_, *model, files.source(), warnings_);
    fingerprint_ = fingerprint_of(bytes, settings);
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    for (const TextPart& part : search_->split(text)) {
      if (part.added) {
        ids.push_back(*part.added);
        continue;
      }
      const auto found = beginning_with(part.text, ids.empty()).encode(part.text);
      ids.insert(ids.end(), found.begin(), found.end());
    }
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    std::vector<std::int32_t> run;  // pieces up to the next added token that is shown
    bool first = true;
    const auto print = [&] {
      if (!run.empty()) text += (first ? pieces_ : *inner_).decode(run);
      run.clear();
    };
    for (const std::int32_t id : ids) {
      const auto added = added_.find(id);
      if (added != added_.end()) {
        if (added->second.special) continue;
        print();
        text += added->second.content;
        first = false;
      } else if (id >= 0 && id < pieces_.size() && !pieces_.is_control(id)) {
        run.push_back(id);
      }
    }
    print();
    return text;
  }

  std::string kind() const override { return "SentencePiece"; }
  std::int64_t size() const override { return pieces_.size(); }

 private:
  /// The pieces for a part of a text. As in transformers, a part that follows an added token gets no space of
  /// its own, or, with `legacy`, only where it does not begin with one.
  const PieceModel& beginning_with(std::string_view part, bool first) const {
    return first || (prefix_every_part_ && !part.starts_with(' ')) ? pieces_ : *inner_;
  }

  std::string piece(std::int32_t id) const override { return pieces_.piece(id); }
  std::int32_t piece_spelled(const std::string& spelling) const override { return pieces_.id_of(spelling); }

  std::int32_t named(const std::string& spelling, std::int32_t fallback) const {
    const auto id = id_of(spelling);
    return id >= 0 ? id : fallback;
  }

  void choose_bos(const TokenizerSettings& settings, const std::optional<ModelTokens>& model,
                  const ModelFiles& files) {
    bos_ = pieces_.bos();
    const char* why = "the tokenizer has no BOS token";
    if (settings.bos && settings.bos->empty()) {
      bos_ = -1;
      why = "tokenizer_config.json names no BOS token (bos_token is null)";
    } else if (settings.bos) {
      if (id_of(*settings.bos) < 0)
        warn({fmt::format(
                  "tokenizer_config.json names {} as the BOS token, which is not a token of the model.",
                  *settings.bos),
              "The BOS token of tokenizer.model is used.", files.path("tokenizer_config.json")});
      bos_ = named(*settings.bos, bos_);
    }
    if (settings.adds_bos == false) {
      bos_ = -1;
      why = "tokenizer_config.json says that none is added (add_bos_token)";
    }
    if (!model || model->bos == bos_) return;
    if (model->bos < 0 && !settings.adds_bos) {
      warn({fmt::format("config.json names no BOS token, but the tokenizer names token {}.", bos_),
            "Texts begin without BOS.", files.source()});
      bos_ = -1;
    } else if (bos_ < 0) {
      warn({fmt::format("config.json names token {} as BOS, but {}.", model->bos, why),
            "Texts begin without BOS.", files.source()});
    } else {
      warn({fmt::format("config.json names {} as BOS, but the tokenizer names token {}.",
                        model->bos < 0 ? "no token" : fmt::format("token {}", model->bos), bos_),
            "Texts begin with that of the tokenizer, as in transformers 5.", files.source()});
    }
  }

  /// Only what changes how text is cut is added to the hash of tokenizer.model.
  std::string fingerprint_of(const std::string& bytes, const TokenizerSettings& settings) const {
    Hasher hasher;
    hasher.add(bytes);
    add_to_hash(settings.added, hasher);
    if (!settings.added.empty() && settings.prefix_every_part) hasher.add("\nlegacy");
    if (settings.bos && id_of(*settings.bos) != pieces_.bos()) hasher.add("\nbos " + *settings.bos);
    if (settings.adds_bos == false) hasher.add("\nno bos");
    return hasher.hex();
  }

  PieceModel pieces_;
  std::optional<PieceModel> inner_;  // for text after an added token; absent where there are none
  bool prefix_every_part_ = false;
  std::optional<AddedTokenSearch> search_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_sentencepiece(const ModelFiles& files,
                                              const std::optional<ModelTokens>& model) {
  const auto bytes = files.read("tokenizer.model");
  return naming_file(files.path("tokenizer.model"),
                     [&] { return std::make_unique<SentencePieceTokenizer>(files, bytes, model); });
}

}  // namespace ladimo
