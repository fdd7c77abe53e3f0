// SPDX-License-Identifier: GPL-2.0-or-later
//
// What another user may have put into the daemon's directory is neither believed nor written.
#include "engine/base/run_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/kernel_files.h"
#include "engine/damon/kdamond_record.h"
#include "engine/page_idle/idle_flag_users.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

constexpr uid_t kOther = 12'345;
constexpr char kDirectory[] = "/run/damon-statfs";
constexpr char kFile[] = "/run/damon-statfs/kdamond";

std::string content(const std::string& path) {
  const Result<std::string> text = RootedKernelFiles("").read_whole(path);
  return text ? text.value() : "missing";
}

TEST_CASE("a file and its directory are made for their user alone", "[run_files]") {
  const TreeFixture tree;
  const mode_t before = umask(0);
  const Result<UniqueFd> file = open_run_file(tree.root(), "kdamond");
  umask(before);
  REQUIRE(file);
  struct stat info {};
  REQUIRE(stat((tree.root() + kDirectory).c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0755);
  REQUIRE(stat((tree.root() + kFile).c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(open_run_file(tree.root(), "kdamond"));  // again
}

TEST_CASE("what is not there is not made by an attempt to open it", "[run_files]") {
  TreeFixture tree;
  CHECK_FALSE(open_existing_run_file(tree.root(), "kdamond").value());
  CHECK_FALSE(std::filesystem::exists(tree.root() + "/run"));
  tree.write("/run", "");
  CHECK_FALSE(open_existing_run_file(tree.root(), "kdamond").value());
}

// A way in which another user had a hand in the file, and what the refusal says of it.
struct Fault {
  const char* says;
  std::function<void(TreeFixture&)> make;
};

std::vector<Fault> faults() {
  const auto at = [](const TreeFixture& tree, const char* path) { return tree.root() + path; };
  return {
      {"has another name",
       [=](TreeFixture& tree) {
         REQUIRE(link(at(tree, "/victim").c_str(), at(tree, kFile).c_str()) == 0);
       }},
      {"Too many levels of symbolic links",
       [=](TreeFixture& tree) { tree.link(kFile, at(tree, "/victim")); }},
      {"is no regular file",
       [=](TreeFixture& tree) { REQUIRE(mkfifo(at(tree, kFile).c_str(), 0600) == 0); }},
      {"other users",
       [=](TreeFixture& tree) {
         tree.write(kFile, content(at(tree, "/victim")));
         REQUIRE(chmod(at(tree, kFile).c_str(), 0620) == 0);
       }},
      {"other users",
       [=](TreeFixture& tree) { REQUIRE(chmod(at(tree, kDirectory).c_str(), 0777) == 0); }},
      {"another user",
       [=](TreeFixture& tree) {
         tree.write(kFile, content(at(tree, "/victim")));
         REQUIRE(chown(at(tree, kFile).c_str(), kOther, kOther) == 0);
       }},
      {"another user",
       [=](TreeFixture& tree) { REQUIRE(chown(at(tree, kDirectory).c_str(), kOther, 0) == 0); }},
      {"Not a directory",
       [=](TreeFixture& tree) {
         std::filesystem::rename(at(tree, kDirectory), at(tree, "/elsewhere"));
         tree.link(kDirectory, at(tree, "/elsewhere"));
       }},
  };
}

TEST_CASE("a file that another program had a hand in is refused", "[run_files]") {
  const std::string record(128, 'x');
  for (const Fault& fault : faults()) {
    CAPTURE(fault.says);
    TreeFixture tree{{"/victim", record}};
    std::filesystem::create_directories(tree.root() + kDirectory);
    if (geteuid() != 0 && std::string(fault.says) == "another user") continue;
    fault.make(tree);
    const Result<UniqueFd> file = open_run_file(tree.root(), "kdamond");
    REQUIRE_FALSE(file);
    CAPTURE(file.error().context);
    CHECK(file.error().context.find(kDirectory) != std::string::npos);
    CHECK(file.error().context.find(fault.says) != std::string::npos);
    FakeClock clock;
    CHECK_FALSE(KdamondRecord::open(tree.root(), RootedKernelFiles(tree.root()), clock));
    CHECK(content(tree.root() + "/victim") == record);
  }
}

TEST_CASE("the locks are such files, too", "[run_files]") {
  TreeFixture tree{{"/victim", ""}};
  std::filesystem::create_directories(tree.root() + kDirectory);
  REQUIRE(link((tree.root() + "/victim").c_str(),
               (tree.root() + "/run/damon-statfs/page_idle.lock").c_str()) == 0);
  CHECK(failed_with(lock_idle_flags(tree.root()), EPERM));
  CHECK(failed_with(refuse_locked_idle_flags(tree.root()), EPERM));
}

}  // namespace
}  // namespace damon_statfs::test
