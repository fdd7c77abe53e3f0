// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is asked of a mountpoint before anything is mounted. Dead mounts and mounts of ours are in
// the tests of a real mount.
#include "mount/mountpoint.h"

#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "damon_statfs/mirror.h"
#include "engine/base/run_files.h"
#include "support/catch.h"
#include "support/forked.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

int errno_of(const Result<void>& result) { return result ? 0 : result.error().code.value(); }

TEST_CASE("a mountpoint is claimed by its absolute path, without links", "[mountpoint]") {
  TreeFixture tree({{"/mnt/there", ""}, {"/file", ""}});
  tree.link("/link", "mnt");
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(tree.root());
  const std::string wanted = std::filesystem::canonical(tree.root() + "/mnt");
  for (const std::string& path :
       {tree.root() + "/mnt", tree.root() + "/mnt//", tree.root() + "/link", std::string("mnt"),
        std::string("./link/../mnt/."), std::string("link/")}) {
    CAPTURE(path);
    const Result<ClaimedMountpoint> claimed = claim_mountpoint(path, tree.root());
    REQUIRE(claimed);
    CHECK(claimed.value().path == wanted);
    CHECK(claimed.value().lock);
    CHECK(claimed.value().unlocked_why.empty());
  }
  std::filesystem::current_path(before);
}

TEST_CASE("what is no directory is not claimed, and is named", "[mountpoint]") {
  TreeFixture tree({{"/file", ""}});
  tree.link("/dangling", "nowhere");
  for (const auto& [name, errno_value] : {std::pair{"/file", ENOTDIR},
                                          {"/missing", ENOENT},
                                          {"/dangling", ENOENT},
                                          {"/missing/x", ENOENT}}) {
    CAPTURE(name);
    const std::string path = tree.root() + name;
    const Result<ClaimedMountpoint> claimed = claim_mountpoint(path, tree.root());
    REQUIRE_FALSE(claimed);
    CHECK(claimed.error().code.value() == errno_value);
    CHECK(claimed.error().context.find(name) != std::string::npos);
    CHECK(errno_of(check_mountpoint(path)) == errno_value);
  }
  CHECK(errno_of(check_mountpoint(tree.root())) == 0);
}

TEST_CASE("without a place for the lock it is claimed all the same, and why is told",
          "[mountpoint]") {
  TreeFixture tree({{"/run", "no directory"}});
  const Result<ClaimedMountpoint> claimed = claim_mountpoint(tree.root(), tree.root());
  REQUIRE(claimed);
  CHECK_FALSE(claimed.value().lock);
  CHECK(claimed.value().unlocked_why.find("/run") != std::string::npos);
}

TEST_CASE("a start waits for another one that is just being made", "[mountpoint]") {
  TreeFixture tree;
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  REQUIRE(open_run_file(tree.root(), "mount.lock"));
  const pid_t other = start_child([&] {
    const UniqueFd lock = std::move(open_run_file(tree.root(), "mount.lock").value());
    if (flock(lock.get(), LOCK_EX) != 0 || write(writer.get(), "l", 1) != 1) return 1;
    usleep(50'000);
    return write(writer.get(), "e", 1) == 1 ? 0 : 1;
  });
  char byte = 0;
  while (read(reader.get(), &byte, 1) != 1) usleep(1'000);
  REQUIRE(byte == 'l');
  CHECK(claim_mountpoint(tree.root(), tree.root()));
  CHECK(read(reader.get(), &byte, 1) == 1);  // the other one had come to its end
  CHECK(byte == 'e');
  CHECK(end_of(other) == 0);
}

TEST_CASE("what lies below a directory", "[mountpoint]") {
  CHECK(is_below("/a", "/a"));
  CHECK(is_below("/a/b", "/a"));
  CHECK(is_below("/a", "/"));
  CHECK(is_below("/", "/"));
  CHECK_FALSE(is_below("/ab", "/a"));
  CHECK_FALSE(is_below("/", "/a"));
  CHECK_FALSE(is_below("/a", "/a/b"));
}

TEST_CASE("a mount that would hide what the daemon reads is refused", "[mountpoint]") {
  const TreeFixture tree;
  const std::string root = std::filesystem::canonical(tree.root());
  const auto refused = [&](const std::string& path, const char* damon_stat_use = "") {
    return errno_of(check_hides_nothing(root + path, root, damon_stat_use)) == EINVAL;
  };
  for (const char* path :
       {"", "/proc", "/proc/x", "/sys", "/sys/kernel/mm", "/sys/kernel/mm/damon",
        "/sys/kernel/tracing/x", "/sys/module/damon_stat", "/dev", "/run", "/run/damon-statfs"}) {
    CAPTURE(path);
    CHECK(refused(path));
  }
  for (const char* path : {"/mnt", "/process", "/dev/x", "/run/damon_stat", "/sys/module/other",
                           "/run/damon-statfs/x", kDamonStatDirectory}) {
    CAPTURE(path);
    CHECK_FALSE(refused(path));
  }
  constexpr char kUse[] = "ops=damon_stat mirrors";
  CHECK(refused(kDamonStatDirectory, kUse));
  CHECK_FALSE(refused("/mnt", kUse));
  const Result<void> why = check_hides_nothing(root + kDamonStatDirectory, root, kUse);
  CHECK(why.error().context.find("ops=damon_stat mirrors this directory") != std::string::npos);
}

TEST_CASE("what is no mount of ours is not asked, and not remounted", "[mountpoint]") {
  const TreeFixture tree;
  for (const std::string& path : {tree.root(), std::string("/proc")}) {
    const Result<std::string> ours = our_mountpoint(path);
    REQUIRE_FALSE(ours);
    CHECK(ours.error().code.value() == EINVAL);
    CHECK(ours.error().context == path + ": no damon-statfs is mounted there");
    CHECK(errno_of(remount(path, {"ro"})) == EINVAL);
  }
  const Result<std::string> missing = our_mountpoint(tree.root() + "/missing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code.value() == ENOENT);
}

}  // namespace
}  // namespace damon_statfs::test
