#include "ui/plots/partition_picture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QAction>
#include <QBuffer>
#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHelpEvent>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QToolTip>

#include "ui/models/save_file.h"
#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

/// Cells in reading order. Cell i shows neurons[i].
struct PartitionPicture::Grid {
  QString title;
  std::vector<int> neurons;
  QRectF area;  // covered by the cells
  int columns = 1;
  double cell = 1;

  QRectF cell_of(int i) const {
    return {area.left() + (i % columns) * cell, area.top() + (i / columns) * cell, cell, cell};
  }
  int neuron_at(QPointF point) const {
    if (!area.contains(point)) return -1;
    const int column = static_cast<int>((point.x() - area.left()) / cell);
    const auto i =
        static_cast<std::size_t>(static_cast<int>((point.y() - area.top()) / cell) * columns + column);
    return column < columns && i < neurons.size() ? neurons[i] : -1;
  }
};

PartitionPicture::PartitionPicture(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  setFocusPolicy(Qt::StrongFocus);  // the menu key needs the focus
  make_menu();
}

void PartitionPicture::make_menu() {
  const auto add = [this](const QString& name, const auto& act) {
    auto* action = new QAction(name, this);
    addAction(action);
    connect(action, &QAction::triggered, this, act);
  };
  add(tr("Copy picture"), [this] { QGuiApplication::clipboard()->setPixmap(grab()); });
  add(tr("Copy numbers"), [this] { QGuiApplication::clipboard()->setText(csv_text(numbers(), '\t')); });
  add(tr("Save…"), [this] { ask_and_save(); });
  setContextMenuPolicy(Qt::ActionsContextMenu);
}

Rows PartitionPicture::numbers() const {
  Rows rows{{tr("neuron"), tr("expert")}};
  for (std::size_t neuron = 0; neuron < partition_.size(); ++neuron)
    rows << QStringList{QString::number(neuron),
                        partition_[neuron] < 0 ? tr("shared") : QString::number(partition_[neuron])};
  return rows;
}

QByteArray PartitionPicture::pdf() {
  QBuffer bytes;
  bytes.open(QIODevice::WriteOnly);
  QPdfWriter writer(&bytes);
  writer.setTitle(accessibleName());
  writer.setPageSize(QPageSize(QSizeF(size()) * 0.75, QPageSize::Point));
  writer.setPageMargins({});
  QPainter painter(&writer);
  painter.scale(1.0 * writer.width() / width(), 1.0 * writer.height() / height());
  render(&painter);
  painter.end();
  return bytes.data();
}

void PartitionPicture::save(const QString& path) {
  QByteArray bytes;
  if (path.endsWith(QLatin1String(".csv"), Qt::CaseInsensitive)) {
    bytes = csv_text(numbers()).toUtf8();
  } else if (path.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive)) {
    bytes = pdf();
  } else {
    QBuffer picture(&bytes);
    picture.open(QIODevice::WriteOnly);
    grab().save(&picture, "PNG");
  }
  if (const QString complaint = save_file(path, bytes); !complaint.isEmpty()) emit failed(complaint);
}

void PartitionPicture::ask_and_save() {
  const QString path = QFileDialog::getSaveFileName(this, tr("Save picture"), QStringLiteral("partition.png"),
                                                    tr("PNG (*.png);;PDF (*.pdf);;CSV (*.csv)"));
  if (!path.isEmpty()) save(path);
}

QSize PartitionPicture::minimumSizeHint() const { return {32 * spacing(*this), 18 * spacing(*this)}; }

void PartitionPicture::show_partition(std::vector<int> partition, bool faint) {
  partition_ = std::move(partition);
  faint_ = faint;
  experts_ = partition_.empty() ? 0 : *std::ranges::max_element(partition_) + 1;
  gathered_.resize(partition_.size());
  std::iota(gathered_.begin(), gathered_.end(), 0);
  std::ranges::stable_sort(gathered_, {}, [this](int neuron) { return partition_[std::size_t(neuron)]; });
  setAccessibleDescription(tr("%1 neurons in %2 routed experts and a shared set of %3")
                               .arg(partition_.size())
                               .arg(experts_)
                               .arg(std::ranges::count(partition_, -1)));
  update();
}

void PartitionPicture::show_text(const QString& text) {
  partition_.clear();
  text_ = text;
  setAccessibleDescription(text);
  update();
}

std::vector<PartitionPicture::Grid> PartitionPicture::grids() const {
  const double space = spacing(*this), line = fontMetrics().lineSpacing();
  std::vector<int> in_order(partition_.size());
  std::iota(in_order.begin(), in_order.end(), 0);
  std::vector<Grid> grids{{tr("Neurons in the order of the checkpoint"), in_order, {}, 1, 1},
                          {tr("The same neurons, grouped into experts"), gathered_, {}, 1, 1}};
  const double height = (this->height() - 2 * line - 3 * space - 2 * line) / 2;
  const double count = static_cast<double>(partition_.size());
  double top = line;
  for (Grid& grid : grids) {
    // A whole number of device pixels, so that no cell is blurred: the largest with which all cells fit.
    const double pixel = 1 / devicePixelRatioF();
    grid.cell = std::max(pixel, std::floor(std::sqrt(width() * height / count) / pixel) * pixel);
    while (grid.cell > pixel && std::ceil(count / std::floor(width() / grid.cell)) * grid.cell > height)
      grid.cell -= pixel;
    grid.columns = std::max(1, static_cast<int>(width() / grid.cell));
    const double rows = std::ceil(count / grid.columns);
    grid.area = {0, top + space / 2, grid.columns * grid.cell, rows * grid.cell};
    top += height + line + space;
  }
  return grids;
}

void PartitionPicture::paint_grid(QPainter& painter, const Grid& grid) const {
  const Theme theme = theme_of(palette());
  painter.setPen(theme.text);
  painter.drawText(QPointF(0, grid.area.top() - spacing(*this)), grid.title);
  const double gap = grid.cell >= 4 ? 1 / devicePixelRatioF() : 0;
  for (std::size_t i = 0; i < grid.neurons.size(); ++i) {
    const int expert = partition_[std::size_t(grid.neurons[i])];
    const QColor colour = expert < 0 ? theme.faint : expert_colour(theme, expert);
    painter.fillRect(grid.cell_of(static_cast<int>(i)).adjusted(0, 0, -gap, -gap), colour);
  }
}

void PartitionPicture::paint_legend(QPainter& painter) const {
  const Theme theme = theme_of(palette());
  const double side = fontMetrics().ascent(), space = spacing(*this), line = fontMetrics().lineSpacing();
  const auto shared = static_cast<int>(std::ranges::count(partition_, -1));
  const QString shared_text = tr("shared set, always on: %1 neurons").arg(shared);
  const QString routed_text =
      tr("%1 routed experts of %2 neurons")
          .arg(experts_)
          .arg(experts_ > 0 ? (static_cast<int>(partition_.size()) - shared) / experts_ : 0);
  const int swatches = std::min(experts_, 12);
  const double shared_width = side + space / 2 + fontMetrics().horizontalAdvance(shared_text);
  const double routed_width = swatches * side / 2 + space / 2 + fontMetrics().horizontalAdvance(routed_text);
  const bool one_line = shared_width + 2 * space + routed_width <= width();
  double top = height() - (one_line ? line : 2 * line);
  painter.fillRect(QRectF(0, top, side, side), theme.faint);
  painter.setPen(theme.text);
  painter.drawText(QPointF(side + space / 2, top + side), shared_text);
  double left = one_line ? shared_width + 2 * space : 0;
  if (!one_line) top += line;
  for (int i = 0; i < swatches; ++i, left += side / 2)
    painter.fillRect(QRectF(left, top, side / 2, side), expert_colour(theme, i));
  painter.drawText(QPointF(left + space / 2, top + side), routed_text);
}

void PartitionPicture::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme theme = theme_of(palette());
  if (partition_.empty()) {
    painter.setPen(theme.faint);
    painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap, text_);
    return;
  }
  if (hasFocus()) {
    painter.setPen(theme.accent);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
  painter.setOpacity(faint_ ? 0.4 : 1);
  for (const Grid& grid : grids()) paint_grid(painter, grid);
  paint_legend(painter);
}

QString PartitionPicture::words(int neuron) const {
  const int expert = partition_[std::size_t(neuron)];
  return expert < 0 ? tr("Neuron %1: shared, always on").arg(neuron)
                    : tr("Neuron %1: routed expert %2 of %3").arg(neuron).arg(expert).arg(experts_);
}

bool PartitionPicture::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip || partition_.empty()) return QWidget::event(event);
  const auto& help = static_cast<const QHelpEvent&>(*event);
  for (const Grid& grid : grids())
    if (const int neuron = grid.neuron_at(help.pos()); neuron >= 0) {
      QToolTip::showText(help.globalPos(), words(neuron), this);
      return true;
    }
  QToolTip::hideText();
  return true;
}

}  // namespace ladimo::ui
