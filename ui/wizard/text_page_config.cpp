#include "ui/wizard/text_page_config.h"

#include <algorithm>

#include "ui/engine/window_words.h"

namespace ladimo::ui {
namespace {

constexpr std::size_t shown_tokens = 600;  // of a window; more is no better a look
constexpr double usable = 0.8;             // of a file's tokens: no document goes into two splits

bool cut_alike(const Recipe& a, const Recipe& b) {
  return a.tokens == b.tokens && a.held_out_tokens == b.held_out_tokens && a.window == b.window &&
         a.seed == b.seed;
}

}  // namespace

TextPageConfig::TextPageConfig(Engine engine, QObject* parent)
    : PageConfig(parent), engine_(std::move(engine)) {}

void TextPageConfig::set_model(std::shared_ptr<const ModelFacts> model) {
  model_ = std::move(model);
  read();
}

void TextPageConfig::set_recipe(const Recipe& recipe) {
  const bool same = cut_alike(recipe, recipe_);
  recipe_ = recipe;
  if (!same) read();
}

void TextPageConfig::set_self_text(bool self) {
  if (self == self_) return;
  self_ = self;
  read();
}

void TextPageConfig::add_files(const QStringList& files) {
  for (const QString& file : files)
    if (!file.isEmpty() && !files_.contains(file)) files_ << file;
  self_ = false;
  read();
}

void TextPageConfig::remove_file(int index) {
  files_.removeAt(index);
  read();
}

void TextPageConfig::read() {
  facts_.reset();
  reader_.stop();
  const bool here = model_ && model_->tokenizer && model_->problems.empty();
  if (here && !self_ && !files_.isEmpty() && recipe_.window > 1) {
    TextRequest request;
    for (const QString& file : files_) request.files.emplace_back(file.toStdString());
    request.window = recipe_.window;
    request.size = {recipe_.tokens, recipe_.held_out_tokens / 2, recipe_.held_out_tokens / 2};
    request.seed = recipe_.seed;
    const auto keep = [this](const TextFacts& facts) {
      facts_ = facts;
      emit changed();
    };
    reader_.run<TextFacts>([request, tokenizer = model_->tokenizer](
                               const Context& context) { return read_text(request, *tokenizer, context); },
                           keep,
                           [keep](const auto& problems) {
                             keep({{}, {}, problems});
                           });
  }
  emit changed();
}

std::vector<std::string> TextPageConfig::window(int index) const {
  if (index < 0 || index >= window_count()) return {};
  return token_texts(facts_->split.calibration, index, *model_->tokenizer, shown_tokens);
}

int TextPageConfig::window_count() const {
  return facts_ ? static_cast<int>(facts_->split.calibration.count()) : 0;
}

std::optional<TextPageConfig::Fewer> TextPageConfig::fewer() const {
  if (!facts_ || facts_->problems.empty() || facts_->files.empty()) return {};
  const auto least = std::ranges::min(facts_->files, {}, &TextFileFacts::tokens).tokens;
  const auto files = static_cast<std::int64_t>(facts_->files.size());
  const std::int64_t windows =
      static_cast<std::int64_t>(usable * static_cast<double>(least)) / recipe_.window;
  const std::int64_t held_out = std::max<std::int64_t>(2, windows / 10 * 2);  // two splits of equal size
  if (windows < held_out + 2) return {};
  const std::int64_t step = files * recipe_.window;
  const Fewer found{std::min(recipe_.tokens, (windows - held_out) * step),
                    std::min(recipe_.held_out_tokens, held_out * step)};
  const bool smaller = found.tokens < recipe_.tokens || found.held_out_tokens < recipe_.held_out_tokens;
  return smaller ? std::optional(found) : std::nullopt;
}

void TextPageConfig::take_fewer() {
  if (const auto found = fewer()) emit fewer_taken(*found);
}

QString TextPageConfig::reason() const {
  if (self_)
    return model_ && !engine_.remote() && model_->config.bos < 0
               ? tr("This model cannot write its own text: its configuration names no token to begin with. "
                    "Choose text files.")
               : QString();
  if (files_.isEmpty()) return tr("Add text files, or let the model write its own text.");
  if (reading()) return tr("The text is being read.");
  if (facts_ && !facts_->problems.empty()) {
    const Problem& problem = facts_->problems.front();
    return QString::fromStdString(problem.message) + ' ' +
           (fewer() ? tr("Add text, or take fewer tokens.") : in_window_words(problem.hint));
  }
  return {};
}

}  // namespace ladimo::ui
