// The colours of the window, computed from the palette. Compute them again on QEvent::PaletteChange.
#pragma once

#include <QColor>
#include <QPalette>

namespace ladimo::ui {

struct Theme {
  bool dark = false;
  QColor background;  // of plots and tables
  QColor text;
  QColor faint;      // secondary text, axes
  QColor grid;       // barely visible
  QColor off;        // what does not run: skipped experts
  QColor accent;     // what is chosen
  QColor on_accent;  // text on it
  QColor dense;      // blue
  QColor converted;  // orange, which everyone can tell from that blue
  QColor error;
};

Theme theme_of(const QPalette& palette);

/// The colour of one expert. Experts with neighbouring numbers get very different hues.
QColor expert_colour(const Theme& theme, int expert);

}  // namespace ladimo::ui
