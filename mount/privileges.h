// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the daemon gives up, because it has to be started as root and needs little of that: all
// capabilities but the few below, core dumps, and ways to get anything back.
#pragma once

#include <sys/capability.h>

#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/result.h"

namespace damon_statfs {

struct Needs {
  std::string ops;                 // as asked for; auto counts as any of its sets
  bool rootfs = false;             // rootfs=: files that may belong to any user
  bool foreign_files = false;      // files of the kernel's that are not root's
  bool hidden_mountpoint = false;  // behind a directory that only its owner may pass
  bool hidden_processes = false;   // /proc with hidepid=
};

// The capabilities for these needs. Why each: see privileges.cc.
std::vector<cap_value_t> needed_capabilities(const Needs& needs);

// Whether this process may mount. Returns: EPERM, or what is wrong with /dev/fuse.
Result<void> check_rights();

// Whether root without capabilities cannot get to `path`. Precondition: nothing is mounted there
// that waits for us.
bool is_hidden(const std::string& path);

// Whether a file of the kernel's that an operations set may need is there, but root without
// capabilities is refused it: it belongs to another user, or its mode is another.
bool has_foreign_files();

// Whether /proc shows only its own processes to a program without CAP_SYS_PTRACE. The first one
// judges by the options of a mount of /proc, such as "rw,hidepid=2", the second one asks this
// process's table of mounts; a table that cannot be read counts as no.
bool hides_processes(std::string_view proc_options);
bool hides_processes();

// For the time before anything else: files for root alone, no core dump, no debugger.
void harden_process();

// Keeps these capabilities, as far as they are there, in this thread and the ones it will make, and
// gives up the others for ever, also in what might be executed. Precondition: there is one thread.
Result<void> keep_only(const std::vector<cap_value_t>& kept);

}  // namespace damon_statfs
