// The page of an exported model, which shows its model card.
#pragma once

#include <QWidget>

namespace ladimo::ui {

/// `folder`: a native model folder of this machine.
QWidget* model_card(const QString& folder);

}  // namespace ladimo::ui
