// The layers of a run as a table: the policy chosen for each layer, its cost and its effect. Rows that an
// edit of other layers changed are marked for a moment.
#pragma once

#include <optional>
#include <vector>

#include <QAbstractTableModel>
#include <QTimer>

#include "ui/models/policy_editor.h"
#include "ui/models/theme.h"

namespace ladimo::ui {

class LayerModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column {
    layer,
    policy,
    pinned,
    experts_on,
    neurons_used,
    inputs_share,
    kl_share,
    cost_share,  // of the decode time, or of the activated parameters where no time was measured
    loss_before,
    loss_after,
    column_count
  };
  /// The value to sort by: a number, whatever the text says. Missing numbers are infinite, so they come last.
  static constexpr int sort_role = Qt::UserRole;

  /// Follows `editor`, which must outlive it.
  explicit LayerModel(const PolicyEditor& editor, QObject* parent = nullptr);
  void set_theme(const Theme& theme);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  struct Row {
    Candidate priced;
    bool pinned = false;
    bool warned = false;   // its router has a warning
    bool changed = false;  // a moment ago, without being asked to
    double kl = 0;         // share of the sum over the layers
    double cost = 0;       // share of the whole model's cost
    std::optional<double> loss_before, loss_after;
  };
  void follow();
  void mark_changed();
  double cost_of(const Candidate& candidate) const;
  double neurons_of(const LayerPolicy& of) const;
  double other_cost() const;
  std::optional<double> number(int row, int column) const;
  QString text(int row, int column) const;
  QString tip(int row, int column) const;

  const PolicyEditor& editor_;
  std::vector<Row> rows_;
  Theme theme_;
  QTimer moment_;  // how long rows that changed are marked
};

}  // namespace ladimo::ui
