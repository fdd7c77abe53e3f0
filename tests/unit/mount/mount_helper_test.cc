// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line of /sbin/mount.TYPE as util-linux makes it, and what becomes of it.
#include "mount/mount_helper.h"

#include <cerrno>

#include "support/catch.h"

namespace damon_statfs {
namespace {

using Words = std::vector<std::string>;

Result<HelperCall> parse(Words words) {
  words.insert(words.begin(), "/sbin/mount.damon-statfs");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_helper_call(static_cast<int>(words.size()), argv.data());
}

Words with_program(Words words) {
  words.insert(words.begin(), "/sbin/mount.damon-statfs");
  return words;
}

TEST_CASE("names of mount helpers", "[mount_helper]") {
  for (const char* name : {"mount.damon-statfs", "/sbin/mount.damon-statfs", "./mount.x"}) {
    CHECK(is_mount_helper(name));
  }
  for (const char* name : {"damon-statfs", "/opt/mount.d/damon-statfs", "umount.damon-statfs",
                           "/mount.d/", "mount", ""}) {
    CHECK_FALSE(is_mount_helper(name));
  }
}

TEST_CASE("SOURCE, DIR and -o become what damon-statfs takes", "[mount_helper]") {
  const HelperCall call = parse({"damon_stat", "/mnt", "-o", "rw,ops=sim"}).value();
  CHECK(call.arguments == with_program({"-o", "rw,ops=sim", "--", "damon_stat", "/mnt"}));
  CHECK_FALSE(call.fake);
  CHECK_FALSE(call.sloppy);
  CHECK(parse({"a", "/mnt"}).value().arguments == with_program({"--", "a", "/mnt"}));
  CHECK(parse({"a", "/mnt", "-o", "x", "-o", "y"}).value().arguments ==
        with_program({"-o", "x", "-o", "y", "--", "a", "/mnt"}));
}

TEST_CASE("the flags of mount(8)", "[mount_helper]") {
  for (const char* flags : {"-n", "-v", "-nv", "-t", "-N"}) {
    Words words = {"a", "/mnt", flags, "-o", "rw"};
    if (flags[1] == 't') words.insert(words.begin() + 3, "damon-statfs.sub");
    if (flags[1] == 'N') words.insert(words.begin() + 3, "/proc/self/ns/mnt");
    const HelperCall call = parse(words).value();
    CHECK(call.arguments == with_program({"-o", "rw", "--", "a", "/mnt"}));
    CHECK_FALSE(call.fake);
    CHECK_FALSE(call.sloppy);
  }
  const HelperCall call = parse({"a", "/mnt", "-sfnv", "-o", "rw"}).value();
  CHECK(call.fake);
  CHECK(call.sloppy);
  CHECK_FALSE(parse({"a", "/mnt", "-s"}).value().fake);
  CHECK_FALSE(parse({"a", "/mnt", "-f"}).value().sloppy);
}

TEST_CASE("what no helper is given is named", "[mount_helper]") {
  const auto check = [](const Words& words, const char* named) {
    const Result<HelperCall> call = parse(words);
    REQUIRE_FALSE(call);
    CHECK(call.error().code.value() == EINVAL);
    CHECK(call.error().context.find(named) != std::string::npos);
  };
  check({"a", "/mnt", "-x"}, "-x");
  check({"a", "/mnt", "-o"}, "-o");
  check({"a", "/mnt", "-N", "/nonexistent"}, "/nonexistent");
  check({"a", "/mnt", "-N", "/proc/self/ns/net"}, "/proc/self/ns/net");
}

}  // namespace
}  // namespace damon_statfs
