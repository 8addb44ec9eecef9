#include "ui/widgets/tint.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ui/models/theme.h"

namespace ladimo::ui {
namespace {

using Triple = std::array<double, 3>;

constexpr double least_contrast = 4.5;

double linear(double channel) {
  return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

double encoded(double light) {
  light = std::clamp(light, 0.0, 1.0);
  return light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
}

// OKLab, after Ottosson 2020, "A perceptual color space for image processing".
Triple oklab(const QColor& color) {
  const double r = linear(color.redF()), g = linear(color.greenF()), b = linear(color.blueF());
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

QColor rgb(const Triple& lab) {
  const double l = std::pow(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2], 3);
  const double m = std::pow(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2], 3);
  const double s = std::pow(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2], 3);
  const auto channel = [](double light) { return float(encoded(light)); };
  return QColor::fromRgbF(channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                          channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                          channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

QColor mixed(const QColor& from, const QColor& to, double amount) {
  const Triple a = oklab(from), b = oklab(to);
  Triple lab{};
  for (std::size_t i = 0; i < lab.size(); ++i) lab[i] = a[i] + (b[i] - a[i]) * amount;
  return rgb(lab);
}

double luminance(const QColor& color) {
  return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

/// The strongest share of `colour` that text can be read on.
double strongest(const Theme& theme, const QColor& colour) {
  double low = 0, high = 1;
  for (int halving = 0; halving < 12; ++halving) {
    const double middle = (low + high) / 2;
    const bool readable = contrast(mixed(theme.background, colour, middle), theme.text) >= least_contrast;
    (readable ? low : high) = middle;
  }
  return low;
}

}  // namespace

double contrast(const QColor& a, const QColor& b) {
  const auto [dark, light] = std::minmax({luminance(a), luminance(b)});
  return (light + 0.05) / (dark + 0.05);
}

QColor tint(const Theme& theme, double amount) { return tint(theme, theme.converted, amount); }

QColor tint(const Theme& theme, const QColor& colour, double amount) {
  return mixed(theme.background, colour, std::clamp(amount, 0.0, 1.0) * strongest(theme, colour));
}

}  // namespace ladimo::ui
