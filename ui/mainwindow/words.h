// The help dialog, which explains the terms and every panel of the window.
#pragma once

class QDialog;
class QWidget;

namespace ladimo::ui {

/// Makes the help dialog. It is not modal and deletes itself when it is closed. The caller shows it.
QDialog* make_words_dialog(QWidget* parent);

}  // namespace ladimo::ui
