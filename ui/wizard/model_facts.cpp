#include "ui/wizard/model_facts.h"

#include <QObject>

#include "base/json_fields.h"
#include "checkpoint/checkpoint.h"
#include "run/preflight.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

void read_tokenizer(ModelFacts& facts, const std::filesystem::path& folder) {
  try {
    facts.tokenizer = load_tokenizer(folder);
    if (facts.described()) refuse_foreign_tokenizer(*facts.tokenizer, facts.config, folder);
  } catch (const Error& error) {
    facts.problems.push_back(error.problem());
  }
}

void read_weights(ModelFacts& facts, const std::filesystem::path& folder) {
  try {
    const auto checkpoint = Checkpoint::open(folder);
    refuse_converted(checkpoint);
    facts.weight_bytes = checkpoint.tensor(Role::gate).dtype == DType::f32 ? 4 : 2;
  } catch (const Error& error) {
    facts.problems.push_back(error.problem());
  }
}

}  // namespace

ModelFacts read_model(const QString& folder) {
  const std::filesystem::path path(folder.toStdString());
  ModelFacts facts;
  facts.folder = folder;
  facts.problems = find_problems(path, facts.config);
  if (std::filesystem::is_directory(path)) read_tokenizer(facts, path);
  if (facts.problems.empty()) read_weights(facts, path);
  return facts;
}

ModelFacts model_from_inspect(const QByteArray& output, const QString& folder) {
  const auto json = nlohmann::json::parse(output.begin(), output.end(), nullptr, false);
  if (json.is_discarded())
    throw Refusal("The engine's description of the model cannot be understood.",
                  "The engine and the studio may be of different versions. Install them together.");
  const JsonFields fields(json, "model");
  ModelFacts facts;
  facts.folder = folder;
  ModelConfig& config = facts.config;
  config.architecture = fields.text("architecture");
  config.layers = fields.integer("layers");
  config.hidden_size = fields.integer("hidden_size");
  config.intermediate_size = fields.integer("intermediate_size");
  config.heads = fields.integer("heads");
  config.kv_heads = fields.integer("kv_heads");
  config.head_dim = fields.integer("head_dim");
  config.tied_head = fields.flag("tied_head");
  config.vocab_size = fields.integer("vocab_size");
  config.max_positions = fields.integer("max_positions");
  config.dtype = fields.text("dtype");
  facts.weight_bytes = config.dtype == "float32" ? 4 : 2;
  facts.threads = fields.small("threads");
  facts.problems = problems_from(fields);
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
