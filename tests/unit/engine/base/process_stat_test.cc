// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of /proc/PID/stat, whose second field is chosen by the program that they describe.
#include "engine/base/process_stat.h"

#include "support/catch.h"
#include "support/stat_line.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("what a process is", "[process_stat]") {
  const auto thread = parse_process_stat(stat_line(57, "kdamond.0", kKernelThread));
  REQUIRE(thread);
  CHECK(thread->name == "kdamond.0");
  CHECK(thread->state == 'S');
  CHECK(thread->is_kernel_thread());
  const auto zombie = parse_process_stat("1 (a) Z 1 1 1 0 -1 4194560 0");
  REQUIRE(zombie);
  CHECK(zombie->state == 'Z');
  CHECK_FALSE(zombie->is_kernel_thread());
}

TEST_CASE("names that look like the rest of the line", "[process_stat]") {
  for (const char* const name : {"", ")", "(", "a) Z 1 1", ") S 2 0 0 0 -1 2129984 (", "a\nb"}) {
    CAPTURE(name);
    const auto stat = parse_process_stat(stat_line(57, name, kProgram));
    REQUIRE(stat);
    CHECK(stat->name == name);
    CHECK_FALSE(stat->is_kernel_thread());
  }
}

TEST_CASE("lines that say nothing", "[process_stat]") {
  for (const char* const line : {
           "",
           "57",
           "57 (kdamond.0",
           "57 kdamond.0) S 2 0 0 0 -1 2129984",
           "57 )kdamond.0( S 2 0 0 0 -1 2129984",
           "57 (kdamond.0)",
           "57 (kdamond.0) S 2 0 0 0 -1",
           "57 (kdamond.0) SS 2 0 0 0 -1 2129984",
           "57 (kdamond.0) S 2 0 0 x -1 2129984",
           "57 (kdamond.0) S 2 0 0 0 -1 -2129984",
           "57 (kdamond.0) S 2 0 0 0 -1 99999999999999999999",
       }) {
    CAPTURE(line);
    CHECK_FALSE(parse_process_stat(line));
  }
}

}  // namespace
}  // namespace damon_statfs::test
