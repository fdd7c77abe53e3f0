// SPDX-License-Identifier: GPL-2.0-or-later
//
// Two users of the idle flags destroy each other's results: both kinds of other users have to be
// found, and no other program taken for one.
#include "engine/page_idle/idle_flag_users.h"

#include <cerrno>

#include "support/catch.h"
#include "support/stat_line.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("a running kdamond is named", "[idle_flag_users]") {
  const TreeFixture tree{{"/proc/1/stat", stat_line(1, "systemd", kProgram)},
                         {"/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread)},
                         {"/proc/iomem", ""},
                         {"/proc/self/stat", stat_line(9, "kdamond.9", kKernelThread)}};
  const Result<void> alone = refuse_running_kdamonds(RootedKernelFiles(tree.root()));
  REQUIRE_FALSE(alone);
  CHECK(alone.error().code.value() == EBUSY);
  CAPTURE(alone.error().context);
  CHECK(alone.error().context.find("kdamond.0") != std::string::npos);
  CHECK(alone.error().context.find("57") != std::string::npos);
  CHECK(alone.error().context.find("kdamond.9") == std::string::npos);
}

TEST_CASE("all of several kdamonds are named", "[idle_flag_users]") {
  const TreeFixture tree{{"/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread)},
                         {"/proc/1058/stat", stat_line(1058, "kdamond.12", kKernelThread)}};
  const Result<void> alone = refuse_running_kdamonds(RootedKernelFiles(tree.root()));
  REQUIRE_FALSE(alone);
  CAPTURE(alone.error().context);
  for (const char* const named : {"kdamond.0", "57", "kdamond.12", "1058"}) {
    CHECK(alone.error().context.find(named) != std::string::npos);
  }
}

TEST_CASE("users that only sysfs shows", "[idle_flag_users]") {
  struct Row {
    const char* path;
    const char* content;
    const char* named;  // nullptr: no reason to refuse
  };
  const Row rows[] = {
      {"/sys/module/damon_stat/parameters/enabled", "Y\n", "damon_stat"},
      {"/sys/module/damon_reclaim/parameters/enabled", "Y\n", "damon_reclaim"},
      {"/sys/module/damon_lru_sort/parameters/enabled", "Y\n", "damon_lru_sort"},
      {"/sys/module/damon_stat/parameters/enabled", "N\n", nullptr},
      {"/sys/kernel/mm/damon/admin/kdamonds/3/state", "on\n", "3"},
      {"/sys/kernel/mm/damon/admin/kdamonds/3/state", "off\n", nullptr},
      {"/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", "1\n", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path, row.content);
    const TreeFixture tree{{row.path, row.content}};
    const Result<void> alone = refuse_running_kdamonds(RootedKernelFiles(tree.root()));
    REQUIRE(alone.has_value() == (row.named == nullptr));
    if (alone) continue;
    CHECK(alone.error().code.value() == EBUSY);
    CHECK(alone.error().context.find(row.named) != std::string::npos);
  }
}

TEST_CASE("no user of the idle flags runs", "[idle_flag_users]") {
  const TreeFixture program{{"/proc/57/stat", stat_line(57, "kdamond.0", kProgram)}};
  CHECK(refuse_running_kdamonds(RootedKernelFiles(program.root())));
  const TreeFixture empty;
  CHECK(refuse_running_kdamonds(RootedKernelFiles(empty.root())));
}

TEST_CASE("the lock is for one at a time", "[idle_flag_users]") {
  const TreeFixture tree;
  CHECK(refuse_locked_idle_flags(tree.root()));
  CHECK_FALSE(std::filesystem::exists(tree.root() + "/run"));  // a check of the lock makes no file
  {
    const Result<UniqueFd> first = lock_idle_flags(tree.root());
    REQUIRE(first);
    const Result<UniqueFd> second = lock_idle_flags(tree.root());
    REQUIRE_FALSE(second);
    CHECK(second.error().code.value() == EBUSY);
    CHECK(second.error().context.find("/run/damon-statfs/page_idle.lock") != std::string::npos);
    const Result<void> refusal = refuse_locked_idle_flags(tree.root());
    REQUIRE_FALSE(refusal);
    CHECK(refusal.error().code.value() == EBUSY);
  }
  CHECK(refuse_locked_idle_flags(tree.root()));
  CHECK(lock_idle_flags(tree.root()));  // a lock file left behind locks no process out
}

TEST_CASE("a lock file that is a symbolic link is not followed", "[idle_flag_users]") {
  TreeFixture tree{{"/target", "precious"}};
  tree.link("/run/damon-statfs/page_idle.lock", tree.root() + "/target");
  CHECK_FALSE(lock_idle_flags(tree.root()));
}

}  // namespace
}  // namespace damon_statfs::test
