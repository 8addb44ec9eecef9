#include "ui/wizard/text_facts.h"

#include <algorithm>

namespace ladimo::ui {
namespace {

constexpr std::size_t counted_bytes = 8 << 20;  // of one file; a few seconds

/// A tokenizer that stops when the work is to stop.
class StoppableTokenizer : public Tokenizer {
 public:
  StoppableTokenizer(const Tokenizer& tokenizer, const Context& context)
      : tokenizer_(tokenizer), context_(context) {}
  std::vector<std::int32_t> encode(std::string_view text) const override {
    context_.check();
    return tokenizer_.encode(text);
  }
  std::string decode(std::span<const std::int32_t> ids) const override { return tokenizer_.decode(ids); }
  std::int64_t size() const override { return tokenizer_.size(); }
  std::int32_t bos() const override { return tokenizer_.bos(); }
  std::int32_t eos() const override { return tokenizer_.eos(); }

 private:
  const Tokenizer& tokenizer_;
  const Context& context_;
};

TextFileFacts count(const std::filesystem::path& file, const Tokenizer& tokenizer) {
  std::size_t all = 0, counted = 0;
  std::int64_t tokens = 0;
  for (const std::string& document : read_documents(file)) {
    all += document.size();
    if (counted > counted_bytes) continue;
    counted += document.size();
    tokens += static_cast<std::int64_t>(tokenizer.encode(document).size());
  }
  if (counted == all) return {tokens, false};
  const double ratio = static_cast<double>(all) / static_cast<double>(counted);
  return {static_cast<std::int64_t>(static_cast<double>(tokens) * ratio), true};
}

/// Does `work`; what it refuses is added to the facts.
template <class Work>
void attempt(TextFacts& facts, const Work& work) {
  try {
    work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    const bool said = std::ranges::any_of(
        facts.problems, [&](const Problem& problem) { return problem.message == error.problem().message; });
    if (!said) facts.problems.push_back(error.problem());
  }
}

}  // namespace

TextFacts read_text(const TextRequest& request, const Tokenizer& tokenizer, const Context& context) {
  const StoppableTokenizer stoppable(tokenizer, context);
  TextFacts facts;
  facts.files.resize(request.files.size());
  for (std::size_t i = 0; i < request.files.size(); ++i)
    attempt(facts, [&] { facts.files[i] = count(request.files[i], stoppable); });
  attempt(facts, [&] {
    facts.split = split_corpus(request.files, stoppable, request.window, request.size, request.seed);
  });
  return facts;
}

std::vector<std::string> token_texts(const Windows& windows, std::int64_t index, const Tokenizer& tokenizer,
                                     std::size_t most) {
  std::vector<std::string> texts;
  StreamDecoder decoder(tokenizer);
  for (const std::int32_t id : windows.row(index)) {
    if (texts.size() == most) break;
    texts.push_back(decoder.add(id));
  }
  if (const std::string rest = decoder.finish(); !rest.empty() && !texts.empty()) texts.back() += rest;
  return texts;
}

}  // namespace ladimo::ui
