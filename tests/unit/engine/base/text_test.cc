// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is a number and what only begins like one; words and lines at the ends of a text.
#include "engine/base/text.h"

#include <cstdint>
#include <string>
#include <vector>

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("a number is all of the text", "[text]") {
  CHECK(parse_number<uint64_t>("0") == 0);
  CHECK(parse_number<uint64_t>("18446744073709551615") == UINT64_MAX);
  CHECK(parse_number<int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK(parse_number<int>("007") == 7);
  CHECK(parse_number<uint64_t>("fF", 16) == 255);
  for (const char* const text : {"", " ", "-", "+1", " 1", "1 ", "1\n", "0x1", "1.0", "1,", "a",
                                 "18446744073709551616", "-1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<uint64_t>(text));
  }
  CHECK_FALSE(parse_number<int>("2147483648"));
  CHECK_FALSE(parse_number<int>({"1\0", 2}));
  CHECK_FALSE(parse_number<int>({}));
}

template <class Take>
std::vector<std::string> all_of(std::string_view text, const Take& take) {
  std::vector<std::string> parts;
  while (!text.empty() && parts.size() < 10) parts.emplace_back(take(text));
  return parts;
}

TEST_CASE("words", "[text]") {
  using Words = std::vector<std::string>;
  CHECK(all_of("one", take_word) == Words{"one"});
  CHECK(all_of("  one\ttwo\n", take_word) == Words{"one", "two", ""});
  CHECK(all_of(" \r\n", take_word) == Words{""});
  std::string_view nothing;
  CHECK(take_word(nothing).empty());
}

TEST_CASE("lines", "[text]") {
  using Lines = std::vector<std::string>;
  CHECK(all_of("one", take_line) == Lines{"one"});
  CHECK(all_of("one\n\n two \n", take_line) == Lines{"one", "", " two "});
  CHECK(all_of("\n", take_line) == Lines{""});
  std::string_view nothing;
  CHECK(take_line(nothing).empty());
}

}  // namespace
}  // namespace damon_statfs::test
