// An opened run without an engine: its values, its editor, and a script that serves it.
#pragma once

#include <memory>
#include <string>

#include <QDir>
#include <QImage>
#include <QTest>
#include <QWidget>

#include "example_formats.h"
#include "example_run.h"
#include "stand_in_engine.h"
#include "ui/engine/serve_client.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_data.h"

namespace ladimo::testing {

/// A script that serves: it answers every request with what `answers` prints. It also tells the example's
/// export formats. `answers` holds the branches of a shell
/// case on "$line"; "$id" is the number of the request.
inline std::string serving(const std::string& answers) {
  return "case \"$*\" in *--formats*)\n" + StandInEngine::finding(example_formats().dump()) +
         "\nexit ;; esac\n" + R"sh(echo '{"event":"ready"}'
while read -r line; do
  id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case "$line" in
)sh" + answers +
         "\n  esac\ndone";
}

struct OpenedRun {
  explicit OpenedRun(const std::string& answers)
      : engine(serving(answers)),
        run(std::make_shared<const ui::RunData>(
            ui::read_run(QByteArray::fromStdString(example_show().dump()),
                         QString::fromStdString((engine.folder() / "stories-run").string())))),
        editor(run),
        serve(engine.engine(), run->folder) {
    write_run(run->folder.toStdString());
  }

  StandInEngine engine;
  std::shared_ptr<const ui::RunData> run;
  ui::PolicyEditor editor;
  ui::ServeClient serve;
};

inline constexpr int patience = 20000;  // ms

template <class Condition>
bool wait_until(Condition condition) {
  return QTest::qWaitFor(condition, patience);
}

template <class Widget>
Widget& child(const QWidget& parent, const char* name) {
  auto* found = parent.findChild<Widget*>(QString::fromLatin1(name));
  if (!found) throw std::runtime_error(std::string("there is no ") + name);
  return *found;
}

/// LADIMO_PICTURES=FOLDER keeps a picture of the widget, to be looked at.
inline void keep_picture(QWidget& widget, const QString& name) {
  const QString folder = qEnvironmentVariable("LADIMO_PICTURES");
  if (folder.isEmpty()) return;
  QDir().mkpath(folder);
  QTest::qWait(100);  // plots are drawn at the next tick of their clock
  widget.grab().save(folder + '/' + name + ".png");
}

}  // namespace ladimo::testing
