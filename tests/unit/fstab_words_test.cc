// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every generic word that mount(8), systemd and other filesystems' habits bring, and none more: a
// misspelt option that passes as a generic word would be ignored in silence.
#include "mount/fstab_words.h"

#include "support/catch.h"

namespace damon_statfs {
namespace {

void check_all(std::initializer_list<const char*> words, FstabWord meaning) {
  for (const char* const word : words) {
    CAPTURE(word);
    CHECK(classify_fstab_word(word) == meaning);
  }
}

TEST_CASE("what generic words mean", "[fstab_words]") {
  check_all({"rw",       "dev",      "suid",     "exec",      "nodev",       "nosuid",
             "noexec",   "auto",     "noauto",   "user",      "users",       "nouser",
             "owner",    "group",    "nofail",   "_netdev",   "defaults",    "relatime",
             "async",    "comment=", "x-a.b=c",  "X-mount.x", "allow_other", "default_permissions",
             "lazytime", "fsname=x", "subtype=", "comment=hi"},
            FstabWord::kSilent);
  check_all({"ro", "noatime"}, FstabWord::kMount);
  check_all({"uid=5", "gid=5", "umask=022", "auto_unmount", "allow_root", "max_read=4096"},
            FstabWord::kIgnored);
  check_all({"remount"}, FstabWord::kRemount);
}

TEST_CASE("what is no generic word", "[fstab_words]") {
  check_all({"", "foo", "foo=bar", "r", "rww", "RO", "devs", "nofail2", "uid", "comments=hi",
             "allow_otherx", "allow_rootx", "auto_unmountx", "remountx", "xfoo", "enabled=Y"},
            FstabWord::kUnknown);
}

}  // namespace
}  // namespace damon_statfs
