#include "ui/models/theme.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "palettes.h"

using namespace ladimo::ui;
using namespace ladimo::testing;

namespace {

double luminance(const QColor& colour) {
  const auto linear = [](float c) { return c <= 0.04045f ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
  return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
}

/// The contrast ratio of two colours by WCAG: 1 ... 21.
double contrast(const QColor& a, const QColor& b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

}  // namespace

TEST_CASE("the theme is dark or light as the palette is, and all text is readable on both") {
  for (const bool dark : {false, true}) {
    CAPTURE(dark);
    const Theme theme = theme_of(dark ? dark_palette() : light_palette());
    CHECK(theme.dark == dark);
    CHECK(contrast(theme.text, theme.background) > 7);
    CHECK(contrast(theme.faint, theme.background) > 4.5);
    CHECK(contrast(theme.error, theme.background) > 4.5);
    CHECK(contrast(theme.dense, theme.background) > 3);
    CHECK(contrast(theme.converted, theme.background) > 3);
    CHECK(contrast(theme.grid, theme.background) < 2);
  }
}
