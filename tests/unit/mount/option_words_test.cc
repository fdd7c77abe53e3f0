// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the text behind -o falls into words, and that no word of it is a flag.
#include "mount/option_words.h"

#include "support/catch.h"

namespace damon_statfs {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("words between commas; empty ones are nothing", "[option_words]") {
  CHECK(split_option_words("").empty());
  CHECK(split_option_words(",").empty());
  CHECK(split_option_words(",,,").empty());
  CHECK(split_option_words("ro") == Words{"ro"});
  CHECK(split_option_words("a,,b") == Words{"a", "b"});
  CHECK(split_option_words(",a,b=c,") == Words{"a", "b=c"});
  CHECK(split_option_words("-V,--help,-") == Words{"-V", "--help", "-"});
}

TEST_CASE("a backslash takes the next character as it is", "[option_words]") {
  CHECK(split_option_words(R"(rootfs=/a\,b,ro)") == Words{"rootfs=/a,b", "ro"});
  CHECK(split_option_words(R"(rootfs=/a\\b)") == Words{R"(rootfs=/a\b)"});
  CHECK(split_option_words(R"(rootfs=/a\040b\054c)") == Words{"rootfs=/a b,c"});
  CHECK(split_option_words(R"(rootfs=\377)") == Words{"rootfs=\xff"});
  CHECK(split_option_words(R"(rootfs=/a\04,b)") == Words{"rootfs=/a04", "b"});
  CHECK(split_option_words(R"(rootfs=/a\409)") == Words{"rootfs=/a409"});
  CHECK(split_option_words(R"(a\)") == Words{R"(a\)"});
}

TEST_CASE("a value in double quotes may have commas", "[option_words]") {
  CHECK(split_option_words(R"(context="u:r:t:s0:c1,c2",ro)") ==
        Words{R"(context="u:r:t:s0:c1,c2")", "ro"});
  CHECK(split_option_words(R"(context="")") == Words{R"(context="")"});
  CHECK(split_option_words(R"(context="a,b)") == Words{R"(context="a)", "b"});
  CHECK(split_option_words(R"(rootfs=/a"b,c"d)") == Words{R"(rootfs=/a"b)", R"(c"d)"});
}

// All words of up to four of the characters that mean something between words.
Words odd_words() {
  Words words = {""};
  for (size_t begin = 0, length = 0; length < 4; ++length) {
    const size_t end = words.size();
    for (; begin < end; ++begin) {
      for (const char character : {'a', ',', '\\', '"', '=', '0'}) {
        words.push_back(words[begin] + character);
      }
    }
  }
  return words;
}

TEST_CASE("words that were joined are split into the same words", "[option_words]") {
  for (const std::string& word : odd_words()) {
    if (word.empty()) continue;
    const Words words = {"x=", word, "y"};
    CAPTURE(word);
    if (split_option_words(join_option_words(words)) != words) FAIL(join_option_words(words));
  }
  CHECK(join_option_words({}).empty());
  CHECK(join_option_words({"a,b", "c"}) == R"(a\,b,c)");
}

TEST_CASE("whatever the text, no word is empty, and none is longer", "[option_words]") {
  for (const std::string& text : odd_words()) {
    size_t size = 0;
    for (const std::string& word : split_option_words(text)) {
      if (word.empty()) FAIL(text);
      size += word.size();
    }
    if (size > text.size()) FAIL(text);
  }
}

}  // namespace
}  // namespace damon_statfs
