// All colours from one function of the palette. Run it again on QEvent::PaletteChange.
#pragma once

#include <QColor>
#include <QPalette>

namespace ladimo::ui {

struct Theme {
  bool dark = false;
  QColor background;  // of plots and tables
  QColor text;
  QColor faint;      // secondary text, axes
  QColor grid;       // barely there
  QColor off;        // what does not run: skipped experts
  QColor accent;     // what is chosen
  QColor dense;      // blue, and
  QColor converted;  // orange: told apart by everyone, on light and on dark
  QColor error;
};

Theme theme_of(const QPalette& palette);

/// Of one expert among many; those with neighbouring numbers lie far apart.
QColor expert_colour(const Theme& theme, int expert);

}  // namespace ladimo::ui
