#include "ui/models/sentences.h"

#include <cmath>

#include <QDateTime>
#include <QLocale>
#include <QStringList>

#include "base/machine.h"
#include "policy/perplexity_change.h"
#include "ui/engine/lexicon.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

const QString dot = QStringLiteral("  ·  ");

QString text_in_words(const Recipe& recipe) {
  if (recipe.self_text()) return QObject::tr("text that the model wrote itself");
  QStringList names;
  for (const auto& file : recipe.text) names << QString::fromStdString(file.filename().string());
  return names.join(QStringLiteral(", "));
}

double neurons_on(const LayerProfile& layer, double experts) {
  return (layer.shared_neurons + experts * layer.expert_neurons) /
         (layer.shared_neurons + layer.routed * layer.expert_neurons);
}

/// What decides which experts run: "At τ = 0.031", "Top 12".
QString rule(const LayerPolicy& policy) {
  if (policy.kind == LayerPolicy::Kind::threshold)
    return QObject::tr("At τ = %1").arg(number_text(policy.threshold));
  return policy.k == 0 ? QObject::tr("Shared experts only") : QObject::tr("Top %1").arg(policy.k);
}

/// A difference of less than half a per cent is none.
QString speed_in_words(double dense_ms, double ms) {
  const double difference = std::abs(ms / dense_ms - 1);
  if (difference < 0.005) return QObject::tr("same speed as dense");
  return (ms > dense_ms ? QObject::tr("%1 slower than dense") : QObject::tr("%1 faster than dense"))
      .arg(percent_text(difference));
}

QString times(const LatencyTable& latency, const PolicyNumbers& numbers, int layers) {
  const double dense = latency.other_decode_ms + layers * latency.dense_decode_ms;
  QString sentence = QObject::tr("%1 → %2 ms per token decoding, %3")
                         .arg(number_text(dense), number_text(*numbers.decode_ms),
                              speed_in_words(dense, *numbers.decode_ms)) +
                     dot + QObject::tr("%1 ms in the prompt").arg(number_text(*numbers.prefill_ms));
  if (latency.machine == processor_name()) return sentence;
  return sentence +
         QObject::tr(" (times of %1)").arg(QString::fromStdString(latency.machine).toHtmlEscaped());
}

}  // namespace

QString date_text(const std::string& iso) {
  const QString text = QString::fromStdString(iso);
  const QDateTime date = QDateTime::fromString(text, Qt::ISODate);
  return date.isValid() ? QLocale(QLocale::English).toString(date.toLocalTime(), "d MMMM yyyy hh:mm") : text;
}

namespace {

QString experts_in_words(const LayerPolicy& policy) {
  switch (policy.kind) {
    case LayerPolicy::Kind::dense:
      return QObject::tr("dense");
    case LayerPolicy::Kind::top_k:
      return policy.k == 0 ? QObject::tr("shared experts only") : QObject::tr("top %1").arg(policy.k);
    case LayerPolicy::Kind::threshold:
      return QObject::tr("threshold %1").arg(number_text(policy.threshold));
  }
  return {};
}

}  // namespace

QString in_words(const LayerPolicy& policy) {
  QStringList parts{experts_in_words(policy)};
  if (const InputCut& cut = policy.cut(Product::down); cut.threshold > 0)
    parts << QObject::tr("%1 of the neurons").arg(percent_text(cut.share));
  if (const double share = inputs_used(policy); share < 1)
    parts << QObject::tr("%1 of the inputs").arg(percent_text(share));
  return parts.join(QStringLiteral(", "));
}

double inputs_used(const LayerPolicy& policy) {
  double sum = 0;
  for (const Product product : {Product::qkv, Product::o, Product::gate_up}) sum += policy.cut(product).share;
  return sum / 3;
}

QString product_in_words(Product product) {
  switch (product) {
    case Product::qkv:
      return QObject::tr("inputs of q, k and v");
    case Product::o:
      return QObject::tr("inputs of o");
    case Product::gate_up:
      return QObject::tr("inputs of gate and up");
    case Product::down:
      break;
  }
  return QObject::tr("neurons");
}

QString cut_consequence(const PolicyEditor& editor, int layer, Product product) {
  const LayerPolicy& policy = editor.policy().layers[static_cast<std::size_t>(layer)];
  const InputCut& cut = policy.cut(product);
  if (cut.threshold <= 0)
    return QObject::tr("All %1 of this layer run. Drag the dashed line inwards to leave out the small ones.")
        .arg(product_in_words(product));
  LayerPolicy without = policy;
  without.cut(product) = {};
  const Candidate with = editor.price(layer, policy), all = editor.price(layer, without);
  const double saved = all.activated - with.activated + with.attention_left_out - all.attention_left_out;
  return QObject::tr("τ %1: %2 of the %3 run%4KL\u00a0+%5%4%6 parameters less per token (predicted)")
      .arg(number_text(cut.threshold), percent_text(cut.share), product_in_words(product), dot,
           number_text(with.kl - all.kl), count_text(saved));
}

namespace {

bool converted(const RunData& run, int layer) {
  return run.tradeoff->layers[static_cast<std::size_t>(layer)].candidates.size() > 1;
}

}  // namespace

QString layer_in_words(const RunData& run, int layer, const LayerPolicy& policy) {
  return converted(run, layer) ? experts_in_words(policy) : QObject::tr("not converted");
}

QString description(const RunData& run) {
  if (run.recipe.layers.empty())
    return QObject::tr("no experts: layers leave out single inputs and neurons  ·  from %1")
        .arg(text_in_words(run.recipe));
  return QObject::tr(
             "%1 of %2 layers converted  ·  %3 experts a layer, %4 of them shared  ·  "
             "calibrated on %5 tokens from %6")
      .arg(run.records().size())
      .arg(run.layer_count())
      .arg(run.recipe.experts)
      .arg(run.recipe.shared)
      .arg(grouped(run.recipe.tokens), text_in_words(run.recipe));
}

QString layer_title(const PolicyEditor& editor, int layer) {
  const RunData& run = editor.run();
  QStringList parts{QObject::tr("Layer %1").arg(layer)};
  if (converted(run, layer))
    parts << QObject::tr("%1 experts (%2 shared)").arg(run.recipe.experts).arg(run.recipe.shared);
  parts << layer_in_words(run, layer, editor.policy().layers[static_cast<std::size_t>(layer)]);
  if (editor.pins().contains(layer)) parts << QObject::tr("pinned");
  return parts.join(dot);
}

QString layer_consequence(const PolicyEditor& editor, int layer) {
  const RunData& run = editor.run();
  const LayerPolicy& policy = editor.policy().layers[static_cast<std::size_t>(layer)];
  if (!converted(run, layer))
    return policy.cuts_inputs()
               ? QObject::tr("This layer was not converted: it leaves out neurons and inputs alone.")
               : QObject::tr("This layer was not converted: it uses the original FFN and adds no KL.");
  if (policy.kind == LayerPolicy::Kind::dense && policy.cuts_inputs())
    return QObject::tr(
        "This layer uses the original FFN and no router; it leaves out neurons and inputs alone. Drag the "
        "dashed line inwards to give its experts a threshold.");
  if (policy.kind == LayerPolicy::Kind::dense)
    return QObject::tr(
        "This layer stays dense: it uses the original FFN, no router, and adds no KL. "
        "Drag the dashed line inwards to give it a threshold.");
  const Candidate priced = editor.price(layer, policy);
  const double experts = priced.policy.mean_experts;
  QStringList parts{
      QObject::tr("%1 of %2 routed experts on").arg(number_text(experts)).arg(run.tradeoff->routed)};
  if (const LayerProfile* profile = run.profile_of(layer))
    parts << QObject::tr("%1 of the neurons").arg(percent_text(neurons_on(*profile, experts)));
  parts << QObject::tr("KL\u00a0+%1").arg(number_text(priced.kl));
  if (run.latency)
    parts << QObject::tr("%1 → %2 ms")
                 .arg(number_text(run.latency->dense_decode_ms),
                      number_text(editor.decode_ms(priced.policy)));
  return QObject::tr("%1: %2 (predicted)").arg(rule(policy), parts.join(dot));
}

QString router_warning(const RunData& run, int layer) {
  QStringList sentences;
  if (const LayerProfile* profile = run.profile_of(layer))
    for (const RouterWarning& warning : profile->warnings)
      sentences << QString::fromStdString(warning.message) << in_window_words(warning.hint);
  return sentences.join(' ');
}

QString stability_sentence(const LayerProfile& layer) {
  if (layer.domain_load.size() < 2) return {};
  constexpr double alike = 0.9, related = 0.5;
  const QString correlation = QObject::tr("correlation %1").arg(number_text(layer.stability));
  return (layer.stability >= alike     ? QObject::tr("All texts share the same experts (%1).")
          : layer.stability >= related ? QObject::tr("The texts share most experts (%1).")
          : layer.stability >= 0       ? QObject::tr("Each text uses its own experts (%1).")
                                       : QObject::tr("The texts use different experts (%1)."))
      .arg(correlation);
}

QString predicted_sentence(const PolicyEditor& editor) {
  const RunData& run = editor.run();
  const PolicyNumbers& numbers = editor.policy().predicted;
  QStringList parts{QObject::tr("KL %1").arg(number_text(numbers.kl)),
                    QObject::tr("perplexity %1").arg(change_text(perplexity_ratio(*run.tradeoff, numbers)))};
  if (run.latency && numbers.decode_ms) parts << times(*run.latency, numbers, run.layer_count());
  parts << QObject::tr("%1 of the parameters activated (%2 of the FFNs’)")
               .arg(percent_text(numbers.activated_fraction), percent_text(numbers.ffn_activated));
  return QObject::tr("Predicted: %1").arg(parts.join(dot));
}

QString times_source(const LatencyTable& latency) {
  return QObject::tr("Times follow from a table measured on %1, %2 threads, %3.")
      .arg(QString::fromStdString(latency.machine))
      .arg(latency.threads)
      .arg(date_text(latency.date));
}

QString change_text(double ratio) { return QString::fromStdString(change_in_words(ratio)); }

QString perplexity_in_words(const Measurement& measurement) {
  const double before = measurement.dense_perplexity, after = measurement.numbers.perplexity;
  return QObject::tr("%1 → %2 (%3)")
      .arg(number_text(before), number_text(after), change_text(after / before));
}

QString measured_sentence(const Measurement& measurement, double predicted_kl) {
  const PolicyNumbers& numbers = measurement.numbers;
  const double distance = numbers.kl - predicted_kl;
  QStringList parts{
      QObject::tr("KL %1").arg(number_text(numbers.kl)),
      QObject::tr("perplexity %1").arg(perplexity_in_words(measurement)),
      QObject::tr("%1 of the parameters activated").arg(percent_text(numbers.activated_fraction))};
  if (numbers.decode_ms)
    parts << QObject::tr("%1 ms per token decoding").arg(number_text(*numbers.decode_ms));
  return QObject::tr("<b>Measured: %1</b>  (%2 %3 the prediction; %4 tokens, %5, %6)")
      .arg(parts.join(dot), number_text(std::abs(distance)),
           distance < 0 ? QObject::tr("below") : QObject::tr("above"), grouped(measurement.tokens),
           date_text(measurement.date), QString::fromStdString(measurement.machine).toHtmlEscaped());
}

QString complaint(const Outcome& outcome) {
  return outcome.hint.isEmpty() ? outcome.sentence : outcome.sentence + ' ' + outcome.hint;
}

QString complaint(const Problem& problem) {
  return (QString::fromStdString(problem.message) + ' ' + in_window_words(problem.hint)).trimmed();
}

QString why_no_milliseconds(const PolicyEditor& editor) {
  if (editor.milliseconds_pay()) return {};
  if (!editor.run().latency) return QObject::tr("Milliseconds: nothing was measured in this run.");
  return QObject::tr("Milliseconds: no policy decodes faster than dense on %1.")
      .arg(QString::fromStdString(editor.run().latency->machine));
}

}  // namespace ladimo::ui
