// SPDX-License-Identifier: GPL-2.0-or-later
//
// What becomes of fstab's words in mount(2): flags, and SELinux's words in the text for FUSE.
#include "fs/fuse_mount.h"

#include <sys/mount.h>

#include "support/catch.h"

namespace damon_statfs {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("flags of mount(2)", "[fuse_mount]") {
  constexpr unsigned long kAlways = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  CHECK(mount_flags(Words{}) == kAlways);
  CHECK(mount_flags(Words{"ro", "noatime"}) == (kAlways | MS_RDONLY | MS_NOATIME));
  CHECK(mount_flags(Words{"sync", "dirsync"}) == (kAlways | MS_SYNCHRONOUS | MS_DIRSYNC));
  CHECK(mount_flags(Words{"nosymfollow"}) == (kAlways | MS_NOSYMFOLLOW));
}

TEST_CASE("SELinux's words are for a kernel with SELinux", "[fuse_mount]") {
  const Words words = {"ro", R"(context="u:r:t:s0:c1,c2")", "rootcontext=a:b:c"};
  const std::string plain = mount_data(7, words, false);
  CHECK(plain == mount_data(7, Words{}, true));
  CHECK(plain.starts_with("fd=7,rootmode=40000,"));
  CHECK(mount_data(7, words, true) == plain + R"(,context="u:r:t:s0:c1,c2",rootcontext=a:b:c)");
}

}  // namespace
}  // namespace damon_statfs
