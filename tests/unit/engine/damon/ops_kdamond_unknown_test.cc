// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether other programs use DAMON, or whether what is there is ours, cannot always be found out: a
// file may fail to open for want of descriptors, memory or rights. Unknown never counts as "none".
#include <cerrno>
#include <set>

#include "support/stat_line.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

const int kUnknown[] = {EMFILE, ENFILE, ENOMEM, EACCES, EIO};

// How another user of DAMON shows itself, each out of sight for the other two checks.
using MakeUser = void (*)(KdamondMachine&);
const MakeUser kUsers[] = {
    [](KdamondMachine& machine) { machine.damon->set_module("damon_stat", true); },
    [](KdamondMachine& machine) { machine.damon->set_module("damon_lru_sort", true); },
    [](KdamondMachine& machine) {
      machine.damon->set_file("/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread));
    },
};

// What is read and listed by a start that is refused, but for what only the text of the refusal
// needs.
std::set<std::string> checked_paths(MakeUser make_user) {
  KdamondMachine machine(Kernel::k6_12);
  make_user(machine);
  std::set<std::string> paths = {kKdamonds, "/proc"};
  machine.damon->before_read = [&](FakeDamon&, const std::string& path) {
    if (!path.starts_with(kContext)) paths.insert(path);
  };
  const auto opened = machine.make_set()->open();
  CHECK(failed_with(opened, EBUSY));
  return paths;
}

TEST_CASE("a check that fails hides no other user", "[ops_kdamond][unknown]") {
  for (const MakeUser make_user : kUsers) {
    const std::set<std::string> paths = checked_paths(make_user);
    CHECK(paths.size() > 5);
    for (const std::string& path : paths) {
      for (const int errno_value : kUnknown) {
        CAPTURE(path, errno_value);
        KdamondMachine machine(Kernel::k6_12);
        make_user(machine);
        machine.damon->fail(path, errno_value, 1);
        const auto opened = machine.make_set()->open();
        REQUIRE_FALSE(opened);
        CHECK(opened.error().context.find(path) != std::string::npos);
        CHECK(machine.damon->nr_writes() == 0);
      }
    }
  }
}

TEST_CASE("files that are not there are no users", "[ops_kdamond][unknown]") {
  for (const int errno_value : {ENOENT, ESRCH}) {
    KdamondMachine machine(Kernel::k6_12);
    for (const char* const path : {"/proc/1/stat", "/sys/module/damon_stat/parameters/enabled"}) {
      machine.damon->fail(path, errno_value, 1);
    }
    const auto set = machine.make_set();
    CHECK(set->open());
    set->close();
    CHECK(machine.is_untouched());
  }
}

// A close in which the file of that path fails once. Returns: whether all is stopped
// and unstaged.
bool given_back(const std::string& path, int errno_value, std::optional<std::string>& record) {
  KdamondMachine machine(Kernel::k6_12);
  const auto set = machine.make_set();
  REQUIRE(set->open());
  machine.damon->fail(path, errno_value, 1);
  set->close();
  record = machine.record();
  if (machine.is_untouched()) return true;
  // What stays behind is recorded, so the next start can put it right.
  machine.damon->fail(path, errno_value, 0);
  const auto next = machine.make_set();
  REQUIRE(next->open());
  next->close();
  CHECK(machine.is_untouched());
  return false;
}

TEST_CASE("what is ours stays so if it cannot be checked", "[ops_kdamond][unknown]") {
  for (const std::string& path :
       {kIntervals + "update_us", kNrKdamonds, kState, FakeDamon::admin("0/pid"), kNrContexts}) {
    for (const int errno_value : kUnknown) {
      CAPTURE(path, errno_value);
      std::optional<std::string> record;
      const bool all = given_back(path, errno_value, record);
      REQUIRE(record);
      const bool is_recorded = record->find_first_not_of(" \n") != std::string::npos;
      CHECK(is_recorded == !all);
    }
  }
}

}  // namespace
}  // namespace damon_statfs::test
