#include "ui/panels/tint_legend.h"

#include <doctest/doctest.h>

#include <QImage>

#include "ui/models/theme.h"
#include "ui/widgets/tint.h"

using namespace ladimo::ui;

namespace {

/// Where the legend has this colour, from the left: the first and the last pixel of its middle line.
std::pair<int, int> span_of(const QImage& image, const QColor& colour) {
  std::pair<int, int> span{-1, -1};
  for (int x = 0; x < image.width(); ++x) {
    if (image.pixel(x, image.height() / 2) != colour.rgb()) continue;
    if (span.first < 0) span.first = x;
    span.second = x;
  }
  return span;
}

}  // namespace

TEST_CASE("the legend of tints runs from few to many in the direction of reading, between its words") {
  for (const auto direction : {Qt::LeftToRight, Qt::RightToLeft}) {
    CAPTURE(int(direction));
    TintLegend legend;
    legend.setLayoutDirection(direction);
    legend.set_ends("few", "many more than few");
    legend.resize(legend.sizeHint());
    const QImage image = legend.grab().toImage();
    const Theme theme = theme_of(legend.palette());
    const int few = span_of(image, tint(theme, 0)).first, many = span_of(image, tint(theme, 1)).first;
    REQUIRE(few >= 0);
    REQUIRE(many >= 0);
    CHECK((few < many) == (direction == Qt::LeftToRight));
    const int words = legend.fontMetrics().horizontalAdvance("few");
    CHECK((direction == Qt::LeftToRight ? few : image.width() - few) > words);
    const int far_words = legend.fontMetrics().horizontalAdvance("many more than few");
    CHECK((direction == Qt::LeftToRight ? image.width() - many : many) > far_words);
  }
}
