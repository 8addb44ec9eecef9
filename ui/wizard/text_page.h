#pragma once

#include "ui/wizard/text_page_config.h"
#include "ui/wizard/wizard_page.h"

class QGroupBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QRadioButton;
class QSpinBox;
class QTableView;

namespace ladimo::ui {

class Note;
class WindowView;

/// Page 2: the files with their tokens, the split, and some windows to look at.
class TextPage : public WizardPage {
  Q_OBJECT
 public:
  explicit TextPage(TextPageConfig& config, QWidget* parent = nullptr);
  bool isComplete() const override;

 signals:
  /// The person asks for so many tokens.
  void counts_wanted(const ladimo::ui::TextPageConfig::Counts& counts);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  QWidget* make_files();
  QWidget* make_look();
  QLayout* make_counts();
  void ask_for_counts();
  void browse();
  void add_typed();
  void remove();
  void show_removable();
  void show_config();
  void show_window();
  QString split_in_words() const;
  QString tints_in_words() const;

  TextPageConfig& config_;
  QRadioButton* from_files_;
  QRadioButton* own_;
  QTableView* table_;
  Note* no_files_;  // what to do while the table is empty
  QLineEdit* path_;
  QPushButton* remove_;
  QPushButton* fewer_;
  QSpinBox* tokens_;
  QSpinBox* held_out_;
  QLabel* split_;
  QSpinBox* number_;
  QLabel* windows_;
  WindowView* view_;
  Note* tints_;  // what the colours of the view mean
  Note* reason_;
};

}  // namespace ladimo::ui
