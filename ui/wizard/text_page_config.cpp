#include "ui/wizard/text_page_config.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json_fields.h"
#include "base/setting.h"
#include "run/plan.h"
#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/wizard/conversion_arguments.h"

namespace ladimo::ui {
namespace {

constexpr int looks = 32;       // number of windows to look at
constexpr double usable = 0.8;  // share of a file's tokens; documents are not split, so some are lost
constexpr int still_ms = 400;

/// What `plan --look` says about the text, or why the text was not read.
TextLook look_from_plan(const QByteArray& output) {
  const nlohmann::json json = parse_answer(output);
  if (const JsonFields plan(json, "plan"); plan.has("look")) return text_look_from_json(plan.at("look"));
  TextLook nothing;
  nothing.problems = plan_from_json(json).problems;
  return nothing;
}

bool cut_alike(const Recipe& a, const Recipe& b) {
  return a.tokens == b.tokens && a.held_out_tokens == b.held_out_tokens && a.window == b.window &&
         a.seed == b.seed;
}

}  // namespace

TextPageConfig::TextPageConfig(Engine engine, QObject* parent)
    : PageConfig(parent), engine_(std::move(engine)) {
  still_.setSingleShot(true);
  still_.setInterval(still_ms);
  connect(&still_, &QTimer::timeout, this, &TextPageConfig::ask_engine);
}

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
  for (const QString& typed : files)
    if (const QString file = engine_.in_full(typed); !file.isEmpty() && !files_.contains(file))
      files_ << file;
  self_ = false;
  read();
}

void TextPageConfig::remove_file(int index) {
  files_.removeAt(index);
  read();
}

void TextPageConfig::read() {
  look_.reset();
  reader_.stop();
  still_.stop();
  EngineProcess::dismiss(std::move(asked_), *this);
  const bool fits = model_ && model_->described() && model_->problems.empty();
  if (fits && !self_ && !files_.isEmpty() && recipe_.window > 1)
    engine_.remote() ? still_.start() : read_here(recipe_of_files());
  emit changed();
}

/// The recipe with the files of this page, which the wizard has not put into the recipe yet.
Recipe TextPageConfig::recipe_of_files() const {
  Recipe recipe = recipe_;
  recipe.text.clear();
  for (const QString& file : files_) recipe.text.emplace_back(file.toStdString());
  return recipe;
}

void TextPageConfig::read_here(const Recipe& recipe) {
  const TextRequest request{recipe.text, recipe.window, recipe.splits(), recipe.seed, looks};
  reader_.run<TextLook>([request, tokenizer = model_->tokenizer](
                            const Context& context) { return look_at_text(request, *tokenizer, context); },
                        [this](const TextLook& look) { keep(look); },
                        [this](const auto& problems) {
                          TextLook nothing;
                          nothing.problems = problems;
                          keep(nothing);
                        });
}

// `plan` writes nothing, so any folder name that does not exist will do.
void TextPageConfig::ask_engine() {
  asked_ = std::make_unique<EngineProcess>(engine_);
  connect(asked_.get(), &EngineProcess::finished, this, &TextPageConfig::accept_answer);
  asked_->start(conversion_arguments(QStringLiteral("plan"), recipe_of_files(), model_->config,
                                     QStringLiteral("ladimo-look")) +
                QStringList{QStringLiteral("--look"), QString::number(looks)});
}

void TextPageConfig::accept_answer(const Outcome& outcome) {
  asked_.release()->deleteLater();  // deleteLater: it is the sender
  TextLook look;
  try {
    if (outcome.output.isEmpty())
      look.problems = {{outcome.sentence.toStdString(), outcome.hint.toStdString(), {}}};
    else
      look = look_from_plan(outcome.output);
  } catch (const Error& error) {
    look.problems = {error.problem()};
  }
  keep(look);
}

void TextPageConfig::keep(const TextLook& look) {
  look_ = look;
  emit changed();
}

std::optional<TextPageConfig::Counts> TextPageConfig::fewer() const {
  if (!look_ || look_->problems.empty() || look_->files.empty()) return {};
  const auto least = std::ranges::min(look_->files, {}, &TextFileLook::tokens).tokens;
  const auto files = static_cast<std::int64_t>(look_->files.size());
  const std::int64_t windows =
      static_cast<std::int64_t>(usable * static_cast<double>(least)) / recipe_.window;
  const std::int64_t held_out = std::max<std::int64_t>(2, windows / 10 * 2);  // two splits of equal size
  if (windows < held_out + 2) return {};
  const std::int64_t step = files * recipe_.window;
  const Counts found{std::min(recipe_.tokens, (windows - held_out) * step),
                     std::min(recipe_.held_out_tokens, held_out * step)};
  const bool smaller = found.tokens < recipe_.tokens || found.held_out_tokens < recipe_.held_out_tokens;
  return smaller ? std::optional(found) : std::nullopt;
}

QString TextPageConfig::why_no_self_text() const {
  return model_ && model_->described() && model_->config.bos < 0
             ? tr("This model cannot generate a text of its own: its texts do not begin with a BOS token. "
                  "Choose text files.")
             : QString();
}

QString TextPageConfig::reason() const {
  if (self_) return why_no_self_text();
  if (files_.isEmpty()) return tr("Add text files, or let the model generate text.");
  if (reading()) return tr("Reading the text…");
  if (look_ && !look_->problems.empty()) {
    const Problem& problem = look_->problems.front();
    const bool short_text = setting_in(problem.hint) == Setting::tokens;
    return QString::fromStdString(problem.message) + ' ' +
           (fewer()      ? tr("Add text, or use fewer tokens.")
            : short_text ? tr("Add text, or let the model generate it.")
                         : in_window_words(problem.hint));
  }
  return {};
}

}  // namespace ladimo::ui
