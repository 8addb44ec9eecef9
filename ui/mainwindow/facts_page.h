// A read-only page: a title, a sentence, facts in two columns, and a widget below them.
#pragma once

#include <QWidget>

#include "ui/models/fact.h"
#include "ui/models/help.h"

namespace ladimo::ui {

class FactsPage : public QWidget {
  Q_OBJECT
 public:
  FactsPage(Help about, const QString& title, const QString& sentence, const Facts& facts,
            QWidget* below = nullptr, QWidget* parent = nullptr);
};

}  // namespace ladimo::ui
