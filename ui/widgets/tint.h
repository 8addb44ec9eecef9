// A background colour that shows an amount, behind text that must stay readable.
#pragma once

#include <QColor>

namespace ladimo::ui {

struct Theme;

/// A colour between the theme's background (`amount` 0) and its colour for converted models (1), in steps
/// that look equally large (linear in OKLab) and never so strong that the theme's text falls below a contrast
/// of 4.5 : 1.
QColor tint(const Theme& theme, double amount);
/// The same with `colour` in place of that of converted models.
QColor tint(const Theme& theme, const QColor& colour, double amount);
/// The contrast of two colours: WCAG's ratio of relative luminances, 1 ... 21.
double contrast(const QColor& a, const QColor& b);

}  // namespace ladimo::ui
