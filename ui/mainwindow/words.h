// Help: what the words of the window mean.
#pragma once

class QDialog;
class QWidget;

namespace ladimo::ui {

/// Not modal; deletes itself when it is closed. The caller shows it.
QDialog* make_words_dialog(QWidget* parent);

}  // namespace ladimo::ui
