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
  check_all({"ro", "noatime", "nosymfollow", "context=c", "rootcontext=c"}, FstabWord::kMount);
  check_all({"uid=5", "gid=5", "umask=022", "auto_unmount", "allow_root", "max_read=4096"},
            FstabWord::kIgnored);
  check_all({"remount"}, FstabWord::kRemount);
}

// mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS, of util-linux 2.38, 2.39, 2.40 and 2.41, and the
// words that these pass on without a paragraph of their own.
TEST_CASE("every generic word of util-linux 2.38 to 2.41 is known", "[fstab_words]") {
  for (const char* const word : {"async",
                                 "atime",
                                 "noatime",
                                 "auto",
                                 "noauto",
                                 "context=c",
                                 "fscontext=c",
                                 "defcontext=c",
                                 "rootcontext=c",
                                 "rootcontext=@target",
                                 "defaults",
                                 "dev",
                                 "nodev",
                                 "diratime",
                                 "nodiratime",
                                 "dirsync",
                                 "exec",
                                 "noexec",
                                 "group",
                                 "iversion",
                                 "noiversion",
                                 "mand",
                                 "nomand",
                                 "_netdev",
                                 "nofail",
                                 "relatime",
                                 "norelatime",
                                 "strictatime",
                                 "nostrictatime",
                                 "lazytime",
                                 "nolazytime",
                                 "suid",
                                 "nosuid",
                                 "silent",
                                 "loud",
                                 "owner",
                                 "remount",
                                 "ro",
                                 "rw",
                                 "sync",
                                 "user",
                                 "nouser",
                                 "users",
                                 "X-any.thing",
                                 "x-any.thing",
                                 "nosymfollow",
                                 "X-mount.mkdir",
                                 "X-mount.mkdir=0700",
                                 "x-mount.mkdir",
                                 "X-mount.subdir=d",
                                 "X-mount.auto-fstypes=ext4",
                                 "X-mount.owner=u",
                                 "X-mount.group=g",
                                 "X-mount.mode=0700",
                                 "X-mount.idmap=m",
                                 "X-mount.nocanonicalize",
                                 "X-mount.nocanonicalize=source",
                                 "X-mount.noloop"}) {
    CAPTURE(word);
    CHECK(classify_fstab_word(word) != FstabWord::kUnknown);
    CHECK(classify_fstab_word(word) != FstabWord::kIgnored);
  }
  for (const char* const word :
       {"symfollow", "nousers",       "noowner",     "nogroup",    "user=me",     "comment=c",
        "helper=x",  "uhelper=x",     "seclabel",    "private",    "rprivate",    "shared",
        "rshared",   "slave",         "rslave",      "unbindable", "runbindable", "sub",
        "nosub",     "smackfsroot=x", "smackfsdef=x"}) {
    CAPTURE(word);
    CHECK(classify_fstab_word(word) != FstabWord::kUnknown);
  }
}

TEST_CASE("since util-linux 2.39 a word may say where it holds", "[fstab_words]") {
  for (const char* const word :
       {"rw", "exec", "noexec", "suid", "nosuid", "dev", "nodev", "atime", "diratime", "nodiratime",
        "relatime", "norelatime", "strictatime", "nostrictatime", "symfollow"}) {
    CAPTURE(word);
    for (const char* const scope : {"=recursive", "=vfs", "=fs"}) {
      CHECK(classify_fstab_word(std::string(word) + scope) == FstabWord::kSilent);
      CHECK(without_scope(std::string(word) + scope) == word);
    }
  }
  check_all({"ro=recursive", "ro=vfs", "ro=fs", "noatime=recursive", "nosymfollow=recursive"},
            FstabWord::kMount);
  check_all({"ro=", "ro=no", "ro=recursiv", "=recursive", "recursive", "sync=recursive",
             "foo=recursive", "remount=recursive"},
            FstabWord::kUnknown);
  CHECK(without_scope("ro") == "ro");
  CHECK(without_scope("x-a=recursive") == "x-a=recursive");
}

TEST_CASE("what is no generic word", "[fstab_words]") {
  check_all({"", "foo", "foo=bar", "r", "rww", "RO", "devs", "nofail2", "uid", "comments=hi",
             "allow_otherx", "allow_rootx", "auto_unmountx", "remountx", "xfoo", "enabled=Y"},
            FstabWord::kUnknown);
}

}  // namespace
}  // namespace damon_statfs
