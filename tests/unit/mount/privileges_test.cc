// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which capabilities are kept for which needs, and that the others are really gone. What only root
// can try is left out for other users.
#include "mount/privileges.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "support/catch.h"
#include "support/forked.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

bool is_root() { return geteuid() == 0; }

// Whether this thread has the capability, in that set.
bool has(cap_value_t capability, cap_flag_t flag) {
  const cap_t caps = cap_get_proc();
  cap_flag_value_t value = CAP_CLEAR;
  cap_get_flag(caps, capability, flag, &value);
  cap_free(caps);
  return value == CAP_SET;
}

TEST_CASE("each need has its capability, and no other", "[privileges]") {
  using Caps = std::vector<cap_value_t>;
  const auto needed = [](Needs needs) {
    Caps caps = needed_capabilities(needs);
    std::sort(caps.begin(), caps.end());
    return caps;
  };
  const auto sorted = [](Caps caps) {
    std::sort(caps.begin(), caps.end());
    return caps;
  };
  for (const char* ops : {"sim", "page_idle", "damon_stat"}) {
    CHECK(needed({.ops = ops}) == Caps{CAP_SYS_ADMIN});
  }
  for (const char* ops : {"auto", "kdamond", "observe"}) {
    CHECK(needed({.ops = ops}) == sorted({CAP_SYS_ADMIN, CAP_IPC_LOCK}));
  }
  CHECK(needed({.ops = "page_idle", .rootfs = true}) == sorted({CAP_SYS_ADMIN, CAP_DAC_OVERRIDE}));
  CHECK(needed({.ops = "page_idle", .foreign_files = true}) ==
        sorted({CAP_SYS_ADMIN, CAP_DAC_OVERRIDE}));
  CHECK(needed({.ops = "sim", .hidden_mountpoint = true}) ==
        sorted({CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH}));
  CHECK(needed({.ops = "page_idle", .hidden_processes = true}) ==
        sorted({CAP_SYS_ADMIN, CAP_SYS_PTRACE}));
  CHECK(needed({.ops = "sim", .hidden_processes = true}) == Caps{CAP_SYS_ADMIN});
}

TEST_CASE("the options of a /proc that hides processes", "[privileges]") {
  for (const char* options : {"rw,hidepid=1", "rw,hidepid=2,gid=4", "hidepid=invisible",
                              "hidepid=noaccess", "hidepid=ptraceable", "hidepid="}) {
    CAPTURE(options);
    CHECK(hides_processes(options));
  }
  for (const char* options : {"", "rw", "rw,gid=4", "rw,hidepid=0", "rw,hidepid=off,gid=4"}) {
    CAPTURE(options);
    CHECK_FALSE(hides_processes(options));
  }
}

TEST_CASE("who may mount, and what is said to the others", "[privileges]") {
  if (!is_root()) {
    CHECK(check_rights().error().context == "must be run as root");
    return;
  }
  CHECK(in_child([] {
          if (setresuid(1, 1, 1) != 0) return 1;
          return check_rights().error().context == "must be run as root" ? 0 : 2;
        }) == 0);
  CHECK(in_child([] {
          const cap_t none = cap_init();
          if (cap_set_proc(none) != 0) return 1;
          const Result<void> rights = check_rights();
          if (rights || rights.error().code.value() != EPERM) return 2;
          return rights.error().context == "must be run with CAP_SYS_ADMIN" ? 0 : 3;
        }) == 0);
}

TEST_CASE("a directory that only another user may pass hides what is in it", "[privileges]") {
  if (!is_root()) return;
  const TreeFixture tree({{"/passable/mnt", ""}, {"/closed/mnt", ""}});
  const auto close_to_others = [&](const char* directory, uid_t owner) {
    REQUIRE(chown((tree.root() + directory).c_str(), owner, owner) == 0);
    REQUIRE(chmod((tree.root() + directory).c_str(), 0700) == 0);
  };
  close_to_others("/passable", 0);
  close_to_others("/closed", 1);
  CHECK_FALSE(is_hidden(tree.root() + "/passable/mnt"));
  const bool could_pass = access((tree.root() + "/closed/mnt").c_str(), F_OK) == 0;
  CHECK(is_hidden(tree.root() + "/closed/mnt"));
  // Asking has not cost the capabilities that it was asked without.
  CHECK((access((tree.root() + "/closed/mnt").c_str(), F_OK) == 0) == could_pass);
}

TEST_CASE("what is not kept is gone for ever", "[privileges]") {
  const bool could = has(CAP_SYS_ADMIN, CAP_PERMITTED);
  const bool may_bound = has(CAP_SETPCAP, CAP_EFFECTIVE);
  CHECK(in_child([&] {
          if (!keep_only({CAP_SYS_ADMIN})) return 1;
          for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
            if (has(CAP_SYS_ADMIN, flag) != could) return 2;
            if (has(CAP_CHOWN, flag) || has(CAP_DAC_OVERRIDE, flag)) return 3;
          }
          if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 4;
          if (may_bound && cap_get_bound(CAP_CHOWN) != CAP_CLEAR) return 5;
          if (could && cap_get_bound(CAP_SYS_ADMIN) != CAP_SET) return 6;
          const cap_t wanted = cap_init();
          const cap_value_t chown_cap = CAP_CHOWN;
          cap_set_flag(wanted, CAP_PERMITTED, 1, &chown_cap, CAP_SET);
          return cap_set_proc(wanted) == 0 ? 7 : 0;
        }) == 0);
}

TEST_CASE("a hardened process leaves no core and makes files for itself", "[privileges]") {
  CHECK(in_child([] {
          harden_process();
          rlimit core{1, 1};
          if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 1;
          if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 2;
          return umask(0) == 077 ? 0 : 3;
        }) == 0);
}

}  // namespace
}  // namespace damon_statfs::test
