// SPDX-License-Identifier: GPL-2.0-or-later
//
// The line is rewritten in place, because the lock is on the file, and always with the same length,
// so that one write(2) replaces it whole.
#include "engine/base/locked_record.h"

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

constexpr int64_t kMaxStepNs = 2 * kNsPerSecond;     // until a daemon begins to end
constexpr int64_t kMaxEndingNs = 12 * kNsPerSecond;  // DAMON's longest sampling interval is 10 s

// A namespace is known by the inode of its file; 0: not known.
uint64_t own_pid_namespace(const KernelFiles& files) {
  const Result<uint64_t> inode = files.inode("/proc/self/ns/pid");
  return inode ? inode.value() : 0;
}

// Whether the process that has the lock was killed: its first thread is a zombie already.
bool is_dying(const RecordOwner& owner, const KernelFiles& files) {
  const Result<std::string> line = files.read(fmt::format("/proc/{}/stat", owner.pid));
  if (!line) return false;
  const std::optional<ProcessStat> stat = parse_process_stat(line.value());
  return stat && stat->state == 'Z';
}

// The kernel's table of locks leaves out processes of other pid namespaces.
std::string owner_text(const UniqueFd& file, const std::optional<RecordOwner>& owner,
                       bool is_near) {
  if (!owner) return lock_owner_text(file);
  return fmt::format(" (process {}{})", owner->pid,
                     is_near ? "" : " in another pid namespace, such as a container's");
}

}  // namespace

Result<LockedRecord> LockedRecord::open(const RecordKind& kind, const std::string& rootfs,
                                        const KernelFiles& files, const Clock& clock) {
  DAMON_STATFS_TRY(file, open_run_file(rootfs, kind.name));
  return lock(kind, std::move(file), rootfs, files, clock);
}

Result<std::optional<LockedRecord>> LockedRecord::open_existing(const RecordKind& kind,
                                                                const std::string& rootfs,
                                                                const KernelFiles& files,
                                                                const Clock& clock) {
  DAMON_STATFS_TRY(file, open_existing_run_file(rootfs, kind.name));
  if (!file) return std::optional<LockedRecord>();
  DAMON_STATFS_TRY(record, lock(kind, std::move(*file), rootfs, files, clock));
  return std::optional<LockedRecord>(std::move(record));
}

// A probe holds the lock for an instant. A daemon that stops, as when its mount is restarted, says
// so once it has done what it was at; from then on it keeps the lock, as one that was killed does,
// until what it waits for in the kernel is over.
Result<LockedRecord> LockedRecord::lock(const RecordKind& kind, UniqueFd file,
                                        const std::string& rootfs, const KernelFiles& files,
                                        const Clock& clock) {
  const uint64_t pid_namespace = own_pid_namespace(files);
  LockedRecord record(std::move(file), run_file_path(rootfs, kind.name), pid_namespace);
  std::optional<RecordOwner> owner;
  bool is_near = true, ending = false;
  const auto patience_ns = [&] {
    const Result<std::string> line = record.read();
    owner = line ? kind.owner_of(line.value()) : std::nullopt;
    is_near = !owner || owner->pid_namespace == pid_namespace || owner->pid_namespace == 0;
    ending = ending || (owner && (owner->ending || (is_near && is_dying(*owner, files))));
    return ending ? kMaxEndingNs : kMaxStepNs;
  };
  DAMON_STATFS_TRY(locked, lock_file(record.file_, record.path_, clock, patience_ns));
  if (locked) return record;
  return failure(EBUSY, fmt::format("{}: another damon-statfs{} {} on this machine", record.path_,
                                    owner_text(record.file_, owner, is_near), kind.doing));
}

Result<std::string> LockedRecord::read() const {
  std::string line(kLineBytes, '\0');
  if (pread(file_.get(), line.data(), kLineBytes, 0) < 0) return errno_failure("{}", path_);
  return line;
}

Result<void> LockedRecord::write(const std::string& line) const {
  assert(line.size() < kLineBytes);
  const std::string padded = fmt::format("{:<{}}\n", line, kLineBytes - 1);
  const ssize_t bytes = pwrite(file_.get(), padded.data(), padded.size(), 0);
  if (bytes == static_cast<ssize_t>(padded.size())) return outcome::success();
  return errno_failure("{}", path_);
}

Result<std::string> boot_id(const KernelFiles& files) {
  return files.read("/proc/sys/kernel/random/boot_id");
}

}  // namespace damon_statfs
