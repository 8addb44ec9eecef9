#include "ui/wizard/model_facts.h"

#include <QObject>

#include "checkpoint/checkpoint.h"
#include "run/model_check.h"
#include "run/plan.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

void read_weights(ModelFacts& facts, const Checkpoint& checkpoint) {
  try {
    refuse_converted(checkpoint);
    facts.weight_bytes = static_cast<int>(dtype_size(checkpoint.converted_dtype()));
  } catch (const Error& error) {
    facts.problems.push_back(error.problem());
  }
}

}  // namespace

ModelFacts read_model(const QString& folder) {
  const std::filesystem::path path(folder.toStdString());
  CheckedModel model = check_model(path);
  ModelFacts facts;
  facts.folder = folder;
  facts.config = std::move(model.found.config);
  facts.problems = std::move(model.problems);
  facts.warnings = std::move(model.warnings);
  facts.tokenizer = std::move(model.tokenizer);
  facts.threads = engine_threads();
  if (facts.problems.empty()) read_weights(facts, *model.found.opened);
  return facts;
}

QString model_in_words(const ModelConfig& config) {
  const auto count = [](std::int64_t value) { return count_text(static_cast<double>(value)); };
  const std::int64_t ffn = config.layers * config.ffn_parameters_per_layer();
  return QObject::tr(
             "%1: %2 layers with hidden size %3 and FFNs of %4 neurons, a vocabulary of %5 pieces, up to %6 "
             "positions.\n%7 parameters, %8 % of them in the FFNs, which become experts.")
      .arg(QString::fromStdString(config.architecture))
      .arg(config.layers)
      .arg(config.hidden_size)
      .arg(config.intermediate_size)
      .arg(config.vocab_size)
      .arg(config.max_positions)
      .arg(count(config.parameters()))
      .arg(qRound(100.0 * static_cast<double>(ffn) / static_cast<double>(config.parameters())));
}

}  // namespace ladimo::ui
