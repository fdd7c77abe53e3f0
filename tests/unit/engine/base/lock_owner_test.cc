// SPDX-License-Identifier: GPL-2.0-or-later
//
// The process that holds a lock is found, and nobody is where nobody holds it.
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
  const Result<KdamondRecord> held = KdamondRecord::open(tree.root(), clock);
  REQUIRE(held);
  const Result<KdamondRecord> refused = KdamondRecord::open(tree.root(), clock);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code.value() == EBUSY);
  CHECK(refused.error().context.find(fmt::format("another damon-statfs (process {}) is driving",
                                                 getpid())) != std::string::npos);
}

}  // namespace
}  // namespace damon_statfs::test
