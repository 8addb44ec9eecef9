#include "ui/models/export_choice.h"

#include <algorithm>

#include <QFileInfo>
#include <QObject>
#include <QStringList>

#include "base/json_fields.h"
#include "policy/class_policies.h"
#include "ui/engine/answer.h"
#include "ui/engine/engine.h"
#include "ui/engine/lexicon.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

std::optional<int> small_in(const JsonFields& fields, const char* key) {
  if (!fields.has(key)) return {};
  return fields.small(key);
}

ExportChoice read_choice(const JsonFields& fields) {
  ExportChoice choice;
  choice.format = QString::fromStdString(fields.text("format"));
  choice.title = QString::fromStdString(fields.text("title"));
  choice.gguf = fields.flag("gguf");
  choice.expressible = fields.flag("expressible");
  choice.possible = fields.flag("possible");
  if (fields.has("reason")) choice.reason = QString::fromStdString(fields.text("reason"));
  if (fields.has("hint")) choice.hint = in_window_words(fields.text("hint"));
  choice.dense_layers = small_in(fields, "dense_layers");
  choice.k = small_in(fields, "k");
  choice.kl = fields.optional_number("kl");
  choice.activated_fraction = fields.optional_number("activated_fraction");
  choice.bytes = fields.optional_number("bytes");
  return choice;
}

/// "k = 12", or "k = 4 to 12" where the policy has several.
QString k_in_words(const ExportChoice& choice, const Policy& wanted) {
  const KRange ks = choice.expressible ? ks_of(wanted.layers) : KRange{*choice.k, *choice.k};
  return ks.least == ks.most ? QObject::tr("k = %1").arg(ks.least)
                             : QObject::tr("k = %1 to %2").arg(ks.least).arg(ks.most);
}

QString what_it_is(const ExportChoice& choice) {
  if (choice.native())
    return QObject::tr(
        "Keeps the current policy exactly, including thresholds, skipped inputs and dense layers. "
        "transformers runs it with the code in the folder; every ladimo command accepts it as a model.");
  return choice.gguf ? QObject::tr("One file for llama.cpp and programs based on it.")
                     : QObject::tr("A folder that transformers loads without custom code.");
}

QString what_a_fit_does() {
  return QObject::tr(
      "A fit makes the routers linear and re-solves the down projections for this policy. It takes a while "
      "and measures the accuracy lost.");
}

QString python_text(QString text) {
  text.replace(QLatin1Char('\\'), QStringLiteral("\\\\")).replace(QLatin1Char('"'), QStringLiteral("\\\""));
  return '"' + text + '"';
}

QString python_lines(const WrittenModel& written) {
  const QString model = python_text(written.path()) +
                        (written.choice.native() ? QStringLiteral(", trust_remote_code=True") : QString());
  return QStringLiteral(
             "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
             "tokenizer = AutoTokenizer.from_pretrained(%1)\n"
             "model = AutoModelForCausalLM.from_pretrained(%1)\n"
             "ids = tokenizer(\"Once\", return_tensors=\"pt\").input_ids\n"
             "print(tokenizer.decode(model.generate(ids, max_new_tokens=64)[0]))")
      .arg(model);
}

QString llama_lines(const WrittenModel& written) {
  const QString file = shell_word(written.path());
  const QString run = QStringLiteral("llama-cli -m %1 -p \"Once\"").arg(file);
  if (written.precision == QLatin1String("q8_0"))
    return run + '\n' + QObject::tr("# For other quantisations export as BF16 and use llama-quantize.");
  const QFileInfo info(written.path());
  const QString smaller =
      shell_word(QStringLiteral("%1/%2-Q4_K_M.gguf").arg(info.path(), info.completeBaseName()));
  return run + QStringLiteral("\nllama-quantize %1 %2 Q4_K_M").arg(file, smaller);
}

}  // namespace

std::vector<ExportChoice> read_export_choices(const QByteArray& answer) {
  const auto json = parse_answer(answer);
  const JsonFields fields(json, "list of formats");
  std::vector<ExportChoice> choices;
  for (const JsonFields& format : fields.objects("formats")) choices.push_back(read_choice(format));
  return choices;
}

QString title_in_words(const ExportChoice& choice) {
  if (choice.native()) return QObject::tr("%1, native").arg(choice.title);  // hints call it so
  return QObject::tr("%1 · %2").arg(choice.title, choice.gguf ? QObject::tr("GGUF") : QObject::tr("folder"));
}

QString opens_in(const ExportChoice& choice) {
  if (choice.native()) return QObject::tr("transformers (custom code)");
  return choice.gguf ? QObject::tr("llama.cpp") : QObject::tr("transformers");
}

QString way_in_words(const ExportChoice& choice) {
  if (!choice.possible) return QObject::tr("no");
  return choice.expressible ? QObject::tr("as is") : QObject::tr("with a fit");
}

QString written_policy(const ExportChoice& choice, const Policy& wanted) {
  if (!choice.possible) return QStringLiteral("–");
  if (choice.native()) return QObject::tr("current policy");
  if (!choice.k) return QObject::tr("every layer dense");
  const int dense = choice.dense_layers.value_or(0);
  const QString k = k_in_words(choice, wanted);
  return dense == 0 ? k : QObject::tr("%1 · %2 dense").arg(k).arg(dense);
}

QString why(const ExportChoice& choice, bool fit) {
  QStringList sentences;
  if (choice.expressible) sentences << what_it_is(choice);
  if (choice.expressible && !choice.native())
    sentences << QObject::tr("It supports the current policy as is.");
  if (!choice.reason.isEmpty()) sentences << choice.reason;
  if (!choice.possible) sentences << choice.hint;
  if (choice.needs_fit() && choice.activated_fraction)
    sentences << QObject::tr("The closest policy it supports runs %1 of the parameters.")
                     .arg(percent_text(*choice.activated_fraction));
  if (fit) sentences << what_a_fit_does();
  sentences.removeAll(QString());
  return sentences.join(' ');
}

QString WrittenModel::path() const {
  const QString path = QString::fromStdString(result.path.string());
  if (!choice.gguf || result.files.empty()) return path;
  return QFileInfo(path).path() + '/' + QString::fromStdString(result.files.front());
}

QString result_in_words(const WrittenModel& written) {
  const ExportResult& result = written.result;
  const QString size = bytes_text(static_cast<double>(result.bytes));
  const QString error = number_text(result.verification.max_logit_error);
  const bool rounded = written.choice.gguf && written.precision != QLatin1String("f32");
  QStringList parts{result.files.size() > 1 ? QObject::tr("%1 files, %2").arg(result.files.size()).arg(size)
                                            : size};
  if (rounded && result.fit)  // logits differ by the fit, too
    parts << QObject::tr("verified: all tensors match");
  else if (rounded)
    parts << QObject::tr("verified: rounding changes a logit by at most %1").arg(error);
  else
    parts << QObject::tr("verified: largest logit difference %1").arg(error);
  const QString kl = number_text(result.verification.kl_against_run);
  parts << (result.fit ? QObject::tr("KL of the fit against the run: %1 nats per token").arg(kl)
                       : QObject::tr("KL against the run: %1 nats per token").arg(kl));
  return parts.join(QStringLiteral(" · "));
}

namespace {

/// A warning where what was written is much worse than what was wanted.
QString far_off(const FitPrice& price) {
  constexpr double much = 3, little_kl = 1e-3;  // nats per token
  if (price.wanted.kl < little_kl) return {};   // anything is many times that
  const double times = price.of_written().kl / price.wanted.kl;
  if (times <= much) return {};
  return QObject::tr(
             "<p><b>What was written is %1 times as far from the original as the requested policy.</b> "
             "Choose a policy with more parameters.</p>")
      .arg(number_text(times));
}

}  // namespace

QString fit_in_words(const FitPrice& price) {
  const auto row = [&](QString what, const FitPrice::Numbers& numbers, std::optional<FitState> state) {
    if (state == price.written) what += QObject::tr(" (written)");
    return QStringLiteral(
               "<tr><td>%1&nbsp;&nbsp;</td><td align=right><b>%2</b>&nbsp;&nbsp;</td>"
               "<td align=right><b>%3</b></td></tr>")
        .arg(what.toHtmlEscaped(), number_text(numbers.kl), percent_text(numbers.activated_fraction));
  };
  return QStringLiteral(
             "<table><tr><td>%1&nbsp;&nbsp;</td><td align=right>%2&nbsp;&nbsp;</td><td>%3</td></tr>")
             .arg(QObject::tr("Measured on %1 held-out tokens").arg(grouped(price.tokens)),
                  QObject::tr("KL, nats/token"), QObject::tr("activated")) +
         row(QObject::tr("requested policy"), price.wanted, {}) +
         row(QObject::tr("closest policy, without a fit"), price.as_it_is, FitState::as_it_is) +
         row(QObject::tr("closest policy, fitted"), price.fitted, FitState::fitted) +
         (price.finished ? row(QObject::tr("fitted and trained"), *price.finished, FitState::finished)
                         : QString()) +
         QStringLiteral("</table>") + far_off(price);
}

QString loading_lines(const WrittenModel& written) {
  return written.choice.gguf ? llama_lines(written) : python_lines(written);
}

}  // namespace ladimo::ui
