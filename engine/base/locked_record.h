// SPDX-License-Identifier: GPL-2.0-or-later
//
// One line in a file that outlives the daemon: what of the kernel's state is this daemon's to put
// right. The file is locked by the daemon that it belongs to, so a line without a lock tells the
// next one what a daemon that was killed has left behind.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "damon_statfs/clock.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

// The daemon that has written a record.
struct RecordOwner {
  pid_t pid = 0;
  uint64_t pid_namespace = 0;  // in which that is its pid; 0: not known
  bool ending = false;         // whether it is about to let go of the record

  bool operator==(const RecordOwner&) const = default;
};

// One kind of record.
struct RecordKind {
  const char* name;   // of its file, in ROOTFS/run/damon-statfs
  const char* doing;  // what the daemon that it belongs to does, such as "is driving a kdamond"

  // Returns: who has written a line; none if it is no record of this kind.
  std::optional<RecordOwner> (*owner_of)(std::string_view line);
};

class LockedRecord {
 public:
  // Opens the file and locks it for as long as the object lives. Returns: EBUSY if another daemon
  // holds the lock; one that was killed is waited for until it is gone. In `files` it is looked up
  // whether it was, and which pid namespace this daemon is in. Other errors as open_run_file().
  static Result<LockedRecord> open(const RecordKind& kind, const std::string& rootfs,
                                   const KernelFiles& files, const Clock& clock);

  // The same without making the file or its directory. Returns: none if there is no file.
  static Result<std::optional<LockedRecord>> open_existing(const RecordKind& kind,
                                                           const std::string& rootfs,
                                                           const KernelFiles& files,
                                                           const Clock& clock);

  // Returns: the line, perhaps with blanks, zero bytes and a line end behind it.
  Result<std::string> read() const;

  // Replaces the line. Precondition: it has fewer than 128 bytes.
  Result<void> write(const std::string& line) const;
  Result<void> clear() const { return write(""); }

  // This daemon's; 0: not known.
  uint64_t pid_namespace() const { return pid_namespace_; }

 private:
  LockedRecord(UniqueFd file, std::string path, uint64_t pid_namespace)
      : file_(std::move(file)), path_(std::move(path)), pid_namespace_(pid_namespace) {}
  static Result<LockedRecord> lock(const RecordKind& kind, UniqueFd file, const std::string& rootfs,
                                   const KernelFiles& files, const Clock& clock);

  UniqueFd file_;
  std::string path_;
  uint64_t pid_namespace_;
};

// Tells this boot of the machine from others.
Result<std::string> boot_id(const KernelFiles& files);

}  // namespace damon_statfs
