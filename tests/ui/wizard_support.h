// What the wizard's tests share: a pico model with text, and waiting for a config.
#pragma once

#include <QTest>

#include "base/files.h"
#include "support/calibration_text.h"
#include "support/environment.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "ui/wizard/page_config.h"

namespace ladimo::testing {

inline constexpr int patience_ms = 20000;

inline QString text_of(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

/// A model and two files of text: all that the wizard needs to get to its end.
struct WizardGround {
  TemporaryFolder folder;

  explicit WizardGround(const ModelShape& pico = {}) {
    write_pico_model(folder / "pico", pico);
    write_text(folder / "a.txt", 120, 1);
    write_text(folder / "b.txt", 120, 2);
  }
  QString model() const { return text_of(folder / "pico"); }
  QString text(const char* name) const { return text_of(folder / name); }
};

/// A cache of the Hub with a model of the ground, org/Tiny, and one that was downloaded in part, org/Part.
/// Commands and the window look there and nowhere else while it exists.
class FakeHub {
 public:
  explicit FakeHub(const WizardGround& ground) : cache_(ground.folder / "hub"), home_(qgetenv("HOME")) {
    qputenv("HOME", ground.text("home").toUtf8());
    const auto files = cache_ / "models--org--Tiny" / "snapshots" / "c0ffee";
    std::filesystem::create_directories(files.parent_path());
    std::filesystem::copy(ground.folder / "pico", files);
    write_file(files / "README.md", "---\nlicense: mit\n---\n");
    const auto part = cache_ / "models--org--Part";
    std::filesystem::create_directories(part / "snapshots");
    std::filesystem::create_directories(part / "blobs");
    write_file(part / "blobs" / "abc.incomplete", "half");
  }
  ~FakeHub() { qputenv("HOME", home_); }
  FakeHub(const FakeHub&) = delete;
  FakeHub& operator=(const FakeHub&) = delete;
  void clear() const { std::filesystem::remove_all(cache_); }
  /// The folder of a model: ORG--NAME.
  QString entry(const char* name) const { return text_of(cache_ / (std::string("models--") + name)); }

 private:
  std::filesystem::path cache_;
  QByteArray home_;
  EnvironmentVariable hub_{"HF_HUB_CACHE", cache_.c_str()};
  EnvironmentVariable hugging_face_{"HF_HOME", cache_.c_str()};
  EnvironmentVariable caches_{"XDG_CACHE_HOME", cache_.c_str()};
};

inline bool wait_until_ready(const ui::PageConfig& config) {
  return QTest::qWaitFor([&] { return config.is_ready(); }, patience_ms);
}
inline bool wait_for_reason(const ui::PageConfig& config, const char* part) {
  return QTest::qWaitFor([&] { return config.reason().contains(QLatin1String(part)); }, patience_ms);
}

}  // namespace ladimo::testing
