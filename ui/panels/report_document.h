// A PDF document of text, tables and plots that flow from page to page.
#pragma once

#include <memory>
#include <vector>

#include <QIODevice>
#include <QString>
#include <QStringList>
#include <QTextCursor>
#include <QTextDocument>

namespace ladimo::ui {

class Plot;

class ReportDocument {
 public:
  ReportDocument();
  ~ReportDocument();

  void title(const QString& text);
  void heading(const QString& text, bool new_page = false);
  void paragraph(const QString& rich_text);
  /// Adds a table. The first row is the header. Columns that hold numbers are right-aligned; cells are rich
  /// text.
  void table(const std::vector<QStringList>& rows, const std::vector<bool>& numbers);
  /// Adds plots in rows of `columns`, each under its title. `height` is in per cent of the page width.
  void plots(std::vector<std::unique_ptr<Plot>> plots, int columns, double height);

  /// Writes the document. Returns false if the device did not take all of it. Does not throw.
  bool write(QIODevice& device, const QString& footer);

 private:
  QTextDocument document_;
  QTextCursor cursor_;
  std::vector<std::unique_ptr<Plot>> plots_;
};

}  // namespace ladimo::ui
