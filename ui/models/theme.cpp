#include "ui/models/theme.h"

#include <cmath>

namespace ladimo::ui {
namespace {

QColor mix(const QColor& a, const QColor& b, double share_of_b) {
  const auto blend = [&](double from, double to) { return float(from + (to - from) * share_of_b); };
  return QColor::fromRgbF(blend(a.redF(), b.redF()), blend(a.greenF(), b.greenF()),
                          blend(a.blueF(), b.blueF()));
}

}  // namespace

Theme theme_of(const QPalette& palette) {
  Theme theme;
  theme.background = palette.color(QPalette::Base);
  theme.text = palette.color(QPalette::Text);
  theme.dark = theme.background.lightnessF() < theme.text.lightnessF();
  theme.faint = mix(theme.text, theme.background, 0.35);
  theme.off = mix(theme.text, theme.background, 0.7);
  theme.grid = mix(theme.text, theme.background, 0.85);
  theme.accent = palette.color(QPalette::Active, QPalette::Highlight);
  theme.on_accent = palette.color(QPalette::Active, QPalette::HighlightedText);
  // From the palette of Okabe and Ito, which has a lighter blue and a lighter orange for dark backgrounds.
  theme.dense = theme.dark ? QColor(0x56, 0xb4, 0xe9) : QColor(0x00, 0x72, 0xb2);
  theme.converted = theme.dark ? QColor(0xe6, 0x9f, 0x00) : QColor(0xd5, 0x5e, 0x00);
  theme.error = theme.dark ? QColor(0xff, 0x7b, 0x72) : QColor(0xb4, 0x23, 0x18);
  return theme;
}

QColor expert_colour(const Theme& theme, int expert) {
  constexpr double golden = 0.61803398875;  // multiples of it, modulo 1, spread evenly
  const double hue = expert * golden;
  return QColor::fromHslF(float(hue - std::floor(hue)), 0.55F, theme.dark ? 0.6F : 0.5F);
}

}  // namespace ladimo::ui
