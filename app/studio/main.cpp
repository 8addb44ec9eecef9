// Starts the studio: first answers what needs no display, then opens the window.
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <QApplication>
#include <QIcon>
#include <QLocale>

#include "base/version.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/termination.h"
#include "ui/settings/translation.h"

namespace {

constexpr const char* usage =
    "ladimo-studio [RUN|MODEL]\n"
    "\n"
    "Opens the window with the run in the folder RUN, or the wizard for MODEL: a folder, a GGUF file, or\n"
    "ORG/NAME of a model in the cache of the Hugging Face Hub.\n"
    "\n"
    "  --help      this text\n"
    "  --version   the version\n";

/// Answers --help and --version, which need no window. Returns the exit status, or nothing when the window is
/// wanted.
std::optional<int> answer(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return std::fputs(usage, stdout) < 0;
    if (argument == "--version") return std::printf("ladimo-studio %s\n", ladimo::version()) < 0;
    if (argument == "-platform" || argument == "-style") ++i;  // options of Qt, which take a value
  }
  return {};
}

bool has_display(int argc, char** argv) {
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
    if (const char* value = std::getenv(name); value && *value) return true;
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "-platform") return true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = answer(argc, argv)) return *status;
  if (!has_display(argc, argv)) {
    std::fputs(
        "ladimo-studio: there is no display.\n"
        "The command line shows the same run: ladimo show RUN\n",
        stderr);
    return 1;
  }

  QCoreApplication::setOrganizationName(QStringLiteral("ladimo"));
  QCoreApplication::setApplicationName(QStringLiteral("ladimo-studio"));
  QGuiApplication::setApplicationDisplayName(QStringLiteral("LaDiMo Studio"));
  QGuiApplication::setDesktopFileName(QStringLiteral("ladimo-studio"));
  QApplication application(argc, argv);
  QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/ladimo-studio.svg")));

  ladimo::ui::install_translation(QLocale());

  const QStringList arguments = QCoreApplication::arguments();  // without Qt's own options
  if (arguments.size() > 2 || (arguments.size() == 2 && arguments[1].startsWith('-'))) {
    std::fprintf(stderr, "ladimo-studio: unknown argument: %s\n\n%s", qUtf8Printable(arguments.last()),
                 usage);
    return 2;
  }
  ladimo::ui::MainWindow window;
  window.greet();
  if (arguments.size() == 2) window.open(arguments[1]);
  window.show();
  const ladimo::ui::Termination termination;
  QObject::connect(&termination, &ladimo::ui::Termination::asked, &window,
                   [&window] { window.end_session(false); });
  return QApplication::exec();
}
