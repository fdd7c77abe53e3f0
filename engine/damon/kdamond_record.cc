// SPDX-License-Identifier: GPL-2.0-or-later
//
// One line, see kdamond_ownership.h. It is rewritten in place, because the lock is on the file, and
// always with the same length, so that one write(2) replaces it whole.
#include "engine/damon/kdamond_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>

#include "damon_statfs/errno_failure.h"
#include "engine/base/file_lock.h"
#include "engine/base/lock_owner.h"
#include "engine/base/process_stat.h"
#include "engine/base/run_files.h"

namespace damon_statfs {
namespace {

constexpr size_t kLineBytes = 128;
constexpr const char* kFile = "kdamond";

constexpr int64_t kMaxProbeNs = 200 * kNsPerMs;
constexpr int64_t kMaxDyingNs = 12 * kNsPerSecond;  // DAMON's longest sampling interval is 10 s

Result<std::optional<KdamondOwnership>> read_line(const UniqueFd& file, const std::string& path) {
  char line[kLineBytes + 1] = {};
  if (pread(file.get(), line, kLineBytes, 0) < 0) return errno_failure("{}", path);
  return parse_ownership({line, kLineBytes});
}

// A namespace is known by the inode of its file; 0: not known.
uint64_t own_pid_namespace(const KernelFiles& files) {
  const Result<uint64_t> inode = files.inode("/proc/self/ns/pid");
  return inode ? inode.value() : 0;
}

// Whether the process that has the lock was killed: its first thread is a zombie already.
bool is_dying(const KdamondOwnership& owner, const KernelFiles& files) {
  const Result<std::string> line = files.read(fmt::format("/proc/{}/stat", owner.owner_pid));
  if (!line) return false;
  const std::optional<ProcessStat> stat = parse_process_stat(line.value());
  return stat && stat->state == 'Z';
}

// The kernel's table of locks leaves out processes of other pid namespaces.
std::string owner_text(const UniqueFd& file, const std::optional<KdamondOwnership>& owner,
                       bool is_near) {
  if (!owner) return lock_owner_text(file);
  return fmt::format(" (process {}{})", owner->owner_pid,
                     is_near ? "" : " in another pid namespace, such as a container's");
}

}  // namespace

Result<KdamondRecord> KdamondRecord::open(const std::string& rootfs, const KernelFiles& files,
                                          const Clock& clock) {
  DAMON_STATFS_TRY(file, open_run_file(rootfs, kFile));
  return lock(std::move(file), rootfs, files, clock);
}

Result<std::optional<KdamondRecord>> KdamondRecord::open_existing(const std::string& rootfs,
                                                                  const KernelFiles& files,
                                                                  const Clock& clock) {
  DAMON_STATFS_TRY(file, open_existing_run_file(rootfs, kFile));
  if (!file) return std::optional<KdamondRecord>();
  DAMON_STATFS_TRY(record, lock(std::move(*file), rootfs, files, clock));
  return std::optional<KdamondRecord>(std::move(record));
}

// A probe holds the lock for an instant. A daemon that was killed keeps it until what it waits for
// in the kernel is over.
Result<KdamondRecord> KdamondRecord::lock(UniqueFd file, const std::string& rootfs,
                                          const KernelFiles& files, const Clock& clock) {
  const uint64_t pid_namespace = own_pid_namespace(files);
  KdamondRecord record(std::move(file), run_file_path(rootfs, kFile), pid_namespace);
  std::optional<KdamondOwnership> owner;
  bool is_near = true;
  const auto patience_ns = [&] {
    const Result<std::optional<KdamondOwnership>> read = record.read();
    owner = read ? read.value() : std::nullopt;
    is_near =
        !owner || owner->owner_pid_namespace == pid_namespace || owner->owner_pid_namespace == 0;
    return owner && is_near && is_dying(*owner, files) ? kMaxDyingNs : kMaxProbeNs;
  };
  DAMON_STATFS_TRY(locked, lock_file(record.file_, record.path_, clock, patience_ns));
  if (locked) return record;
  return failure(EBUSY,
                 fmt::format("{}: another damon-statfs{} is driving a kdamond on this machine",
                             record.path_, owner_text(record.file_, owner, is_near)));
}

Result<std::optional<KdamondOwnership>> KdamondRecord::read() const {
  return read_line(file_, path_);
}

Result<void> KdamondRecord::write(const KdamondOwnership& ownership) const {
  KdamondOwnership ours = ownership;
  ours.owner_pid_namespace = pid_namespace_;
  return replace(format_ownership(ours));
}

Result<void> KdamondRecord::clear() const { return replace(""); }

// There is room for the pids of six kdamonds.
Result<void> KdamondRecord::replace(const std::string& text) const {
  assert(text.size() < kLineBytes);
  const std::string line = fmt::format("{:<{}}\n", text, kLineBytes - 1);
  const ssize_t bytes = pwrite(file_.get(), line.data(), line.size(), 0);
  if (bytes == static_cast<ssize_t>(line.size())) return outcome::success();
  return errno_failure("{}", path_);
}

}  // namespace damon_statfs
