// A read-only page: a title, a sentence, facts in two columns, and a widget below them.
#pragma once

#include <vector>

#include <QString>
#include <QWidget>

namespace ladimo::ui {

struct Fact {
  QString name;
  QString value;
};

class FactsPage : public QWidget {
  Q_OBJECT
 public:
  FactsPage(const QString& title, const QString& sentence, const std::vector<Fact>& facts,
            QWidget* below = nullptr, QWidget* parent = nullptr);
};

}  // namespace ladimo::ui
