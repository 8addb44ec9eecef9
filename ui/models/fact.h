// A name and what it stands for, as pages and reports list them.
#pragma once

#include <vector>

#include <QString>

namespace ladimo::ui {

struct Fact {
  QString name;
  QString value;
};
using Facts = std::vector<Fact>;

}  // namespace ladimo::ui
