#include "ui/wizard/hub_menu.h"

#include <algorithm>

#include <QScreen>

#include "ui/models/numbers.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int widest = 100;  // units of spacing: more does not fit beside a window of 960 pixels

/// Text of an entry, which would take an ampersand for the mark of a shortcut.
QString plain(QString text) { return text.replace('&', QStringLiteral("&&")); }

}  // namespace

HubMenu::HubMenu(QWidget* parent) : QMenu(parent) {
  setObjectName(QStringLiteral("hub_menu"));
  setToolTipsVisible(true);
  connect(this, &QMenu::aboutToShow, this, &HubMenu::look);
}

void HubMenu::look() {
  clear();
  say(tr("Looking for models…"));
  reader_.run<std::vector<CachedModel>>([](const Context&) { return list_hub_cache(); },
                                        [this](const auto& models) { show_models(models); },
                                        [this](const auto& problems) {
                                          clear();
                                          for (const Problem& problem : problems)
                                            say(QString::fromStdString(problem.message));
                                        });
}

void HubMenu::show_models(const std::vector<CachedModel>& models) {
  clear();
  QStringList places;
  for (const auto& cache : hub_caches()) places << QString::fromStdString(cache.string());
  if (models.empty()) say(tr("No models downloaded from the Hub on this machine."), places.join('\n'));
  for (const CachedModel& model : models) {
    if (model.problem) {
      const QString hint = QString::fromStdString(model.problem->hint);
      const QString sentence = QString::fromStdString(model.problem->message);  // it begins with the name
      say(sentence, sentence + '\n' + hint);
      continue;
    }
    const QString name = QString::fromStdString(model.name);
    const QString size = bytes_text(static_cast<double>(model.bytes));
    const QString shown = fontMetrics().elidedText(name, Qt::ElideMiddle, widest * spacing(*this));
    QAction* entry = addAction(plain(shown) + '\t' + size);
    entry->setToolTip(QString::fromStdString(model.path.string()));
    connect(entry, &QAction::triggered, this, [this, name] { emit chosen(name); });
  }
  stay_on_screen();
}

/// The entries come when the menu is shown already, and may be wider than it was.
void HubMenu::stay_on_screen() {
  if (!isVisible()) return;
  QRect place(pos(), sizeHint());
  const QRect free = screen()->availableGeometry();
  place.moveRight(std::min(place.right(), free.right()));
  place.moveBottom(std::min(place.bottom(), free.bottom()));
  setGeometry(place);
}

/// Adds a line that cannot be chosen. `whole`: what its tool tip says.
void HubMenu::say(const QString& sentence, const QString& whole) {
  QAction* line =
      addAction(plain(fontMetrics().elidedText(sentence, Qt::ElideRight, widest * spacing(*this))));
  line->setToolTip(whole.isEmpty() ? sentence : whole);
  line->setEnabled(false);
}

}  // namespace ladimo::ui
