// A line for the paths of files, and a button that chooses them.
#pragma once

#include <QStringList>
#include <QWidget>

class QLineEdit;
class QMimeData;

namespace ladimo::ui {

class FileField : public QWidget {
  Q_OBJECT
 public:
  struct Words {
    QString name;         // of the line, for a screen reader
    QString placeholder;  // where the files are on this machine
    QString tip;
    QString dialog;  // its title
    QString filter;  // of the dialog
  };
  /// With `remote` the paths are those of the engine's machine, and there is nothing to choose.
  FileField(const QString& name, const Words& words, bool remote, QWidget* parent = nullptr);

  QWidget* line() const;
  QStringList files() const;
  void set_files(const QStringList& files);
  /// The first file that is not on this machine; empty if they are all there, or on the engine's machine.
  QString missing() const;

 signals:
  void changed();
  /// A person changed the files.
  void edited();

 private:
  void choose();

  bool remote_;
  Words words_;
  QLineEdit* line_;
};

/// The local files that are dragged.
QStringList local_files(const QMimeData& data);

}  // namespace ladimo::ui
