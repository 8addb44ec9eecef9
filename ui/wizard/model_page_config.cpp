#include "ui/wizard/model_page_config.h"

#include <QFileInfo>

#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "checkpoint/gguf.h"
#include "ui/engine/answer.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {

ModelPageConfig::ModelPageConfig(Engine engine, QObject* parent)
    : PageConfig(parent), engine_(std::move(engine)) {
  connect(&searcher_, &Worker::progressed, this, [this](double share) {
    searched_ = share;
    emit changed();
  });
}

/// What a typed text means. Where it is no path on this machine it may be a name, which stays as it is.
QString ModelPageConfig::in_full(const QString& typed) const {
  const QString path = engine_.in_full(typed);
  if (engine_.remote()) return path;
  const QFileInfo entry(path);
  if (!entry.exists() && !typed.startsWith('~')) return typed;
  return entry.isFile() && !is_gguf(path.toStdString()) ? entry.path() : path;
}

void ModelPageConfig::set_model(const QString& typed) {
  const QString chosen = in_full(typed);
  if (chosen == model_) return;
  model_ = chosen;
  facts_.reset();
  problems_.clear();
  weights_ = Weights::unknown;
  reader_.stop();
  searcher_.stop();
  EngineProcess::dismiss(std::move(inspection_), *this);
  if (!model_.isEmpty()) engine_.remote() ? ask_engine() : look_here();
  emit changed();
}

void ModelPageConfig::look_here() {
  reader_.run<ModelFacts>([model = model_](const Context&) { return read_model(model); },
                          [this](const ModelFacts& facts) {
                            accept(facts);
                            if (is_ready()) search_bad_weights();
                            emit changed();
                          },
                          [this](const auto& problems) { refuse(problems); });
}

// The search takes long for a large model, so nothing waits for it. The conversion checks the weights again.
void ModelPageConfig::search_bad_weights() {
  weights_ = Weights::running;
  searched_ = 0;
  searcher_.run<std::vector<Problem>>(
      [path = facts_->path.toStdString()](const Context& context) {
        return find_bad_weights(Checkpoint::open(path), context);
      },
      [this](const std::vector<Problem>& found) {
        weights_ = found.empty() ? Weights::sound : Weights::unknown;
        refuse(found);
      },
      [this](const auto& problems) { refuse(problems); });
}

void ModelPageConfig::ask_engine() {
  inspection_ = std::make_unique<EngineProcess>(engine_);
  connect(inspection_.get(), &EngineProcess::finished, this, &ModelPageConfig::accept_answer);
  inspection_->start({QStringLiteral("inspect"), model_});
}

void ModelPageConfig::accept_answer(const Outcome& outcome) {
  inspection_.release()->deleteLater();  // deleteLater: it is the sender
  if (outcome.output.isEmpty())
    return refuse({{outcome.sentence.toStdString(), outcome.hint.toStdString(), {}}});
  try {
    accept({inspection_from_json(parse_answer(outcome.output)), model_, {}});
    if (problems_.empty()) weights_ = Weights::sound;  // the engine has checked them
    emit changed();
  } catch (const Error& error) {
    refuse({error.problem()});
  }
}

void ModelPageConfig::accept(const ModelFacts& facts) {
  facts_ = std::make_shared<const ModelFacts>(facts);
  problems_ = facts.problems;
}

void ModelPageConfig::refuse(const std::vector<Problem>& problems) {
  problems_.insert(problems_.end(), problems.begin(), problems.end());
  emit changed();
}

bool ModelPageConfig::looking() const { return reader_.running() || inspection_ != nullptr; }

QString ModelPageConfig::reason() const {
  if (model_.isEmpty()) return tr("Choose a model.");
  if (looking()) return tr("Checking the model…");
  if (!problems_.empty()) return tr("This model cannot be converted. The list shows why.");
  return {};
}

std::vector<Check> ModelPageConfig::checks() const {
  using enum Check::State;
  std::vector<Check> checks;
  if (model_.isEmpty()) return checks;
  if (looking()) return {{running, tr("Reading config.json and the tensor tables…")}};
  for (const Problem& problem : problems_) checks.push_back(failed_check(problem));
  if (!problems_.empty() || !facts_) return checks;
  checks.push_back({fine, tr("The architecture and all its settings are supported.")});
  checks.push_back({fine, tr("All tensors are present and have the right shape.")});
  if (facts_->tokenizer)
    checks.push_back(
        {fine,
         tr("The tokenizer has %1 tokens and fits the model.").arg(grouped(facts_->tokenizer->size()))});
  for (const Problem& warning : facts_->warnings) checks.push_back(noted_check(warning));
  if (weights_ == Weights::running)
    checks.push_back(
        {running, tr("Checking all weights for NaN and infinity: %1 %.").arg(qRound(100 * searched_))});
  if (weights_ == Weights::sound) checks.push_back({fine, tr("All weights are finite.")});
  return checks;
}

}  // namespace ladimo::ui
