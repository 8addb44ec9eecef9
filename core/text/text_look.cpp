#include "text/text_look.h"

#include <algorithm>

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<TextFileLook> {
  static constexpr std::tuple all{
      Member{"tokens", &TextFileLook::tokens}, Member{"added_tokens", &TextFileLook::added_tokens},
      Member{"estimated", &TextFileLook::estimated}, Member{"taken", &TextFileLook::taken},
      Member{"conversations", &TextFileLook::conversations}};
};

template <>
struct Members<WindowLook> {
  static constexpr std::tuple all{Member{"tokens", &WindowLook::tokens},
                                  Member{"special", &WindowLook::special}};
};

template <>
struct Members<TextLook> {
  static constexpr std::tuple all{
      Member{"files", &TextLook::files}, Member{"calibration", &TextLook::calibration},
      Member{"tables", &TextLook::tables}, Member{"checking", &TextLook::checking},
      Member{"windows", &TextLook::windows}};
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
  look.conversations = beginning.conversations;
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

/// The spelling of a token that is no piece of text, because the model reads it all the same; empty for a
/// piece.
std::string special_spelling(std::int32_t id, const Tokenizer& tokenizer) {
  const bool border = id >= 0 && (id == tokenizer.bos() || id == tokenizer.eos());
  return border ? tokenizer.spelling(id) : tokenizer.added_token(id);
}

WindowLook look_at_window(std::span<const std::int32_t> ids, const Tokenizer& tokenizer) {
  WindowLook window;
  StreamDecoder decoder(tokenizer);
  for (const std::int32_t id : ids.first(std::min(ids.size(), shown_tokens))) {
    std::string& text = window.tokens.emplace_back(decoder.add(id));
    const std::string special = special_spelling(id, tokenizer);
    if (special.empty()) continue;
    window.special.push_back(static_cast<int>(window.tokens.size()) - 1);
    if (text.empty()) text = special;
  }
  if (const std::string rest = decoder.finish(); !rest.empty()) window.tokens.back() += rest;
  return window;
}

void describe(TextLook& look, const Split& split, const Tokenizer& tokenizer, int looks) {
  look.calibration = split.calibration.count();
  look.tables = split.tables.count();
  look.checking = split.checking.count();
  for (const Windows* windows : {&split.calibration, &split.tables, &split.checking})
    for (const std::int32_t file : windows->source)
      look.files[static_cast<std::size_t>(file)].taken += windows->window;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(looks, look.calibration); ++i)
    look.windows.push_back(look_at_window(split.calibration.row(i), tokenizer));
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
  json["problems"] = to_json(look.problems);
  return json;
}

TextLook text_look_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "look at the text");
  auto look = members_from_json<TextLook>(fields);
  look.problems = problems_from(fields);
  return look;
}

}  // namespace ladimo
