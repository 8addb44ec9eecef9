// The policies that were saved under a name: save, compare, load and delete them.
#pragma once

#include <optional>

#include <QWidget>

#include "ui/models/policies_model.h"

class QLineEdit;
class QPushButton;
class QSortFilterProxyModel;
class QTableView;

namespace ladimo::ui {

class Notice;
class PolicyEditor;
class PolicySaving;

class SavedPolicies : public QWidget {
  Q_OBJECT
 public:
  SavedPolicies(PolicyEditor& editor, PolicySaving& saving, QWidget* parent = nullptr);

  /// Why a policy cannot be saved under this name; empty when it can.
  static QString why_not(const QString& name);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void make_tables();
  void lay_out();
  void show_policies();
  void show_selection();
  void save(const QString& name, const Policy& policy);
  void accept(const NamedPolicy& saved);
  void load();
  void remove();
  /// The selected rows, except the row of the chosen policy.
  std::vector<NamedPolicy> selected() const;

  PolicyEditor& editor_;
  PolicySaving& saving_;
  std::optional<NamedPolicy> lost_;  // the one deleted or replaced last, which can be restored
  std::optional<int> loaded_at_;     // the undo step that loaded a policy, while nothing was changed since
  QLineEdit* name_;
  QPushButton *save_, *save_as_run_, *load_, *delete_;
  Notice* notice_;
  PoliciesModel* policies_;
  QSortFilterProxyModel* sorted_;
  QTableView* table_;
  PolicyLayersModel* layers_;
  QTableView* layers_table_;
};

}  // namespace ladimo::ui
