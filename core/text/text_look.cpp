#include "text/text_look.h"

#include <algorithm>

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<TextFileLook> {
  static constexpr std::tuple all{
      Member{"tokens", &TextFileLook::tokens}, Member{"added_tokens", &TextFileLook::added_tokens},
      Member{"estimated", &TextFileLook::estimated}, Member{"taken", &TextFileLook::taken}};
};

template <>
struct Members<TextLook> {
  static constexpr std::tuple all{
      Member{"files", &TextLook::files}, Member{"calibration", &TextLook::calibration},
      Member{"tables", &TextLook::tables}, Member{"checking", &TextLook::checking}};
};

namespace {

constexpr std::size_t counted_bytes = 8 << 20;  // of each file, which takes a few seconds
constexpr std::size_t shown_tokens = 600;       // of a window; more would not show more

/// A tokenizer that throws Interrupted when the work is to stop.
class StoppableTokenizer : public Tokenizer {
 public:
  StoppableTokenizer(const Tokenizer& tokenizer, const Context& context)
      : tokenizer_(tokenizer), context_(context) {}
  std::vector<std::int32_t> encode(std::string_view text) const override {
    context_.check();
    return tokenizer_.encode(text);
  }
  std::string decode(std::span<const std::int32_t> ids) const override { return tokenizer_.decode(ids); }
  std::string kind() const override { return tokenizer_.kind(); }
  std::int64_t size() const override { return tokenizer_.size(); }
  std::int32_t bos() const override { return tokenizer_.bos(); }
  std::int32_t eos() const override { return tokenizer_.eos(); }
  std::string fingerprint() const override { return tokenizer_.fingerprint(); }
  std::string spelling(std::int32_t id) const override { return tokenizer_.spelling(id); }
  std::string added_token(std::int32_t id) const override { return tokenizer_.added_token(id); }
  const ChatTemplate* chat_template() const override { return tokenizer_.chat_template(); }

 private:
  const Tokenizer& tokenizer_;
  const Context& context_;
};

TextFileLook count(const std::filesystem::path& file, const Tokenizer& tokenizer) {
  const Beginning beginning = read_beginning(file, counted_bytes, tokenizer.chat_template());
  TextFileLook look;
  for (const std::string& document : beginning.documents) {
    const auto ids = tokenizer.encode(document);
    look.tokens += static_cast<std::int64_t>(ids.size());
    look.added_tokens +=
        std::ranges::count_if(ids, [&](std::int32_t id) { return !tokenizer.added_token(id).empty(); });
  }
  if (beginning.share >= 1) return look;
  look.estimated = true;
  for (std::int64_t* tokens : {&look.tokens, &look.added_tokens})
    *tokens = static_cast<std::int64_t>(static_cast<double>(*tokens) / beginning.share);
  return look;
}

/// Does `work` and adds what it refuses to the problems of the look.
template <class Work>
void attempt(TextLook& look, const Work& work) {
  try {
    work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    const bool said = std::ranges::any_of(
        look.problems, [&](const Problem& problem) { return problem.message == error.problem().message; });
    if (!said) look.problems.push_back(error.problem());
  }
}

/// The texts of a window's first tokens, one by one. Joined they are the whole text of these tokens. Added
/// tokens show their spelling, because the model reads them.
std::vector<std::string> token_texts(std::span<const std::int32_t> ids, const Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  StreamDecoder decoder(tokenizer);
  for (const std::int32_t id : ids.first(std::min(ids.size(), shown_tokens))) {
    texts.push_back(decoder.add(id));
    if (texts.back().empty()) texts.back() = tokenizer.added_token(id);
  }
  if (const std::string rest = decoder.finish(); !rest.empty()) texts.back() += rest;
  return texts;
}

void describe(TextLook& look, const Split& split, const Tokenizer& tokenizer, int looks) {
  look.calibration = split.calibration.count();
  look.tables = split.tables.count();
  look.checking = split.checking.count();
  for (const Windows* windows : {&split.calibration, &split.tables, &split.checking})
    for (const std::int32_t file : windows->source)
      look.files[static_cast<std::size_t>(file)].taken += windows->window;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(looks, look.calibration); ++i)
    look.windows.push_back(token_texts(split.calibration.row(i), tokenizer));
}

}  // namespace

TextLook look_at_text(const TextRequest& request, const Tokenizer& tokenizer, const Context& context) {
  const StoppableTokenizer stoppable(tokenizer, context);
  TextLook look;
  look.files.resize(request.files.size());
  for (std::size_t i = 0; i < request.files.size(); ++i)
    attempt(look, [&] { look.files[i] = count(request.files[i], stoppable); });
  attempt(look, [&] {
    describe(look, split_corpus(request.files, stoppable, request.window, request.size, request.seed),
             tokenizer, request.looks);
  });
  return look;
}

nlohmann::json to_json(const TextLook& look) {
  auto json = members_to_json(look);
  json["windows"] = nlohmann::json::array();
  for (const auto& tokens : look.windows) json["windows"].push_back({{"tokens", tokens}});
  json["problems"] = to_json(look.problems);
  return json;
}

TextLook text_look_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "look at the text");
  auto look = members_from_json<TextLook>(fields);
  for (const JsonFields& window : fields.objects("windows")) look.windows.push_back(window.texts("tokens"));
  look.problems = problems_from(fields);
  return look;
}

}  // namespace ladimo
