// SPDX-License-Identifier: GPL-2.0-or-later
//
// What was read in engine/, in libfuse and in the kernel about who needs which capability. What is
// not listed works because the files belong to root, which the daemon stays.
//
// CAP_SYS_ADMIN        all sets: mount(2) and, at the end, umount2(2). page_idle, kdamond: the
//                      kernel shows addresses in /proc/iomem only to an opener that has it, and
//                      the file is opened anew at each update. kdamond, observe: perf_event_open(2)
//                      on a kernel thread; CAP_PERFMON alone would do that since Linux 5.8, but
//                      does nothing more beside this one.
// CAP_IPC_LOCK         kdamond, observe: a ring for the records of many regions, beyond
//                      kernel.perf_event_mlock_kb and RLIMIT_MEMLOCK.
// CAP_SYS_PTRACE       all sets but sim, and only where /proc is mounted with hidepid=: to see the
//                      kdamonds of others.
// CAP_DAC_READ_SEARCH  only for a mountpoint that root could not reach without: to unmount it.
// CAP_DAC_OVERRIDE     all sets but sim, and only where a file of the kernel's is not root's any
//                      more, as it was given to a monitoring user with chown(2); and with rootfs=,
//                      whose files may belong to any user.
//
// None, as they are root's unless changed: the bitmap of page_idle, /proc/kpageflags, DAMON's sysfs
// interface, DAMON_STAT's parameters and tracefs. None either: the files in /run/damon-statfs,
// /dev/log and NOTIFY_SOCKET.
#include "mount/privileges.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "fs/mount_table.h"

namespace damon_statfs {
namespace {

struct FreeCap {
  void operator()(cap_t caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCap>;

auto refuse(const char* what) { return errno_failure("cannot give up capabilities: {}", what); }

Caps current() { return Caps(cap_get_proc()); }

// The set without what is not permitted: asking for that would fail.
Caps permitted_of(const std::vector<cap_value_t>& wanted) {
  const Caps now = current();
  Caps kept(cap_init());
  for (const cap_value_t capability : wanted) {
    cap_flag_value_t has = CAP_CLEAR;
    cap_get_flag(now.get(), capability, CAP_PERMITTED, &has);
    for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
      cap_set_flag(kept.get(), flag, 1, &capability, has);
    }
  }
  return kept;
}

bool has_capability(cap_value_t capability) {
  cap_flag_value_t has = CAP_CLEAR;
  return cap_get_flag(current().get(), capability, CAP_EFFECTIVE, &has) == 0 && has == CAP_SET;
}

// Without CAP_SETPCAP the bounding set stays: what took that away has set the bounds already,
// and PR_SET_NO_NEW_PRIVS keeps execve(2) from making use of them.
Result<void> drop_bounds(const std::vector<cap_value_t>& kept) {
  for (cap_value_t capability = 0; cap_get_bound(capability) >= 0; ++capability) {
    if (std::find(kept.begin(), kept.end(), capability) != kept.end()) continue;
    if (cap_drop_bound(capability) != 0 && errno != EPERM) return refuse("PR_CAPBSET_DROP");
  }
  return outcome::success();
}

// Whether check() is true for root without capabilities; no, too, where that cannot be found out.
template <class Check>
bool holds_without_capabilities(const Check& check) {
  const Caps before = current();
  const Caps none(cap_dup(before.get()));
  cap_clear_flag(none.get(), CAP_EFFECTIVE);
  if (cap_set_proc(none.get()) != 0) return false;
  const bool holds = check();
  return cap_set_proc(before.get()) == 0 && holds;
}

// What operations sets open after the daemon has given up its capabilities.
struct KernelFile {
  const char* path;
  bool written;
};
constexpr KernelFile kKernelFiles[] = {
    {"/sys/module/damon_stat/parameters/enabled", true},
    {"/sys/module/damon_stat/parameters/estimated_memory_bandwidth", false},
    {"/sys/module/damon_stat/parameters/memory_idle_ms_percentiles", false},
    {"/sys/module/damon_stat/parameters/aggr_interval_us", false},
    {"/sys/module/damon_stat/parameters/kdamond_pid", false},
    {"/sys/module/damon_reclaim/parameters/enabled", false},
    {"/sys/module/damon_lru_sort/parameters/enabled", false},
    {"/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", true},
    {"/sys/kernel/mm/page_idle/bitmap", true},
    {"/sys/kernel/tracing/events/damon/damon_aggregated/id", false},
    {"/sys/kernel/tracing/events/damon/damon_aggregated/format", false},
    {"/proc/kpageflags", false},
    {"/proc/iomem", false},
};

// Whether this process is refused the file, which is there, for its mode or owner. Opening one of
// them changes nothing.
bool is_withheld(const KernelFile& file) {
  const auto refused = [&](int flags) {
    return !UniqueFd(open(file.path, flags | O_CLOEXEC)) && errno == EACCES;
  };
  return refused(O_RDONLY) || (file.written && refused(O_WRONLY));
}

std::string fuse_device_text(int errno_value) {
  const bool missing = errno_value == ENOENT || errno_value == ENXIO || errno_value == ENODEV;
  const bool forbidden = errno_value == EACCES || errno_value == EPERM;
  return fmt::format("/dev/fuse: {}{}", std::strerror(errno_value),
                     missing     ? " (is the fuse module loaded?)"
                     : forbidden ? " (do its mode, and the device rules of the container or the "
                                   "unit, allow reading and writing?)"
                                 : "");
}

}  // namespace

std::vector<cap_value_t> needed_capabilities(const Needs& needs) {
  std::vector<cap_value_t> capabilities = {CAP_SYS_ADMIN};
  const bool may_trace = needs.ops == "kdamond" || needs.ops == "observe" || needs.ops == "auto";
  if (may_trace) capabilities.push_back(CAP_IPC_LOCK);
  if (needs.hidden_processes && needs.ops != "sim") capabilities.push_back(CAP_SYS_PTRACE);
  if (needs.hidden_mountpoint) capabilities.push_back(CAP_DAC_READ_SEARCH);
  if (needs.rootfs || needs.foreign_files) capabilities.push_back(CAP_DAC_OVERRIDE);
  return capabilities;
}

Result<void> check_rights() {
  if (geteuid() != 0) return failure(EPERM, "must be run as root");
  if (!has_capability(CAP_SYS_ADMIN)) return failure(EPERM, "must be run with CAP_SYS_ADMIN");
  if (access("/dev/fuse", R_OK | W_OK) == 0) return outcome::success();
  const int errno_value = errno;
  return failure(errno_value, fuse_device_text(errno_value));
}

bool is_hidden(const std::string& path) {
  return !holds_without_capabilities([&] {
    struct stat info {};
    return stat(path.c_str(), &info) == 0;
  });
}

bool has_foreign_files() {
  return !holds_without_capabilities(
      [] { return std::none_of(std::begin(kKernelFiles), std::end(kKernelFiles), is_withheld); });
}

bool hides_processes(std::string_view proc_options) {
  constexpr std::string_view kName = "hidepid=";
  const size_t found = proc_options.find(kName);
  if (found == std::string_view::npos) return false;
  const std::string_view value = proc_options.substr(found + kName.size());
  return !value.starts_with('0') && !value.starts_with("off");
}

bool hides_processes() {
  const Result<std::vector<MountEntry>> table = read_mount_table();
  if (!table) return false;
  bool hides = false;
  for (const MountEntry& entry : table.value()) {
    if (entry.mountpoint == "/proc") hides = hides_processes(entry.options);
  }
  return hides;
}

void harden_process() {
  umask(077);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

Result<void> keep_only(const std::vector<cap_value_t>& kept) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refuse("PR_SET_NO_NEW_PRIVS");
  BOOST_OUTCOME_TRYV(drop_bounds(kept));
  if (cap_reset_ambient() != 0) return refuse("PR_CAP_AMBIENT_CLEAR_ALL");
  if (cap_set_proc(permitted_of(kept).get()) != 0) return refuse("capset");
  return outcome::success();
}

}  // namespace damon_statfs
