// What the wizard's tests share: a pico model with text, and waiting for a config.
#pragma once

#include <QTest>

#include "support/calibration_text.h"
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

inline bool wait_until_ready(const ui::PageConfig& config) {
  return QTest::qWaitFor([&] { return config.is_ready(); }, patience_ms);
}
inline bool wait_for_reason(const ui::PageConfig& config, const char* part) {
  return QTest::qWaitFor([&] { return config.reason().contains(QLatin1String(part)); }, patience_ms);
}

}  // namespace ladimo::testing
