#include "text/tokenizer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_fields.h"
#include "base/path_problem.h"
#include "text/added_token_search.h"
#include "text/chat_template.h"
#include "text/piece_model.h"
#include "text/tokenizer_settings.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// Whether a file is a tiktoken vocabulary: lines of a base64 word and its rank, counted from 0.
bool is_tiktoken(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find('\n'));
  const auto space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > 64) return false;
  const auto is_base64 = [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           (letter >= '0' && letter <= '9') || letter == '+' || letter == '/' || letter == '=';
  };
  return line.substr(space + 1) == "0" && std::ranges::all_of(line.substr(0, space), is_base64);
}

/// The bytes of tokenizer.model. Throws Refusal when it is absent or holds something else.
std::string read_pieces(const ModelFiles& files) {
  const fs::path file = files.path("tokenizer.model");
  if (files.has("tokenizer.model")) {
    auto bytes = files.read("tokenizer.model");
    if (const auto stand_in = stand_in_problem(file, bytes)) throw Refusal(*stand_in);
    if (is_tiktoken(bytes))
      throw Refusal(
          fmt::format("{} is a tiktoken vocabulary (LLaMA 3's original format), which is not read so far.",
                      file.filename().string()),
          "Use a checkpoint with a SentencePiece tokenizer.model.", file);
    return bytes;
  }
  if (files.has("tokenizer.json"))
    throw Refusal(
        "There is a tokenizer.json but no tokenizer.model; only SentencePiece's tokenizer.model is read so "
        "far.",
        "Fetch tokenizer.model from where the checkpoint came from.", files.path("tokenizer.json"));
  throw Refusal("There is no tokenizer.model in the folder.",
                "Fetch tokenizer.model from where the checkpoint came from.", file);
}

class FolderTokenizer final : public Tokenizer {
 public:
  FolderTokenizer(const ModelFiles& files, const std::string& bytes, const std::optional<ModelTokens>& model)
      : pieces_(bytes, PieceModel::Beginning::as_model_says), eos_(pieces_.eos()), chat_template_(files) {
    auto settings = read_tokenizer_settings(files);
    warnings_ = std::move(settings.warnings);
    if (model) leave_out_unknown(settings.added, model->count, files.source());
    for (const AddedToken& token : settings.added) added_[token.id] = token;
    if (!settings.added.empty()) inner_.emplace(bytes, PieceModel::Beginning::as_it_is);
    prefix_every_part_ = settings.prefix_every_part;
    search_.emplace(settings.added);
    choose_bos(settings, model, files);
    if (settings.eos && !settings.eos->empty()) eos_ = named(*settings.eos, pieces_.eos());
    if (model) compare_eos(*model, files.source());
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

  std::int64_t size() const override { return pieces_.size(); }
  std::int32_t bos() const override { return bos_; }
  std::int32_t eos() const override { return eos_; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string added_token(std::int32_t id) const override {
    const auto found = added_.find(id);
    return found == added_.end() ? std::string() : found->second.content;
  }
  std::vector<Problem> warnings() const override { return warnings_; }
  const ChatTemplate* chat_template() const override { return &chat_template_; }

 private:
  /// The pieces for a part of a text. As in transformers, a part that follows an added token gets no space of
  /// its own, or, with `legacy`, only where it does not begin with one.
  const PieceModel& beginning_with(std::string_view part, bool first) const {
    return first || (prefix_every_part_ && !part.starts_with(' ')) ? pieces_ : *inner_;
  }

  void warn(std::string message, std::string hint, fs::path path) {
    warnings_.push_back({std::move(message), std::move(hint), std::move(path)});
  }

  /// The id of the token that is spelled so; -1 where there is none.
  std::int32_t id_of(const std::string& spelling) const {
    for (const auto& [id, token] : added_)
      if (token.content == spelling) return id;
    return pieces_.id_of(spelling);
  }

  std::int32_t named(const std::string& spelling, std::int32_t fallback) const {
    const auto id = id_of(spelling);
    return id >= 0 ? id : fallback;
  }

  /// Removes added tokens that the embedding has no row for. The model could not read them.
  void leave_out_unknown(std::vector<AddedToken>& added, std::int64_t rows, const fs::path& source) {
    const auto unknown =
        std::ranges::stable_partition(added, [&](const AddedToken& token) { return token.id < rows; });
    if (unknown.empty()) return;
    const auto& token = unknown.front();
    warn(fmt::format(
             "The added token {} ({}){} no row in the embedding, which has {}.", token.content, token.id,
             unknown.size() == 1 ? " has" : fmt::format(" and {} more have", unknown.size() - 1), rows),
         "In text it stays ordinary text.", source);
    added.erase(unknown.begin(), unknown.end());
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
        warn(fmt::format("tokenizer_config.json names {} as the BOS token, which is no token of the model.",
                         *settings.bos),
             "The BOS token of tokenizer.model is used.", files.path("tokenizer_config.json"));
      bos_ = named(*settings.bos, bos_);
    }
    if (settings.adds_bos == false) {
      bos_ = -1;
      why = "tokenizer_config.json says that none is added (add_bos_token)";
    }
    if (!model || model->bos == bos_) return;
    if (model->bos < 0 && !settings.adds_bos) {
      warn(fmt::format("config.json names no BOS token, but the tokenizer names token {}.", bos_),
           "Texts begin without BOS.", files.source());
      bos_ = -1;
    } else if (bos_ < 0) {
      warn(fmt::format("config.json names token {} as BOS, but {}.", model->bos, why),
           "Texts begin without BOS.", files.source());
    } else {
      warn(fmt::format("config.json names {} as BOS, but the tokenizer names token {}.",
                       model->bos < 0 ? "no token" : fmt::format("token {}", model->bos), bos_),
           "Texts begin with that of the tokenizer, as in transformers 5.", files.source());
    }
  }

  void compare_eos(const ModelTokens& model, const fs::path& source) {
    if (eos_ < 0 || std::ranges::find(model.eos, eos_) != model.eos.end()) return;
    warn(fmt::format(
             "The tokenizer ends texts with token {}, which config.json and generation_config.json do not "
             "name as EOS.",
             eos_),
         "Texts end at the tokens of the two files, as in transformers 5.", source);
  }

  /// Only what changes how text is cut is added to the hash of tokenizer.model.
  std::string fingerprint_of(const std::string& bytes, const TokenizerSettings& settings) const {
    Hasher hasher;
    hasher.add(bytes);
    for (const AddedToken& token : settings.added)
      hasher.add(fmt::format("\nadded {} {} {}{}{}{}", token.id, token.content, token.special,
                             token.strips_left, token.strips_right, token.single_word));
    if (!settings.added.empty() && settings.prefix_every_part) hasher.add("\nlegacy");
    if (settings.bos && id_of(*settings.bos) != pieces_.bos()) hasher.add("\nbos " + *settings.bos);
    if (settings.adds_bos == false) hasher.add("\nno bos");
    return hasher.hex();
  }

  PieceModel pieces_;
  std::optional<PieceModel> inner_;  // for text after an added token; absent where there are none
  bool prefix_every_part_ = false;
  std::optional<AddedTokenSearch> search_;
  std::map<std::int32_t, AddedToken> added_;
  std::int32_t bos_ = -1, eos_ = -1;
  std::string fingerprint_;
  std::vector<Problem> warnings_;
  ChatTemplate chat_template_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const ModelFiles& files, const std::optional<ModelTokens>& model) {
  const auto bytes = read_pieces(files);
  return naming_file(files.path("tokenizer.model"),
                     [&] { return std::make_unique<FolderTokenizer>(files, bytes, model); });
}

}  // namespace ladimo
