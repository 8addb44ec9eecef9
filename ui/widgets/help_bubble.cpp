#include "ui/widgets/help_bubble.h"

#include <algorithm>

#include <QLabel>
#include <QPainter>
#include <QScreen>
#include <QVBoxLayout>
#include <QVariant>

#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr const char* property = "help";
constexpr int bubble_width = 52;  // units of spacing

}  // namespace

HelpBubble::HelpBubble(Help about, QWidget* parent) : QFrame(parent, Qt::Popup) {
  setObjectName(QStringLiteral("help bubble"));
  setAttribute(Qt::WA_DeleteOnClose);
  setAccessibleName(help_title(about));
  setBackgroundRole(QPalette::Base);
  const int space = spacing(*this);
  auto* text =
      new QLabel(QStringLiteral("<b>%1</b>").arg(help_title(about).toHtmlEscaped()) + help_html(about));
  text->setObjectName(QStringLiteral("help text"));
  text->setTextFormat(Qt::RichText);
  text->setForegroundRole(QPalette::Text);
  text->setWordWrap(true);
  text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(2 * space, space, 2 * space, space);
  column->addWidget(text);
  setFixedWidth(bubble_width * space);
  setFixedHeight(column->totalHeightForWidth(bubble_width * space));
  setFocusPolicy(Qt::StrongFocus);  // Escape closes it
}

void HelpBubble::open(Help about, const QWidget& anchor) {
  auto* bubble = new HelpBubble(about, anchor.window());
  const QRect screen = anchor.screen()->availableGeometry();
  const QPoint below = anchor.mapToGlobal(QPoint(0, anchor.height()));
  const bool fits_below = below.y() + bubble->height() <= screen.bottom();
  const int top = fits_below ? below.y() : anchor.mapToGlobal(QPoint()).y() - bubble->height();
  const auto within = [](int place, int first, int last) {
    return std::clamp(place, first, std::max(first, last));
  };
  bubble->setGeometry(within(below.x(), screen.left(), screen.right() - bubble->width()),
                      within(top, screen.top(), screen.bottom() - bubble->height()), bubble->width(),
                      bubble->height());
  bubble->show();
}

void HelpBubble::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(theme_of(palette()).off);
  painter.setBrush(palette().color(QPalette::Base));
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void set_help(QWidget& panel, Help about) { panel.setProperty(property, static_cast<int>(about)); }

bool explain(const QWidget& widget, const QWidget& anchor) {
  for (const QWidget* panel = &widget; panel; panel = panel->parentWidget())
    if (const QVariant about = panel->property(property); about.isValid()) {
      HelpBubble::open(static_cast<Help>(about.toInt()), anchor);
      return true;
    }
  return false;
}

}  // namespace ladimo::ui
