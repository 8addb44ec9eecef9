// Export of the model in every format, of the policy, the tables and a report, and the table of saved
// policies.
#pragma once

#include <memory>

#include <QWidget>

#include "ui/engine/engine.h"
#include "ui/models/run_data.h"

class QLayout;

namespace ladimo::ui {

class ExportCard;
class FormatExport;
class PolicyEditor;
class PolicySaving;
class ServeClient;

class ExportPanel : public QWidget {
  Q_OBJECT
 public:
  /// All must outlive the panel.
  ExportPanel(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve, Engine engine,
              PolicySaving& saving, QWidget* parent = nullptr);

  // What the buttons do once a path has been chosen. The card of each says how it ended.
  void save_policy_file(const QString& path);
  void save_tables(const QString& folder);
  void save_report(const QString& path);
  /// In the format that is selected; the native one before the engine has told the formats.
  void write_model(const QString& path);
  /// Whether a model is being written.
  bool writing() const;

 signals:
  /// The engine did not find the run's dense original.
  void original_missing();

 private:
  QLayout* make_cards();
  void ask_policy_file();
  void ask_tables();
  void ask_report();
  static void show_end(ExportCard& card, const QString& failure, const QString& said, const QString& path);

  std::shared_ptr<const RunData> run_;
  PolicyEditor& editor_;
  PolicySaving& saving_;
  ExportCard* policy_file_;
  ExportCard* tables_;
  ExportCard* report_;
  FormatExport* model_;
};

}  // namespace ladimo::ui
