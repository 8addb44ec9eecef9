#include "ui/mainwindow/tour.h"

#include <algorithm>
#include <array>

#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/models/theme.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int bubble_width = 48;  // units of spacing

QRect within(QRect rect, const QRect& window) {
  rect.moveLeft(
      std::clamp(rect.left(), window.left(), std::max(window.left(), window.right() - rect.width() + 1)));
  rect.moveTop(
      std::clamp(rect.top(), window.top(), std::max(window.top(), window.bottom() - rect.height() + 1)));
  return rect;
}

int area(const QRect& rect) { return rect.isEmpty() ? 0 : rect.width() * rect.height(); }

}  // namespace

QRect place_beside(const QRect& about, QSize size, const QRect& window) {
  const QPoint right(about.right() + 1, about.top()), left(about.left() - size.width(), about.top()),
      below(about.left(), about.bottom() + 1), above(about.left(), about.top() - size.height()),
      bottom(window.right() - size.width() + 1, window.bottom() - size.height() + 1),
      top(window.right() - size.width() + 1, window.top());
  // What belongs to a wide, low widget is at its sides.
  const bool low = about.width() > 3 * about.height();
  const std::array corners = low ? std::array{above, below, right, left, bottom, top}
                                 : std::array{right, left, below, above, bottom, top};
  QRect best = within({corners[0], size}, window);
  for (const QPoint& corner : corners) {
    const QRect place = within({corner, size}, window);
    if (area(place & about) < area(best & about)) best = place;
  }
  return best;
}

/// A frame around the widget that the tour speaks of. The mouse goes through it.
class Tour::Outline : public QWidget {
 public:
  explicit Outline(QWidget* parent) : QWidget(parent) { setAttribute(Qt::WA_TransparentForMouseEvents); }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme_of(palette()).accent, 3));
    painter.drawRoundedRect(QRectF(rect()).adjusted(2, 2, -2, -2), 4, 4);
  }
};

Tour::Tour(std::vector<TourStop> stops, QWidget& window)
    : QFrame(&window),
      stops_(std::move(stops)),
      window_(window),
      focus_before_(QApplication::focusWidget()),
      outline_(new Outline(&window)),
      title_(new QLabel),
      text_(new Note(Note::Kind::plain)),
      count_(new Note(Note::Kind::faint)),
      skip_(new QPushButton(tr("S&kip the tour"))),
      back_(new QPushButton(tr("&Back"))),
      next_(new QPushButton) {
  setObjectName(QStringLiteral("tour"));
  const int space = spacing(*this);
  QFont bold = font();
  bold.setBold(true);
  title_->setFont(bold);
  skip_->setObjectName(QStringLiteral("tour_skip"));
  next_->setObjectName(QStringLiteral("tour_next"));
  back_->setObjectName(QStringLiteral("tour_back"));
  count_->setWordWrap(false);
  auto* row = new QHBoxLayout;
  row->addWidget(count_);
  row->addStretch();
  for (QPushButton* button : {skip_, back_, next_}) row->addWidget(button);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(2 * space, space, 2 * space, space);
  column->setSpacing(space);
  column->addWidget(title_);
  column->addWidget(text_);
  column->addLayout(row);
  setFixedWidth(bubble_width * space);

  moved_.setSingleShot(true);
  moved_.setInterval(0);
  connect(&moved_, &QTimer::timeout, this, &Tour::follow);
  connect(skip_, &QPushButton::clicked, this, &Tour::end);
  connect(back_, &QPushButton::clicked, this, [this] { go_to(stop_ - 1); });
  connect(next_, &QPushButton::clicked, this, [this] { go_to(stop_ + 1); });
  for (const TourStop& stop : stops_) connect(stop.about, &QObject::destroyed, this, &QObject::deleteLater);
  go_to(0);
}

Tour::~Tour() {
  if (outline_) outline_->deleteLater();
}

void Tour::go_to(int stop) {
  if (stop >= static_cast<int>(stops_.size())) return end();
  if (stop_ >= 0) watch(stops_[static_cast<std::size_t>(stop_)].about, false);
  stop_ = stop;
  const TourStop& now = stops_[static_cast<std::size_t>(stop)];
  title_->setText(now.title);
  text_->setText(now.text);
  setAccessibleName(now.title);
  setAccessibleDescription(now.text);
  count_->setText(tr("%1 of %2").arg(stop + 1).arg(stops_.size()));
  back_->setEnabled(stop > 0);
  const bool last = stop + 1 == static_cast<int>(stops_.size());
  next_->setText(last ? tr("&Done") : tr("&Next"));
  skip_->setVisible(!last);
  watch(now.about, true);
  follow();
  next_->setFocus();
}

/// Everything between the widget and the window may move it.
void Tour::watch(QWidget* about, bool on) {
  for (QWidget* at = about; at; at = at == &window_ ? nullptr : at->parentWidget())
    on ? at->installEventFilter(this) : at->removeEventFilter(this);
}

void Tour::follow() {
  const QPointer<QWidget>& about = stops_[static_cast<std::size_t>(stop_)].about;
  const bool seen = about && about->isVisible();
  setVisible(seen);
  if (outline_) outline_->setVisible(seen);
  if (!seen) return;
  const QRect target(about->mapTo(&window_, QPoint()), about->size());
  const int margin = spacing(*this) / 2;
  const QRect framed = target.marginsAdded({margin, margin, margin, margin});
  if (outline_) {
    outline_->setGeometry(framed);
    outline_->raise();
  }
  const QSize size(minimumWidth(), layout()->totalHeightForWidth(minimumWidth()));
  setGeometry(place_beside(framed, size, window_.rect().marginsRemoved({margin, margin, margin, margin})));
  raise();
}

void Tour::end() {
  watch(stops_[static_cast<std::size_t>(stop_)].about, false);
  hide();
  if (focus_before_) focus_before_->setFocus();
  deleteLater();
}

bool Tour::eventFilter(QObject* watched, QEvent* event) {
  switch (event->type()) {
    case QEvent::Move:
    case QEvent::Resize:
    case QEvent::Show:
    case QEvent::Hide:
      moved_.start();
      break;
    default:
      break;
  }
  return QFrame::eventFilter(watched, event);
}

void Tour::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape)
    end();
  else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
    next_->click();
  else
    QFrame::keyPressEvent(event);
}

void Tour::paintEvent(QPaintEvent*) {
  const Theme theme = theme_of(palette());
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(theme.accent, 1.5));
  painter.setBrush(theme.background);
  painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
}

}  // namespace ladimo::ui
