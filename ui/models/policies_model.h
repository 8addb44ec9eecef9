// Two tables that compare policies: one row for each policy, or one column for each, layer by layer.
#pragma once

#include <optional>
#include <vector>

#include <QAbstractTableModel>

#include "policy/policy_file.h"

namespace ladimo::ui {

struct NamedPolicy {
  QString name;
  Policy policy;
};

/// One row for each policy: its predicted cost and its predicted effect.
class PoliciesModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { name, kl, perplexity, activated, ffn_activated, decode_ms, kinds, column_count };
  static constexpr int sort_role = Qt::UserRole;

  /// `dense_perplexity` is that of the text for which perplexity is predicted.
  explicit PoliciesModel(double dense_perplexity, QObject* parent = nullptr);

  void set_policies(std::vector<NamedPolicy> policies);
  const NamedPolicy& at(int row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::optional<double> number(const NamedPolicy& row, int column) const;
  QString cell(const NamedPolicy& row, int column) const;
  QVariant sort_value(const NamedPolicy& row, int column) const;

  double dense_perplexity_;
  std::vector<NamedPolicy> policies_;
};

/// One row for each layer, one column for each policy: how it chooses the layer's experts. Cells that differ
/// from the first policy are bold.
class PolicyLayersModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  using QAbstractTableModel::QAbstractTableModel;

  /// Sets the policies, which must all belong to the same model.
  void set_policies(std::vector<NamedPolicy> policies);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  const LayerPolicy& layer(const QModelIndex& index) const;
  bool differs(const QModelIndex& index) const;

  std::vector<NamedPolicy> policies_;
};

/// "dense", "top 4", "threshold 0.031 · 27.4 experts on".
QString layer_in_words(const LayerPolicy& policy);

}  // namespace ladimo::ui
