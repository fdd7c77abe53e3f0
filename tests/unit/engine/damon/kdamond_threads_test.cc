// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which threads are kdamonds and which only look like one: all kdamonds are found, by pid, and no
// other thread.
#include "engine/damon/kdamond_threads.h"

#include "support/catch.h"
#include "support/stat_line.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("all kdamonds are found, by pid", "[kdamond_threads]") {
  const TreeFixture tree{{"/proc/1/stat", stat_line(1, "systemd", kProgram)},
                         {"/proc/1058/stat", stat_line(1058, "kdamond.12", kKernelThread)},
                         {"/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread)},
                         {"/proc/iomem", ""},
                         {"/proc/57x/stat", stat_line(9, "kdamond.8", kKernelThread)},
                         {"/proc/self/stat", stat_line(9, "kdamond.9", kKernelThread)}};
  const RootedKernelFiles files(tree.root());
  const std::vector<KdamondThread> threads = find_kdamond_threads(files).value();
  REQUIRE(threads.size() == 2);
  CHECK(threads[0].pid == 57);
  CHECK(threads[0].name == "kdamond.0");
  CHECK(threads[1].pid == 1058);
  CHECK(threads[1].name == "kdamond.12");
  CHECK(is_kdamond_thread(files, 57).value());
  CHECK_FALSE(is_kdamond_thread(files, 1).value());
  CHECK_FALSE(is_kdamond_thread(files, 58).value());
  CHECK_FALSE(is_kdamond_thread(files, -1).value());
}

TEST_CASE("what is no kdamond", "[kdamond_threads]") {
  const std::string lines[] = {
      stat_line(57, "kdamond.0", kProgram),           // a program that calls itself so
      stat_line(57, "kdamond.0) S 2 0 0", kProgram),  // and one that tries harder
      stat_line(57, "kworker/0:1", kKernelThread),    //
      stat_line(57, "not kdamond.0", kKernelThread),  //
      stat_line(57, "x (kdamond.0", kProgram),        //
      "",                                             // it ended while being read
      "57 (kdamond.0) S",                             // cut
      "57 kdamond.0 S 2 0 0 0 -1 2129984",            // no parentheses
      "57 (kdamond.0",                                //
  };
  for (const std::string& line : lines) {
    CAPTURE(line);
    const TreeFixture tree{{"/proc/57/stat", line}};
    const RootedKernelFiles files(tree.root());
    CHECK(find_kdamond_threads(files).value().empty());
    CHECK_FALSE(is_kdamond_thread(files, 57).value());
    CHECK_FALSE(kdamond_name(line));
  }
  CHECK(kdamond_name(stat_line(57, "kdamond.0", kKernelThread)) == "kdamond.0");
  const TreeFixture empty;
  CHECK(find_kdamond_threads(RootedKernelFiles(empty.root())).value().empty());
}

}  // namespace
}  // namespace damon_statfs::test
