#pragma once

#include "ui/wizard/wizard_page.h"

class QLabel;
class QLineEdit;
class QListView;

namespace ladimo::ui {

class CheckListModel;
class ModelPageConfig;

/// Page 1: chooser of the model (or one dropped onto the page), checklist, summary.
class ModelPage : public WizardPage {
  Q_OBJECT
 public:
  explicit ModelPage(ModelPageConfig& config, QWidget* parent = nullptr);
  bool isComplete() const override;

 protected:
  void changeEvent(QEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  QLayout* make_chooser();
  void browse_folders();
  void browse_files();
  void choose(const QString& model);
  void show_config();

  ModelPageConfig& config_;
  QLineEdit* model_;
  QLabel* summary_;
  QListView* list_;
  QLabel* reason_;
  CheckListModel* checks_;
};

}  // namespace ladimo::ui
