// An exported model: its card, as it was written beside the weights.
#pragma once

#include <QWidget>

namespace ladimo::ui {

/// `folder`: a native model folder of this machine.
QWidget* model_card(const QString& folder);

}  // namespace ladimo::ui
