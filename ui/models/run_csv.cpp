#include "ui/models/run_csv.h"

#include "ui/models/csv.h"

namespace ladimo::ui {
namespace {

QStringList policy_cells(const LayerPolicy& policy) {
  const bool above = policy.kind == LayerPolicy::Kind::threshold;
  const bool top = policy.kind == LayerPolicy::Kind::top_k;
  return {above ? QStringLiteral("threshold")
          : top ? QStringLiteral("top_k")
                : QStringLiteral("dense"),
          top ? QString::number(policy.k) : QString(), above ? csv_number(policy.threshold) : QString(),
          policy.kind == LayerPolicy::Kind::dense ? QString() : csv_number(policy.mean_experts)};
}

const QStringList policy_header{QStringLiteral("kind"), QStringLiteral("k"), QStringLiteral("threshold"),
                                QStringLiteral("mean_experts")};

/// The thresholds of single inputs and the shares that run.
QStringList cut_header() {
  QStringList header;
  for (const Product product : all_products)
    for (const char* what : {"threshold", "share"})
      header << QStringLiteral("%1_%2").arg(QLatin1String(to_string(product)), QLatin1String(what));
  return header;
}

QStringList cut_cells(const LayerPolicy& policy) {
  QStringList cells;
  for (const InputCut& cut : policy.cuts) cells << csv_number(cut.threshold) << csv_number(cut.share);
  return cells;
}

QString layers(const PolicyEditor& editor) {
  Rows rows{QStringList{QStringLiteral("layer")} + policy_header +
            QStringList{QStringLiteral("kl"), QStringLiteral("activated"), QStringLiteral("loss_before"),
                        QStringLiteral("loss_after")} +
            cut_header()};
  const auto& policies = editor.policy().layers;
  for (int layer = 0; layer < static_cast<int>(policies.size()); ++layer) {
    const LayerPolicy& policy = policies[static_cast<std::size_t>(layer)];
    const Candidate priced = editor.price(layer, policy);
    const LayerRecord* record = editor.run().record_of(layer);
    rows << QStringList{QString::number(layer)} + policy_cells(policy) +
                QStringList{csv_number(priced.kl), csv_number(priced.activated),
                            record ? csv_number(record->loss_before) : QString(),
                            record ? csv_number(record->loss_after) : QString()} +
                cut_cells(policy);
  }
  return csv_text(rows);
}

QString ladder(const TradeoffTable& table) {
  Rows rows{QStringList{QStringLiteral("layer")} + policy_header +
            QStringList{QStringLiteral("kl"), QStringLiteral("activated")}};
  for (const LayerTable& layer : table.layers)
    for (const Candidate& candidate : layer.candidates)
      rows << QStringList{QString::number(layer.layer)} + policy_cells(candidate.policy) +
                  QStringList{csv_number(candidate.kl), csv_number(candidate.activated)};
  return csv_text(rows);
}

// The first bin is the underflow, the last one the overflow.
QString histogram(const RoutingProfile& profile) {
  Rows rows{{QStringLiteral("layer"), QStringLiteral("bin"), QStringLiteral("weight_from"),
             QStringLiteral("weight_to"), QStringLiteral("all_experts"), QStringLiteral("top1")}};
  for (const LayerProfile& layer : profile.layers)
    for (std::size_t bin = 0; bin < layer.all.size(); ++bin) {
      const int at = static_cast<int>(bin);
      const bool first = bin == 0, last = bin + 1 == layer.all.size();
      rows << QStringList{QString::number(layer.layer),
                          QString::number(at),
                          first ? QString() : csv_number(histogram_edge(at)),
                          last ? QString() : csv_number(histogram_edge(at + 1)),
                          QString::number(layer.all[bin]),
                          bin < layer.top1.size() ? QString::number(layer.top1[bin]) : QString()};
    }
  return csv_text(rows);
}

QString latency(const LatencyTable& table) {
  Rows rows{{QStringLiteral("what"), QStringLiteral("mean_experts"), QStringLiteral("decode_ms"),
             QStringLiteral("prefill_ms")}};
  const auto add = [&](const QString& what, const QString& experts, double decode, double prefill) {
    rows << QStringList{what, experts, csv_number(decode), csv_number(prefill)};
  };
  for (const auto& point : table.points)
    add(QStringLiteral("converted FFN"), csv_number(point.mean_experts), point.decode_ms, point.prefill_ms);
  add(QStringLiteral("dense FFN"), {}, table.dense_decode_ms, table.dense_prefill_ms);
  add(QStringLiteral("outside the FFNs"), {}, table.other_decode_ms, table.other_prefill_ms);
  return csv_text(rows);
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
