// A menu of the models in the caches of the Hugging Face Hub on this machine.
#pragma once

#include <QMenu>

#include "checkpoint/hub_cache.h"
#include "ui/engine/worker.h"

namespace ladimo::ui {

/// Reads the caches on another thread each time it is opened. Models that cannot be used are there with the
/// reason, and cannot be chosen.
class HubMenu : public QMenu {
  Q_OBJECT
 public:
  explicit HubMenu(QWidget* parent = nullptr);

 signals:
  /// The name of a model: ORG/NAME.
  void chosen(const QString& name);

 private:
  void look();
  void show_models(const std::vector<CachedModel>& models);
  void stay_on_screen();
  void say(const QString& sentence, const QString& whole = {});

  Worker reader_;
};

}  // namespace ladimo::ui
