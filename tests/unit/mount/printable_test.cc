// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a terminal, a log or a service manager may get as it is, and what is escaped: by kinds of
// characters, and every single byte.
#include "mount/printable.h"

#include "support/catch.h"

namespace damon_statfs {
namespace {

TEST_CASE("text of any language stays as it is", "[printable]") {
  for (const char* text :
       {"", "/run/damon_stat", "a b", "back\\slash \\x0a \"quoted\"", "Größe", "меморија", "内存",
        "\xf0\x9f\x8c\xa1", "\xef\xbf\xbd", "\xc2\xa0", "~"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("what moves the cursor, ends a line or hides is escaped byte by byte", "[printable]") {
  struct Row {
    std::string_view text;
    const char* expected;
  };
  const Row rows[] = {
      {"a\nMAINPID=1", "a\\x0aMAINPID=1"},
      {"\r\t\v\f", "\\x0d\\x09\\x0b\\x0c"},
      {{"a\0b", 3}, "a\\x00b"},
      {"\x1b[31m", "\\x1b[31m"},
      {"\x7f", "\\x7f"},  // DEL
      {"\xc2\x9b"
       "31m",
       "\\xc2\\x9b31m"},           // CSI in one character
      {"\xc2\x85", "\\xc2\\x85"},  // next line
      {"\xe2\x80\xae"
       "txt",
       "\\xe2\\x80\\xaetxt"},                        // right to left override
      {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},           // left to right isolate
      {"\xd8\x9c", "\\xd8\\x9c"},                    // Arabic letter mark
      {"\xe2\x80\x8f", "\\xe2\\x80\\x8f"},           // right to left mark
      {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},           // line separator
      {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"},           // no width
      {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},           // byte order mark
      {"\xf3\xa0\x80\xa0", "\\xf3\\xa0\\x80\\xa0"},  // a tag
  };
  for (const Row& row : rows) CHECK(printable(row.text) == row.expected);
}

TEST_CASE("what is no UTF-8 is escaped, and only that", "[printable]") {
  CHECK(printable("\xff/\xfe") == "\\xff/\\xfe");
  CHECK(printable("a\xc3") == "a\\xc3");  // cut
  CHECK(printable("\xc3/") == "\\xc3/");  // what follows is not part of it
  CHECK(printable("\xe2\x82z") == "\\xe2\\x82z");
  CHECK(printable("\xc0\x8a") == "\\xc0\\x8a");  // \n, longer than it needs to be
  CHECK(printable("\xe0\x80\x8a") == "\\xe0\\x80\\x8a");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // half of a surrogate pair
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  CHECK(printable("\x80\xc3\xa9") == "\\x80\xc3\xa9");
}

TEST_CASE("single bytes, and doing it twice", "[printable]") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string once = printable(std::string(1, static_cast<char>(byte)));
    const bool stays = byte >= 0x20 && byte < 0x7f;
    CHECK((once.size() == 1) == stays);
    CHECK(printable(once) == once);
  }
}

}  // namespace
}  // namespace damon_statfs
