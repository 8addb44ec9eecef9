#include "ui/settings/settings.h"

namespace ladimo::ui {

void remember_run(const QString& run) {
  constexpr int kept = 10;
  QStringList runs = remembered(keys::recent_runs);
  runs.removeAll(run);
  runs.prepend(run);
  remember(keys::recent_runs, QStringList(runs.mid(0, kept)));
}

}  // namespace ladimo::ui
