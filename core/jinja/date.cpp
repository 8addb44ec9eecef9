#include "jinja/date.h"

#include <fmt/format.h>

#include "jinja/value.h"

namespace ladimo::jinja {
namespace {

// Not those of the C library: the window may have set another language.
constexpr std::string_view months[] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday"};

}  // namespace

std::string date_text(std::chrono::sys_seconds time, std::string_view format) {
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  const std::string_view month = months[static_cast<unsigned>(date.month()) - 1],
                         weekday = weekdays[chrono::weekday(day).c_encoding()];
  const int year = static_cast<int>(date.year());
  const auto hour = clock.hours().count();
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    switch (++i < format.size() ? format[i] : ' ') {
      case '%':
        text += '%';
        break;
      case 'Y':
        text += fmt::format("{}", year);
        break;
      case 'y':
        text += fmt::format("{:02}", year % 100);
        break;
      case 'm':
        text += fmt::format("{:02}", static_cast<unsigned>(date.month()));
        break;
      case 'd':
        text += fmt::format("{:02}", static_cast<unsigned>(date.day()));
        break;
      case 'B':
        text += month;
        break;
      case 'b':
        text += month.substr(0, 3);
        break;
      case 'A':
        text += weekday;
        break;
      case 'a':
        text += weekday.substr(0, 3);
        break;
      case 'H':
        text += fmt::format("{:02}", hour);
        break;
      case 'I':
        text += fmt::format("{:02}", hour % 12 == 0 ? 12 : hour % 12);
        break;
      case 'p':
        text += hour < 12 ? "AM" : "PM";
        break;
      case 'M':
        text += fmt::format("{:02}", clock.minutes().count());
        break;
      case 'S':
        text += fmt::format("{:02}", clock.seconds().count());
        break;
      default:
        throw Failure(fmt::format("a date with `%` and what follows it in `{}` is not supported",
                                  format.substr(0, 40)));
    }
  }
  return text;
}

}  // namespace ladimo::jinja
