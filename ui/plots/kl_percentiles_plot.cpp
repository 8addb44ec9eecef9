#include "ui/plots/kl_percentiles_plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QStringList>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/text_scores_model.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"

namespace ladimo::ui {
namespace {

constexpr int mean = 0;  // marks the mean in the list of percentiles
constexpr std::array statistics{50, 95, 99, 100, mean};
constexpr std::array shapes{QCPScatterStyle::ssCircle, QCPScatterStyle::ssTriangle, QCPScatterStyle::ssSquare,
                            QCPScatterStyle::ssCross, QCPScatterStyle::ssDiamond};
constexpr double marker_size = 8;
constexpr int legend_columns = 3;         // one row of all five would make the page wider than a small screen
constexpr int longest_label = 16;         // letters
constexpr std::size_t upright_texts = 2;  // the names of more texts are slanted

double value(const TextEvaluation::Domain& domain, int statistic) {
  return statistic == mean ? domain.scores.kl : percentile(domain.scores.kl_percentiles, statistic);
}

QString words(int statistic) {
  switch (statistic) {
    case mean:
      return KlPercentilesPlot::tr("mean");
    case 50:
      return KlPercentilesPlot::tr("median");
    case 100:
      return KlPercentilesPlot::tr("largest");
    default:
      return KlPercentilesPlot::tr("%1 %").arg(statistic);
  }
}

QString shortened(const QString& name) {
  return name.size() <= longest_label ? name : name.left(longest_label - 1) + QStringLiteral("…");
}

QString name_of(const TextEvaluation::Domain& domain) {
  return domain.text.empty() ? KlPercentilesPlot::tr("all text")
                             : QString::fromStdString(domain.text.filename().string());
}

/// The read-out of a statistic, with %1 for its value.
QString reading(int statistic) {
  switch (statistic) {
    case mean:
      return KlPercentilesPlot::tr("mean: %1 nats");
    case 100:
      return KlPercentilesPlot::tr("largest: %1 nats");
    default:
      return KlPercentilesPlot::tr("%1 % of the tokens are below %2 nats").arg(statistic);
  }
}

}  // namespace

KlPercentilesPlot::KlPercentilesPlot(QWidget* parent)
    : Plot(tr("KL per token"), tr("The distribution of KL over tokens appears here after an evaluation."),
           Help::kl_of_tokens, parent) {
  setObjectName(QStringLiteral("kl_percentiles"));
  for (const int statistic : statistics) {
    auto* graph = canvas().addGraph();
    graph->setLineStyle(QCPGraph::lsNone);
    graph->setName(words(statistic));
    statistics_.push_back(graph);
  }
  canvas().yAxis->setLabel(tr("KL, nats per token"));
  canvas().xAxis->setSubTicks(false);
  canvas().xAxis->grid()->setVisible(false);
  put_legend_below(legend_columns);
}

void KlPercentilesPlot::show_scores(std::vector<TextEvaluation::Domain> scores) {
  scores_ = std::move(scores);
  QSharedPointer<QCPAxisTickerText> texts(new QCPAxisTickerText);
  double low = 1, high = 1e-6;
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    QVector<double> x, y;
    for (std::size_t text = 0; text < scores_.size(); ++text) {
      const double kl = value(scores_[text], statistics[i]);
      if (!(kl > 0)) continue;
      x << double(text);
      y << kl;
      low = std::min(low, kl);
      high = std::max(high, kl);
    }
    statistics_[i]->setData(x, y, true);
  }
  for (std::size_t text = 0; text < scores_.size(); ++text)
    texts->addTick(double(text), shortened(name_of(scores_[text])));
  canvas().xAxis->setTickLabelRotation(scores_.size() > upright_texts ? 20 : 0);
  canvas().xAxis->setTicker(texts);
  canvas().xAxis->setRange(-0.6, double(scores_.size()) - 0.4);
  if (low > high) {
    show_empty();
    return;
  }
  set_log_axis(*canvas().yAxis, low, high);
  show_plot();
}

Rows KlPercentilesPlot::numbers() const {
  QStringList header{tr("text"), tr("tokens")};
  for (const int statistic : statistics) header << words(statistic);
  Rows rows{header};
  for (const TextEvaluation::Domain& domain : scores_) {
    QStringList cells{name_of(domain), QString::number(domain.scores.tokens)};
    for (const int statistic : statistics) cells << csv_number(value(domain, statistic));
    rows << cells;
  }
  return rows;
}

void KlPercentilesPlot::recolour(const Theme& theme) {
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    const bool filled = statistics[i] == mean;
    statistics_[i]->setScatterStyle(QCPScatterStyle(shapes[i], QPen(theme.converted, 1.5),
                                                    filled ? QBrush(theme.converted) : QBrush(Qt::NoBrush),
                                                    filled ? marker_size * 1.25 : marker_size));
  }
}

QString KlPercentilesPlot::read_out(double x, double) const {
  const auto text = std::llround(x);
  if (text < 0 || text >= static_cast<long long>(scores_.size())) return {};
  const TextEvaluation::Domain& domain = scores_[static_cast<std::size_t>(text)];
  QStringList lines{name_of(domain)};
  for (const int statistic : statistics)
    lines << reading(statistic).arg(number_text(value(domain, statistic)));
  return lines.join('\n');
}

}  // namespace ladimo::ui
