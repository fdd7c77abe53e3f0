// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a text is broken, and that nothing of it but blanks is lost.
#include "mount/wrapped_text.h"

#include <algorithm>

#include "support/catch.h"

namespace damon_statfs {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("lines are broken at blanks", "[wrapped_text]") {
  CHECK(wrap_text("", 5) == Lines{""});
  CHECK(wrap_text("one", 5) == Lines{"one"});
  CHECK(wrap_text("one two", 7) == Lines{"one two"});
  CHECK(wrap_text("one two", 6) == Lines{"one", "two"});
  CHECK(wrap_text("a b c d e", 3) == Lines{"a b", "c d", "e"});
  CHECK(wrap_text("a  b", 5) == Lines{"a  b"});  // a path may hold two
}

TEST_CASE("a word that is wider than a line is broken behind a slash, else anywhere",
          "[wrapped_text]") {
  CHECK(wrap_text("/sys/kernel/mm", 8) == Lines{"/sys/", "kernel/", "mm"});
  CHECK(wrap_text("/sys/kernel/mm", 12) == Lines{"/sys/kernel/", "mm"});
  CHECK(wrap_text("at /sys/kernel/mm now", 10) == Lines{"at", "/sys/", "kernel/mm", "now"});
  CHECK(wrap_text("/abcdef", 3) == Lines{"/ab", "cde", "f"});
  CHECK(wrap_text("abcdef g", 2) == Lines{"ab", "cd", "ef", "g"});
}

TEST_CASE("a character is one column, however many bytes it has", "[wrapped_text]") {
  CHECK(wrap_text("größe größe", 11) == Lines{"größe größe"});
  CHECK(wrap_text("größe", 3) == Lines{"grö", "ße"});
  CHECK(wrap_text("größe", 1) == Lines{"g", "r", "ö", "ß", "e"});
}

TEST_CASE("at any width, nothing but blanks is lost and no line is wider", "[wrapped_text]") {
  const std::string text = "/sys/kernel/mm/page_idle/bitmap: missing;  the kernel is built without";
  const auto without_blanks = [](std::string line) {
    line.erase(std::remove(line.begin(), line.end(), ' '), line.end());
    return line;
  };
  for (size_t width = 1; width <= text.size() + 1; ++width) {
    CAPTURE(width);
    std::string joined;
    for (const std::string& line : wrap_text(text, width)) {
      CHECK(line.size() <= width);
      joined += without_blanks(line);
    }
    CHECK(joined == without_blanks(text));
  }
}

}  // namespace
}  // namespace damon_statfs
