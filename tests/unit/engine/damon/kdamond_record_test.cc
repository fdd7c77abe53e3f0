// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which process holds the record: one that can be inspected, or one of another pid namespace, in
// which the same number means another process.
#include "engine/damon/kdamond_record.h"

#include <cerrno>

#include "engine/base/kernel_files.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

constexpr char kNamespace[] = "/proc/self/ns/pid";

std::string stat_of(pid_t pid, char state) {
  return fmt::format("{} (damon-statfs) {} 1 1 1 0 -1 4194560 0\n", pid, state);
}

// Another daemon, pid 77, that has the record.
struct Machine {
  Machine() {
    tree.write(kNamespace, "");
    tree.write("/proc/77/stat", stat_of(77, 'S'));
    held.emplace(KdamondRecord::open(tree.root(), RootedKernelFiles(tree.root()), clock).value());
    KdamondOwnership ownership{"boot", 60'000'123, true, 4'000};
    ownership.owner_pid = 77;
    REQUIRE(held->write(ownership));
  }
  std::string refusal() const {
    const Result<KdamondRecord> record =
        KdamondRecord::open(tree.root(), RootedKernelFiles(tree.root()), clock);
    REQUIRE(failed_with(record, EBUSY));
    return record.error().context;
  }

  TreeFixture tree;
  FakeClock clock;
  std::optional<KdamondRecord> held;
};

TEST_CASE("the refusal names the process that has the record", "[kdamond_record]") {
  const Machine machine;
  const int64_t begun_ns = machine.clock.now_ns();
  CHECK(machine.refusal() == machine.tree.root() +
                                 "/run/damon-statfs/kdamond: another damon-statfs"
                                 " (process 77) is driving a kdamond on this machine");
  CHECK(machine.clock.now_ns() - begun_ns < 3 * kNsPerSecond);
}

TEST_CASE("one that was killed is waited for, by the /proc of rootfs", "[kdamond_record]") {
  Machine machine;
  machine.tree.write("/proc/77/stat", stat_of(77, 'Z'));
  const int64_t begun_ns = machine.clock.now_ns();
  machine.refusal();
  CHECK(machine.clock.now_ns() - begun_ns >= 10 * kNsPerSecond);
}

TEST_CASE("one that is stopping is waited for, also in another namespace", "[kdamond_record]") {
  Machine machine;
  KdamondOwnership stopping = machine.held->read().value().value();
  stopping.ending = true;
  REQUIRE(machine.held->write(stopping));
  const int64_t begun_ns = machine.clock.now_ns();
  machine.refusal();
  CHECK(machine.clock.now_ns() - begun_ns >= 10 * kNsPerSecond);
}

TEST_CASE("a pid of another namespace is not inspected, and said to be one", "[kdamond_record]") {
  Machine machine;
  machine.tree.write("/proc/77/stat", stat_of(77, 'Z'));  // something else of that number
  machine.tree.write("/proc/self/ns/other", "");
  std::filesystem::rename(machine.tree.root() + "/proc/self/ns/other",
                          machine.tree.root() + kNamespace);
  const int64_t begun_ns = machine.clock.now_ns();
  CHECK(machine.refusal().find("(process 77 in another pid namespace") != std::string::npos);
  CHECK(machine.clock.now_ns() - begun_ns < 3 * kNsPerSecond);
}

TEST_CASE("a record without a namespace is that of an older version", "[kdamond_record]") {
  Machine machine;
  machine.tree.write("/run/damon-statfs/kdamond", "boot 60000123 1 4000 77");
  CHECK(machine.held->read().value()->pid == 4'000);
  CHECK(machine.refusal().find("(process 77) is driving") != std::string::npos);
}

}  // namespace
}  // namespace damon_statfs::test
