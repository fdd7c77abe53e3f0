// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files of the kernel when the program runs out of something: what cannot be read is an error and
// never an empty answer, descriptors are not kept, and a failed allocation is an exception.
#include "engine/base/kernel_files.h"

#include <cerrno>
#include <filesystem>
#include <new>

#include "engine/base/memory_ranges.h"
#include "engine/damon/damon_admin.h"
#include "engine/damon/damon_users.h"
#include "engine/page_idle/idle_flag_users.h"
#include "support/fail_limits.h"
#include "support/failing_allocations.h"
#include "support/fake_clock.h"
#include "support/stat_line.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

size_t nr_descriptors() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

TEST_CASE("a directory is listed whole, or not at all", "[kernel_files]") {
  TreeFixture tree{{"/d/a", ""}, {"/d/b/c", ""}};
  const RootedKernelFiles files(tree.root());
  Result<std::vector<std::string>> names = files.list("/d");
  REQUIRE(names);
  std::sort(names.value().begin(), names.value().end());
  CHECK(names.value() == std::vector<std::string>{"a", "b"});
  CHECK(failed_with(files.list("/d/a"), ENOTDIR));
  CHECK(failed_with(files.list("/e"), ENOENT));
  for (const char* const missing : {"/d/a", "/e"}) {
    CHECK(list_if_there(files, missing).value().empty());
    CHECK_FALSE(read_if_there(files, std::string(missing) + "/x").value());
  }
  const NoDescriptors none;
  const auto full = list_if_there(files, "/d");
  REQUIRE(failed_with(full, EMFILE));
  CHECK(full.error().context.starts_with("/d: "));
  CHECK(failed_with(read_if_there(files, "/d/a"), EMFILE));
}

TEST_CASE("what is said of a file that is missing", "[kernel_files]") {
  TreeFixture tree;
  const RootedKernelFiles files(tree.root());
  const std::string path = "/sys/kernel/mm/page_idle/bitmap";
  CHECK(why_missing(files, path, "no CONFIG_X") == "/sys is not mounted");
  CHECK(why_missing(files, "/proc/kpageflags", "no CONFIG_X") == "/proc is not mounted");
  tree.write("/sys/kernel/uevent_seqnum", "");
  tree.write("/proc/1/stat", "");
  CHECK(why_missing(files, path, "no CONFIG_X") == "no CONFIG_X");
  CHECK(why_missing(files, "/proc/kpageflags", "no CONFIG_X") == "no CONFIG_X");
}

TEST_CASE("a check whether a file can be written changes nothing", "[kernel_files]") {
  TreeFixture tree{{"/sys/a", "text"}};
  const RootedKernelFiles files(tree.root());
  REQUIRE(files.check_writable("/sys/a"));
  CHECK(files.read("/sys/a").value() == "text");
  CHECK(failed_with(files.check_writable("/sys/b"), ENOENT));
  CHECK_FALSE(std::filesystem::exists(tree.root() + "/sys/b"));
}

TEST_CASE("no descriptor: no program is taken for the only user", "[kernel_files]") {
  const TreeFixture tree{{"/proc/iomem", "10000000-28ffffff : System RAM\n"},
                         {"/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread)}};
  CHECK(failed_with(refuse_running_kdamonds(RootedKernelFiles(tree.root())), EBUSY));
  const NoDescriptors none;
  const Result<void> alone = refuse_running_kdamonds(RootedKernelFiles(tree.root()));
  REQUIRE(failed_with(alone, EMFILE));
  CHECK(alone.error().context.find("cannot be found out: ") != std::string::npos);
  CHECK(failed_with(refuse_locked_idle_flags(tree.root()), EMFILE));
  CHECK(failed_with(read_system_ram(RootedKernelFiles(tree.root())), EMFILE));
}

TEST_CASE("one failed allocation is an exception, not the end", "[kernel_files]") {
  const TreeFixture tree{{"/proc/1/stat", stat_line(1, "systemd", kProgram)},
                         {"/proc/iomem", "10000000-28ffffff : System RAM\n"},
                         {"/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread)}};
  for (int64_t number = 0;; ++number) {
    CAPTURE(number);
    REQUIRE(number < 1'000);
    bool refused = false, thrown = false;
    size_t nr_ranges = 0;
    {
      const FailingAllocation failing(number);
      try {
        refused = !refuse_running_kdamonds(RootedKernelFiles(tree.root()));
        nr_ranges = read_system_ram(RootedKernelFiles(tree.root())).value().size();
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      if (!FailingAllocation::has_failed()) break;
    }
    CHECK((thrown || (refused && nr_ranges == 1)));
  }
}

// Another program's commands follow each other 2 ms apart, each of which takes a second.
TEST_CASE("a lock that is free for an instant per second is taken at once", "[kernel_files]") {
  FakeClock clock;
  const int64_t began_ns = clock.now_ns();
  const auto take = [&]() -> Result<void> {
    if ((clock.now_ns() - began_ns) % (kNsPerSecond + 2 * kNsPerMs) >= kNsPerSecond) {
      return outcome::success();
    }
    return failure(EBUSY, "busy");
  };
  CHECK(retry_busy(clock, 5 * kNsPerSecond, take));
  CHECK(clock.now_ns() - began_ns <= kNsPerSecond + 2 * kNsPerMs);
  clock.advance(2 * kNsPerMs);
  CHECK(failed_with(retry_busy(clock, kNsPerSecond / 2, take), EBUSY));
}

TEST_CASE("hundreds of ranges take no descriptors", "[kernel_files]") {
  KdamondMachine machine(Kernel::k6_15);
  machine.context.ram.kind = RamSelection::Kind::kRanges;
  for (uint64_t i = 0; i < 600; ++i) {
    machine.context.ram.ranges.push_back({kRamStart + 8'192 * i, kRamStart + 8'192 * i + 4'096});
  }
  const auto set = machine.make_set();
  REQUIRE(set->open());
  TreeFixture tree;
  for (const auto& [path, text] : machine.damon->staged()) tree.write(path, text + "\n");

  const RootedKernelFiles files(tree.root());
  const std::string mark = machine.damon->content(kIntervals + "update_us");
  const DamonAdmin admin(files, machine.clock, std::stoull(mark));
  const Kdamond& kdamond = admin.kdamond(0);
  KdamondSetup setup{normalised(machine.context.attrs), machine.context.ram.ranges, true,
                     machine.context.attrs.sample_us};
  const size_t before = nr_descriptors();
  const Result<void> verified = kdamond.verify(setup);
  CAPTURE(verified ? "" : verified.error().context);
  REQUIRE(verified);
  CHECK(nr_descriptors() <= before + 2);
  set->close();
}

}  // namespace
}  // namespace damon_statfs::test
