#include "ui/models/run_csv.h"

#include <initializer_list>

#include <QLocale>
#include <QStringList>

namespace ladimo::ui {
namespace {

/// The shortest text that reads back as the same number.
QString cell(double value) { return QString::number(value, 'g', QLocale::FloatingPointShortest); }

QString line(const QStringList& cells) { return cells.join(',') + '\n'; }

QStringList policy_cells(const LayerPolicy& policy) {
  const bool above = policy.kind == LayerPolicy::Kind::threshold;
  const bool top = policy.kind == LayerPolicy::Kind::top_k;
  return {above ? QStringLiteral("threshold")
          : top ? QStringLiteral("top_k")
                : QStringLiteral("dense"),
          top ? QString::number(policy.k) : QString(), above ? cell(policy.threshold) : QString(),
          policy.kind == LayerPolicy::Kind::dense ? QString() : cell(policy.mean_experts)};
}

const QStringList policy_header{QStringLiteral("kind"), QStringLiteral("k"), QStringLiteral("threshold"),
                                QStringLiteral("mean_experts")};

QString layers(const PolicyEditor& editor) {
  QString text = line(QStringList{QStringLiteral("layer")} + policy_header +
                      QStringList{QStringLiteral("kl"), QStringLiteral("activated"),
                                  QStringLiteral("loss_before"), QStringLiteral("loss_after")});
  const auto& policies = editor.policy().layers;
  for (int layer = 0; layer < static_cast<int>(policies.size()); ++layer) {
    const LayerPolicy& policy = policies[static_cast<std::size_t>(layer)];
    const Candidate priced = editor.price(layer, policy);
    const LayerRecord* record = editor.run().record_of(layer);
    text += line(QStringList{QString::number(layer)} + policy_cells(policy) +
                 QStringList{cell(priced.kl), cell(priced.activated),
                             record ? cell(record->loss_before) : QString(),
                             record ? cell(record->loss_after) : QString()});
  }
  return text;
}

QString ladder(const TradeoffTable& table) {
  QString text = line(QStringList{QStringLiteral("layer")} + policy_header +
                      QStringList{QStringLiteral("kl"), QStringLiteral("activated")});
  for (const LayerTable& layer : table.layers)
    for (const Candidate& candidate : layer.candidates)
      text += line(QStringList{QString::number(layer.layer)} + policy_cells(candidate.policy) +
                   QStringList{cell(candidate.kl), cell(candidate.activated)});
  return text;
}

// The first and the last bin hold what lies below and above all others.
QString histogram(const RoutingProfile& profile) {
  QString text = QStringLiteral("layer,bin,weight_from,weight_to,all_experts,top1\n");
  for (const LayerProfile& layer : profile.layers)
    for (std::size_t bin = 0; bin < layer.all.size(); ++bin) {
      const int at = static_cast<int>(bin);
      const bool first = bin == 0, last = bin + 1 == layer.all.size();
      text += line({QString::number(layer.layer), QString::number(at),
                    first ? QString() : cell(histogram_edge(at)),
                    last ? QString() : cell(histogram_edge(at + 1)), QString::number(layer.all[bin]),
                    bin < layer.top1.size() ? QString::number(layer.top1[bin]) : QString()});
    }
  return text;
}

QString latency(const LatencyTable& table) {
  QString text = QStringLiteral("what,mean_experts,decode_ms,prefill_ms\n");
  for (const auto& point : table.points)
    text += line({QStringLiteral("converted FFN"), cell(point.mean_experts), cell(point.decode_ms),
                  cell(point.prefill_ms)});
  text += line({QStringLiteral("dense FFN"), {}, cell(table.dense_decode_ms), cell(table.dense_prefill_ms)});
  return text + line({QStringLiteral("outside the FFNs"),
                      {},
                      cell(table.other_decode_ms),
                      cell(table.other_prefill_ms)});
}

}  // namespace

std::vector<CsvFile> tables_as_csv(const PolicyEditor& editor) {
  const RunData& run = editor.run();
  std::vector<CsvFile> files{{QStringLiteral("layers.csv"), layers(editor)}};
  if (run.tradeoff) files.push_back({QStringLiteral("ladder.csv"), ladder(*run.tradeoff)});
  if (run.profile) files.push_back({QStringLiteral("histogram.csv"), histogram(*run.profile)});
  if (run.latency) files.push_back({QStringLiteral("latency.csv"), latency(*run.latency)});
  return files;
}

}  // namespace ladimo::ui
