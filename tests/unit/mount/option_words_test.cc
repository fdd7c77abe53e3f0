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

}  // namespace
}  // namespace damon_statfs
