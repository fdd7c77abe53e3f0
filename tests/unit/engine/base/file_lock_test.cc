// SPDX-License-Identifier: GPL-2.0-or-later
//
// A lock is for one open file at a time, is waited for as long as its holder is worth it, and ends
// with the descriptor.
#include "engine/base/file_lock.h"

#include <cerrno>
#include <optional>

#include "engine/base/kernel_files.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

struct LockedFile {
  LockedFile() { tree.write("/lock", ""); }
  UniqueFd open_again() const {
    return UniqueFd(open((tree.root() + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  }

  TreeFixture tree;
  FakeClock clock;
};

TEST_CASE("a lock is for one at a time", "[file_lock]") {
  const LockedFile file;
  std::optional<UniqueFd> first = file.open_again();
  const UniqueFd second = file.open_again();
  CHECK(try_lock_file(*first, "/lock").value());
  CHECK(try_lock_file(*first, "/lock").value());  // it has it already
  CHECK_FALSE(try_lock_file(second, "/lock").value());
  first.reset();
  CHECK(try_lock_file(second, "/lock").value());
}

TEST_CASE("a lock is waited for as long as is said after each try", "[file_lock]") {
  const LockedFile file;
  std::optional<UniqueFd> first = file.open_again();
  const UniqueFd second = file.open_again();
  REQUIRE(try_lock_file(*first, "/lock").value());
  const int64_t begun_ns = file.clock.now_ns();
  int asked = 0;
  const auto patience_ns = [&] {
    ++asked;
    return file.clock.now_ns() - begun_ns < 50 * kNsPerMs ? 10 * kNsPerSecond : 100 * kNsPerMs;
  };
  CHECK_FALSE(lock_file(second, "/lock", file.clock, patience_ns).value());
  CHECK(file.clock.now_ns() - begun_ns == 100 * kNsPerMs);
  CHECK(asked == 11);

  const auto release = [&] {
    first.reset();
    return kNsPerSecond;
  };
  CHECK(lock_file(second, "/lock", file.clock, release).value());
  CHECK(lock_file(second, "/lock", file.clock, [] { return int64_t{-1}; }).value());
}

TEST_CASE("what cannot be locked is an error that names the file", "[file_lock]") {
  const FakeClock clock;
  const Result<bool> locked =
      lock_file(UniqueFd(), "/run/x.lock", clock, [] { return kNsPerSecond; });
  REQUIRE(failed_with(locked, EBADF));
  CHECK(locked.error().context.starts_with("/run/x.lock: "));
}

}  // namespace
}  // namespace damon_statfs::test
