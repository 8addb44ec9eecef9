// Writes the model under the chosen policy in a format of one's choice: a table of what every format can say,
// a button, and the lines that load the result elsewhere.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include <QWidget>

#include "ui/models/export_choice.h"
#include "ui/models/formats_model.h"
#include "ui/panels/export_job.h"
#include "ui/panels/export_place.h"
#include "ui/panels/format_query.h"

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QSortFilterProxyModel;
class QTableView;

namespace ladimo::ui {

class CopyCommand;
class FitChoice;
class LoadingLines;
class Note;
class Notice;
class PolicyEditor;
class ServeClient;

class FormatExport : public QWidget {
  Q_OBJECT
 public:
  /// All must outlive it.
  FormatExport(PolicyEditor& editor, ServeClient& serve, Engine engine, QWidget* parent = nullptr);

  /// Writes the format that is selected to `path`, which must not exist yet; without a table the native one.
  void write(const QString& path);
  bool writing() const { return job_.running(); }

 signals:
  /// The engine did not find the run's dense original.
  void original_missing();

 protected:
  void showEvent(QShowEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  using Key = std::pair<QString, bool>;  // format, whether it is a GGUF file

  void make_table();
  void connect_all();
  void lay_out();
  QWidget* lay_out_choice();
  QWidget* lay_out_result();
  void ask(bool again);
  void show_choices(const std::vector<ExportChoice>& choices, const Policy& policy);
  void show_failure(const Outcome& outcome);
  void show_measured();
  void show_selected();
  void show_fit();
  void show_button();
  void show_written();
  void ask_or_cancel();
  void finish(const Outcome& outcome);
  ExportChoice selected() const;
  QString precision() const;  // "bf16"
  std::optional<FormatsModel::Measured> measured(const ExportChoice& choice) const;
  ExportJob::Request request(const QString& path) const;
  QString command() const;

  PolicyEditor& editor_;
  ServeClient& serve_;
  Engine engine_;
  FormatQuery query_;
  ExportJob job_;
  ExportPlace place_;
  ExportChoice writing_;                 // what the job writes
  std::map<Key, WrittenModel> written_;  // in this session, the last of each

  FormatsModel* formats_;
  QSortFilterProxyModel* sorted_;
  QTableView* table_;
  Notice* state_;  // of the table
  QLabel* title_;
  Note* why_;
  QComboBox* precision_;
  FitChoice* fit_;
  QPushButton* button_;
  CopyCommand* copy_;
  QProgressBar* progress_;
  Notice* notice_;  // of the writing
  QLabel* price_;
  Note* nothing_yet_;
  LoadingLines* lines_;
};

}  // namespace ladimo::ui
