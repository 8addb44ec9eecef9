// A form row: a control with its name before it and a sentence about it below.
#pragma once

#include <algorithm>
#include <cstdint>

#include <QFormLayout>
#include <QSignalBlocker>
#include <QSpinBox>

#include "ui/widgets/note.h"

namespace ladimo::ui {

/// Adds a row. `name` may hold an accelerator.
inline void add_knob(QFormLayout& form, const QString& name, QWidget& control, const QString& sentence) {
  control.setToolTip(sentence);
  control.setAccessibleName(QString(name).remove('&'));
  control.setAccessibleDescription(sentence);
  auto* both = new QVBoxLayout;
  both->setSpacing(0);
  both->addWidget(&control, 0, Qt::AlignLeft);
  both->addWidget(new Note(Note::Kind::faint, sentence));
  auto* label = new QLabel(name);
  label->setBuddy(&control);
  both->setContentsMargins(0, 0, 0, control.fontMetrics().height() / 2);
  form.addRow(label, both);
}

/// A spin box from `low` to `high` that calls `changed` with every new value.
template <class Changed>
QSpinBox* make_number(const QString& name, int low, int high, int step, const Changed& changed) {
  auto* box = new QSpinBox;
  box->setObjectName(name);
  box->setRange(low, high);
  box->setSingleStep(step);
  // No group separators: they are inserted while a person types and move the cursor.
  QObject::connect(box, &QSpinBox::valueChanged, box, changed);
  return box;
}

/// Shows a number without a signal.
inline void show_number(QSpinBox& box, std::int64_t value) {
  const QSignalBlocker blocker(box);
  box.setValue(static_cast<int>(std::min<std::int64_t>(value, box.maximum())));
}

}  // namespace ladimo::ui
