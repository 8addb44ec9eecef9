#include "ui/wizard/model_facts.h"

#include <QObject>

#include "checkpoint/checkpoint.h"
#include "checkpoint/hub_cache.h"
#include "run/model_check.h"
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

QString tokenizer_in_words(const ModelFacts& facts) {
  QString kind = QString::fromStdString(*facts.tokenizer_kind);
  kind.front() = kind.front().toUpper();
  const Tokenizer* tokenizer = facts.tokenizer.get();
  const QString what = tokenizer
                           ? QObject::tr("%1 tokenizer with %2 tokens").arg(kind, grouped(tokenizer->size()))
                           : QObject::tr("%1 tokenizer").arg(kind);
  if (facts.config.bos < 0) return QObject::tr("%1; texts start without BOS").arg(what);
  const std::string spelling = tokenizer ? tokenizer->spelling(tokenizer->bos()) : std::string();
  return spelling.empty()
             ? QObject::tr("%1; texts start with BOS").arg(what)
             : QObject::tr("%1; texts start with %2").arg(what, QString::fromStdString(spelling));
}

/// How the numbers of a model that is not quantised are stored: "BF16" for "bfloat16".
QString number_format(const std::string& dtype) {
  return dtype == "bfloat16"  ? QStringLiteral("BF16")
         : dtype == "float16" ? QStringLiteral("F16")
         : dtype == "float32" ? QStringLiteral("F32")
                              : QString::fromStdString(dtype);
}

QString file_in_words(const ModelFacts& facts) {
  const QString format =
      *facts.file_format == "gguf" ? QStringLiteral("GGUF") : QString::fromStdString(*facts.file_format);
  if (facts.quantisation)
    return QObject::tr("%1, quantised as %2").arg(format, QString::fromStdString(*facts.quantisation));
  const QString numbers = number_format(facts.config.dtype);
  return numbers.isEmpty() ? QObject::tr("%1, not quantised").arg(format)
                           : QObject::tr("%1, not quantised (%2)").arg(format, numbers);
}

}  // namespace

ModelFacts read_model(const QString& named) {
  const std::filesystem::path path = find_model(named.toStdString());
  CheckedModel model = check_model(path);
  ModelFacts facts{describe(model), QString::fromStdString(path.string()), std::move(model.tokenizer)};
  if (facts.problems.empty()) read_weights(facts, *model.found.opened);
  return facts;
}

QString model_in_words(const ModelFacts& facts) {
  const ModelConfig& config = facts.config;
  const QString family = QString::fromStdString(config.family());
  const QString architecture = QString::fromStdString(config.architecture);
  const auto count = [](std::int64_t value) { return count_text(static_cast<double>(value)); };
  const std::int64_t ffn = config.layers * config.ffn_parameters_per_layer();
  QStringList lines;
  lines << QObject::tr(
               "%1: %2 layers, hidden size %3, FFNs of %4 neurons, vocabulary of %5 tokens, up to %6 "
               "positions.\n%7 parameters, %8 % of them in the FFNs, which become experts.")
               .arg(family.isEmpty() ? architecture : QStringLiteral("%1 (%2)").arg(family, architecture))
               .arg(config.layers)
               .arg(grouped(config.hidden_size), grouped(config.intermediate_size))
               .arg(grouped(config.vocab_size), grouped(config.max_positions))
               .arg(count(config.parameters()))
               .arg(qRound(100.0 * static_cast<double>(ffn) / static_cast<double>(config.parameters())));
  QStringList about;
  if (facts.tokenizer_kind) about << tokenizer_in_words(facts);
  if (facts.file_format) about << file_in_words(facts);
  if (facts.license) about << QObject::tr("license %1").arg(QString::fromStdString(*facts.license));
  if (!about.isEmpty()) lines << about.join(QStringLiteral(" · "));
  return lines.join('\n');
}

}  // namespace ladimo::ui
