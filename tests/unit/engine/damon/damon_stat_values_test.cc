// SPDX-License-Identifier: GPL-2.0-or-later
//
// The texts of DAMON_STAT's files: those that kernels write, and nothing else.
#include "engine/damon/damon_stat_values.h"

#include <string>

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

// `count` times the same number.
std::string numbers(size_t count, const std::string& number = "-7") {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + number;
  return text;
}

TEST_CASE("on or off", "[damon_stat]") {
  CHECK(parse_enabled("Y") == true);
  CHECK(parse_enabled("N") == false);
  for (const char* const text : {"", "y", "1", "0", "Y\n", " Y", "YN", "on"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_enabled(text));
  }
}

TEST_CASE("percentiles are 101 numbers", "[damon_stat]") {
  const auto parsed = parse_percentiles("1" + numbers(101).substr(2));
  REQUIRE(parsed);
  CHECK(parsed->front() == 1);
  CHECK(parsed->back() == -7);
  const std::string whole = numbers(101);
  for (const std::string& text :
       {std::string(), numbers(1), numbers(100), numbers(102), whole + ",", "," + whole,
        whole + "\n", numbers(101, "x"), numbers(101, " 1"), numbers(101, ""),
        numbers(101, "9223372036854775808"), std::string(101, ','), std::string(500, '\0')}) {
    CAPTURE(text.substr(0, 40), text.size());
    CHECK_FALSE(parse_percentiles(text));
  }
  for (size_t size = 0; size < whole.size() - 1; ++size) {
    CHECK_FALSE(parse_percentiles(std::string_view(whole).substr(0, size)));
  }
}

}  // namespace
}  // namespace damon_statfs::test
