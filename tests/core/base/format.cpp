#include "base/format.h"

#include <doctest/doctest.h>

#include <limits>

using namespace ladimo;

TEST_CASE("numbers have three significant digits and no exponent") {
  CHECK(format_number(0.0000123) == "0.0000123");
  CHECK(format_number(12.345) == "12.3");
  CHECK(format_number(9.999) == "10.0");
  CHECK(format_number(99.96) == "100");
  CHECK(format_number(-0.5) == "-0.500");
  CHECK(format_number(0) == "0");
  CHECK(format_number(123456) == "123456");
  CHECK(format_number(std::numeric_limits<double>::infinity()) == "inf");
}

TEST_CASE("bytes and counts have units") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1000) == "0.977 KiB");
  CHECK(format_bytes(1536) == "1.50 KiB");
  CHECK(format_bytes(14.2e9) == "13.2 GiB");
  CHECK(format_count(7) == "7");
  CHECK(format_count(999.6) == "1.00K");
  CHECK(format_count(3222144) == "3.22M");
  CHECK(format_count(999999) == "1.00M");
  CHECK(format_count(6738415616) == "6.74B");
}

TEST_CASE("times have the units that a person would use") {
  CHECK(format_seconds(0.004) == "4 ms");
  CHECK(format_seconds(0.0004) == "0.4 ms");
  CHECK(format_seconds(0.9996) == "1.0 s");
  CHECK(format_seconds(1.5) == "1.5 s");
  CHECK(format_seconds(59.7) == "1 min 0 s");
  CHECK(format_seconds(75) == "1 min 15 s");
  CHECK(format_seconds(3599.7) == "1 h 0 min");
  CHECK(format_seconds(7300) == "2 h 2 min");
  CHECK(format_seconds(200000) == "2 d 8 h");
}
