// SPDX-License-Identifier: GPL-2.0-or-later
//
// The process that holds a lock is found, and none is found where no process holds it.
#include "engine/base/lock_owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "engine/damon/kdamond_record.h"
#include "engine/page_idle/idle_flag_users.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("who holds a lock", "[lock_owner]") {
  TreeFixture tree;
  tree.write("/a.lock", "");
  tree.write("/b.lock", "");
  const UniqueFd holder(open((tree.root() + "/a.lock").c_str(), O_RDWR | O_CLOEXEC));
  const UniqueFd asker(open((tree.root() + "/a.lock").c_str(), O_RDWR | O_CLOEXEC));
  const UniqueFd other(open((tree.root() + "/b.lock").c_str(), O_RDWR | O_CLOEXEC));
  CHECK(lock_owner_text(asker).empty());
  REQUIRE(flock(holder.get(), LOCK_EX) == 0);
  CHECK(lock_owner_text(asker) == fmt::format(" (process {})", getpid()));
  CHECK(lock_owner_text(other).empty());
  CHECK(lock_owner_text(UniqueFd()).empty());
}

TEST_CASE("a lock's line among others", "[lock_owner]") {
  const std::string other = "1: POSIX  ADVISORY  WRITE 4710 00:1a:123 0 EOF\n";
  const std::string waiting = "2: -> FLOCK  ADVISORY  WRITE 4712 00:1a:123 0 EOF\n";
  const std::string ours = "2: FLOCK  ADVISORY  WRITE 4711 00:1a:123 0 EOF\n";
  CHECK(flock_owner(other + waiting + ours, "00:1a:123") == 4711);
  CHECK_FALSE(flock_owner(other + waiting, "00:1a:123"));
  CHECK_FALSE(flock_owner(ours, "00:1a:12"));
  CHECK_FALSE(flock_owner(ours, ""));
  for (const char* const line :
       {"", "\n\n", "2:", "2: FLOCK", "2: FLOCK  ADVISORY  WRITE", "2: FLOCK  ADVISORY  WRITE 4711",
        "FLOCK ADVISORY WRITE 1 00:1a:123", "2: FLOCK  ADVISORY  WRITE x 00:1a:123",
        "2: FLOCK  ADVISORY  WRITE 0 00:1a:123", "2: FLOCK  ADVISORY  WRITE -1 00:1a:123",
        "2: FLOCK  ADVISORY  WRITE 99999999999 00:1a:123"}) {
    CAPTURE(line);
    CHECK_FALSE(flock_owner(line, "00:1a:123"));
  }
}

TEST_CASE("the refusal of locked idle flags names the process", "[lock_owner]") {
  const TreeFixture tree;
  const Result<UniqueFd> held = lock_idle_flags(tree.root());
  REQUIRE(held);
  for (const std::string& text : {lock_idle_flags(tree.root()).error().context,
                                  refuse_locked_idle_flags(tree.root()).error().context}) {
    CHECK(text.find(fmt::format("another damon-statfs (process {}) is", getpid())) !=
          std::string::npos);
  }
}

TEST_CASE("the refusal of a locked record of kdamonds names the process", "[lock_owner]") {
  const TreeFixture tree;
  const FakeClock clock;
  const Result<KdamondRecord> held =
      KdamondRecord::open(tree.root(), RootedKernelFiles(tree.root()), clock);
  REQUIRE(held);
  const Result<KdamondRecord> refused =
      KdamondRecord::open(tree.root(), RootedKernelFiles(tree.root()), clock);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code.value() == EBUSY);
  CHECK(refused.error().context.find(fmt::format("another damon-statfs (process {}) is driving",
                                                 getpid())) != std::string::npos);
}

}  // namespace
}  // namespace damon_statfs::test
