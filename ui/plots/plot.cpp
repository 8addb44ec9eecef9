#include "ui/plots/plot.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QPdfWriter>
#include <QPicture>
#include <QSaveFile>
#include <QStackedWidget>
#include <QTimer>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "ui/models/theme.h"
#include "ui/plots/zoom.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int tick_ms = 33;

/// The clock that all plots of a window share. Plots that changed are drawn at its next tick.
QTimer& clock_of(QWidget& window) {
  const QString name = QStringLiteral("redraw clock");
  auto* clock = window.findChild<QTimer*>(name, Qt::FindDirectChildrenOnly);
  if (!clock) {
    clock = new QTimer(&window);
    clock->setObjectName(name);
    clock->setSingleShot(true);
    clock->setInterval(tick_ms);
  }
  return *clock;
}

QPalette paper() {
  QPalette palette;
  palette.setColor(QPalette::Base, Qt::white);
  palette.setColor(QPalette::Text, Qt::black);
  return palette;
}

/// Background, axes, labels, ticks, grid and legend.
void apply_theme(QCustomPlot& plot, const Theme& theme) {
  plot.setBackground(theme.background);
  for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) {
    axis->setBasePen({theme.faint, 1});
    axis->setTickPen({theme.faint, 1});
    axis->setSubTickPen({theme.faint, 1});
    axis->setLabelColor(theme.text);
    axis->setTickLabelColor(theme.text);
    axis->setLabelFont(plot.font());
    axis->setTickLabelFont(plot.font());
    axis->grid()->setPen({theme.grid, 1});
    axis->grid()->setZeroLinePen({theme.grid, 1});
  }
  plot.legend->setBrush(theme.background);
  plot.legend->setBorderPen(Qt::NoPen);
  plot.legend->setTextColor(theme.text);
  plot.legend->setFont(plot.font());
}

/// With less, labels are larger than what they label.
QSize least_size(const QWidget& plot) { return QSize(20, 14) * spacing(plot); }

}  // namespace

Plot::Plot(const QString& title, const QString& empty, Help about, QWidget* parent)
    : QWidget(parent),
      heading_(new QHBoxLayout),
      title_(new QLabel),
      pages_(new QStackedWidget),
      empty_(new QLabel(empty)),
      canvas_(new QCustomPlot),
      caption_(new QLabel),
      failure_(new QLabel),
      zoom_(std::make_unique<Zoom>(*canvas_)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins({});
  layout->setSpacing(spacing(*this) / 2);
  layout->addLayout(heading_);
  heading_->setSpacing(spacing(*this) / 2);
  heading_->addWidget(title_, 1);
  heading_->addWidget(new HelpMark(about, *this));
  layout->addWidget(pages_, 1);
  layout->addWidget(caption_);
  layout->addWidget(failure_);
  pages_->addWidget(empty_);
  pages_->addWidget(canvas_);
  pages_->setFrameStyle(QFrame::Box | QFrame::Plain);

  QFont bold = font();
  bold.setBold(true);
  title_->setFont(bold);
  empty_->setAlignment(Qt::AlignCenter);
  for (QLabel* label : {title_, empty_, caption_, failure_}) label->setWordWrap(true);
  caption_->setAlignment(Qt::AlignTop);
  caption_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  caption_->hide();
  failure_->hide();
  canvas_->setMouseTracking(true);
  canvas_->setMinimumSize(least_size(*this));
  canvas_->setFocusPolicy(Qt::StrongFocus);                 // the menu key needs the focus
  canvas_->setAttribute(Qt::WA_NoMousePropagation, false);  // the wheel scrolls the page around the plot
  canvas_->installEventFilter(this);
  set_title(title);
}

Plot::~Plot() = default;

void Plot::set_range(QCPAxis& axis, double low, double high) { zoom_->set_range(axis, low, high); }

void Plot::zoom_out() {
  if (zoom_->out()) redraw();
}

void Plot::set_title(const QString& title) {
  title_->setText(title);
  title_->setVisible(!title.isEmpty());
  canvas_->setAccessibleName(title);
}

QString Plot::title() const { return title_->text(); }

void Plot::set_caption(const QString& caption) {
  caption_->setMinimumHeight(2 * caption_->fontMetrics().lineSpacing());
  caption_->setText(caption);
  caption_->show();
  canvas_->setAccessibleDescription(caption);
}

QString Plot::caption() const { return caption_->text(); }

void Plot::put_legend_below(int columns) {
  QCPLegend* legend = canvas_->legend;
  legend->setVisible(true);
  canvas_->axisRect()->insetLayout()->take(legend);
  legend->setWrap(columns);
  legend->setIconSize(16, 16);
  legend->setFillOrder(QCPLegend::foColumnsFirst);
  canvas_->plotLayout()->addElement(1, 0, legend);
  canvas_->plotLayout()->setRowStretchFactor(1, 0.001);
}

void Plot::set_empty_words(const QString& empty) { empty_->setText(empty); }
QString Plot::empty_words() const { return empty_->text(); }

void Plot::show_empty() { pages_->setCurrentWidget(empty_); }

void Plot::show_plot() {
  pages_->setCurrentWidget(canvas_);
  redraw();
}

bool Plot::empty() const { return pages_->currentWidget() == empty_; }

void Plot::redraw() {
  dirty_ = true;
  if (!isVisible()) return;  // showEvent redraws
  QTimer& clock = clock_of(*window());
  connect(&clock, &QTimer::timeout, this, &Plot::tick, Qt::UniqueConnection);
  if (!clock.isActive()) clock.start();
}

void Plot::tick() {
  if (!dirty_ || !isVisible()) return;
  dirty_ = false;
  canvas_->replot();
}

void Plot::apply_palette() {
  const Theme theme = theme_of(palette());
  apply_theme(*canvas_, theme);
  recolour(theme);
  QPalette faint = palette(), warning = palette();
  faint.setColor(QPalette::WindowText, theme.faint);
  warning.setColor(QPalette::WindowText, theme.error);
  empty_->setPalette(faint);
  failure_->setPalette(warning);
  show_focus();
  redraw();
}

/// The frame has the accent colour while the plot has the focus, otherwise the colour of the window.
void Plot::show_focus() {
  QPalette frame = palette();
  frame.setColor(QPalette::WindowText,
                 canvas_->hasFocus() ? theme_of(frame).accent : frame.color(QPalette::Window));
  pages_->setPalette(frame);
}

void Plot::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) apply_palette();
}

void Plot::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  apply_palette();  // not in the constructor: recolour is virtual
}

bool Plot::eventFilter(QObject* watched, QEvent* event) {
  if (watched == canvas_ && event->type() == QEvent::Wheel) {
    // The canvas itself would take it and do nothing.
    event->setAccepted(!empty() && zoom_->wheel(static_cast<QWheelEvent&>(*event)));
    if (event->isAccepted()) redraw();
    return true;
  }
  if (watched == canvas_ && event->type() == QEvent::KeyPress && !empty() &&
      zoom_->key(static_cast<QKeyEvent&>(*event))) {
    redraw();
    return true;
  }
  if (watched == canvas_ && event->type() == QEvent::MouseMove) {
    const auto& mouse = static_cast<const QMouseEvent&>(*event);
    const QString text = read_out(canvas_->xAxis->pixelToCoord(mouse.position().x()),
                                  canvas_->yAxis->pixelToCoord(mouse.position().y()));
    if (text.isEmpty())
      QToolTip::hideText();
    else
      QToolTip::showText(mouse.globalPosition().toPoint(), text, canvas_);
  }
  if (watched == canvas_ && (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut))
    show_focus();
  // The canvas draws itself at once, but chooses the ticks by the size that the axes had before.
  if (watched == canvas_ && event->type() == QEvent::Resize && !empty()) redraw();
  return QWidget::eventFilter(watched, event);
}

void Plot::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu(this);
  menu.addAction(tr("&Copy picture"), this, &Plot::copy_picture);
  menu.addAction(tr("Copy &numbers"), this, &Plot::copy_numbers);
  menu.addAction(tr("&Save as PNG, PDF or CSV…"), this, &Plot::save);
  menu.addSeparator();
  QAction* whole = menu.addAction(tr("Show &everything"), this, &Plot::zoom_out);
  whole->setShortcut(Qt::Key_0);
  for (QAction* action : menu.actions()) action->setEnabled(!empty());
  whole->setEnabled(!empty() && zoom_->zoomed());
  menu.exec(event->globalPos());
}

void Plot::paint(QPainter& painter, const QRectF& rect) {
  const Theme light = theme_of(paper());
  apply_theme(*canvas_, light);
  recolour(light);
  // Paint at the size that the screen would use and then scale, so that text and lines keep their
  // proportions.
  const double scale = painter.device()->logicalDpiX() / 96.0;
  QPicture picture;
  QCPPainter recorder(&picture);
  recorder.setMode(QCPPainter::pmVectorized);
  canvas_->toPainter(&recorder, int(rect.width() / scale), int(rect.height() / scale));
  recorder.end();
  painter.save();
  painter.translate(rect.topLeft());
  // QPicture::play already scales from the picture's resolution to the device's.
  const double played = double(painter.device()->logicalDpiX()) / picture.logicalDpiX();
  painter.scale(rect.width() / int(rect.width() / scale) / played,
                rect.height() / int(rect.height() / scale) / played);
  painter.drawPicture(0, 0, picture);
  painter.restore();
  apply_palette();
}

int Plot::heading_height() const {
  return title().isEmpty() ? 0 : title_->fontMetrics().height() + spacing(*this);
}

QPixmap Plot::picture(double scale) const {
  const int space = spacing(*this);
  QPixmap plot = canvas_->toPixmap(0, 0, scale);
  plot.setDevicePixelRatio(scale);
  const int heading = heading_height();
  QPixmap all(QSize(canvas_->width(), canvas_->height() + heading) * scale);
  all.setDevicePixelRatio(scale);
  all.fill(palette().color(QPalette::Base));
  QPainter painter(&all);
  painter.setPen(palette().color(QPalette::Text));
  painter.setFont(title_->font());
  painter.drawText(QRect(space, space / 2, canvas_->width(), heading), Qt::AlignTop | Qt::AlignLeft, title());
  painter.drawPixmap(0, heading, plot);
  return all;
}

/// One page of the size of the plot on the screen.
void Plot::paint_page(QPdfWriter& pdf) {
  const double heading = heading_height();
  const QSizeF size(canvas_->width(), canvas_->height() + heading);
  pdf.setTitle(title());
  pdf.setPageSize(QPageSize(size * 0.75, QPageSize::Point));
  pdf.setPageMargins({});
  const double scale = pdf.width() / size.width(), space = scale * spacing(*this);
  QPainter painter(&pdf);
  painter.setFont(title_->font());
  painter.drawText(QRectF(space, space / 2, pdf.width(), scale * heading), Qt::AlignTop | Qt::AlignLeft,
                   title());
  paint(painter, QRectF(0, scale * heading, pdf.width(), pdf.height() - scale * heading));
}

void Plot::copy_picture() { QGuiApplication::clipboard()->setPixmap(picture(2)); }

void Plot::copy_numbers() { QGuiApplication::clipboard()->setText(csv_text(numbers(), '\t')); }

void Plot::save() {
  QString filter;
  QString path = QFileDialog::getSaveFileName(
      this, tr("Save plot"), title() + QStringLiteral(".png"),
      tr("PNG (*.png)") + QStringLiteral(";;") + tr("PDF (*.pdf)") + QStringLiteral(";;") + tr("CSV (*.csv)"),
      &filter);
  if (path.isEmpty()) return;
  if (QFileInfo(path).suffix().isEmpty()) path += filter.mid(filter.indexOf('.'), 4);
  const QString complaint = save_as(path);
  failure_->setText(complaint);
  failure_->setVisible(!complaint.isEmpty());
}

QString Plot::save_as(const QString& path) {
  QSaveFile file(path);
  bool saved = file.open(QIODevice::WriteOnly);
  const QString suffix = QFileInfo(path).suffix().toLower();
  if (saved && suffix == QLatin1String("csv")) {
    saved = file.write(csv().toUtf8()) >= 0;
  } else if (saved && suffix == QLatin1String("pdf")) {
    QPdfWriter pdf(&file);
    paint_page(pdf);
  } else if (saved && suffix == QLatin1String("png")) {
    saved = picture(2).save(&file, "PNG");
  } else if (saved) {
    return tr("Plots can be saved as .png, .pdf or .csv, not as .%1.").arg(suffix);
  }
  if (saved && file.commit()) return {};
  return tr("The plot could not be saved as %1: %2").arg(QDir::toNativeSeparators(path), file.errorString());
}

}  // namespace ladimo::ui
