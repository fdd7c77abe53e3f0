// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which line of fstab a mount comes from when mount.fuse has cut its source.
#include "mount/fstab_source.h"

#include "support/catch.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("the source as fstab writes it", "[fstab_source]") {
  TreeFixture tree;
  tree.write("/fstab",
             "# comment\n"
             "damon-statfs#hot /mnt/hot fuse enabled=Y 0 0\n"
             "/opt/damon-statfs#a#b /mnt/two\\040words/ fuse ro 0 0\n"
             "damon-statfs /mnt/none fuse ro 0 0\n"
             "damon-statfs#sub /mnt/sub fuse.damon-statfs ro 0 0\n"
             "sshfs#hot /mnt/other fuse ro 0 0\n");
  const std::string fstab = tree.root() + "/fstab";
  const auto source = [&](const char* name, const char* mountpoint) {
    return source_in_fstab(name, mountpoint, fstab.c_str());
  };
  CHECK(source("hot", "/mnt/hot") == "damon-statfs#hot");
  CHECK(source("a#b", "/mnt/two words") == "/opt/damon-statfs#a#b");
  CHECK(source("", "/mnt/none") == "damon-statfs");
  CHECK(source("cold", "/mnt/hot") == "cold");
  CHECK(source("hot", "/mnt/elsewhere") == "hot");
  CHECK(source("sub", "/mnt/sub") == "sub");
  CHECK(source_in_fstab("hot", "/mnt/hot", (fstab + ".missing").c_str()) == "hot");
}

}  // namespace
}  // namespace damon_statfs::test
