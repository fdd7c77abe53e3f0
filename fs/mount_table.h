// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's table of mounts, /proc/self/mountinfo (proc_pid_mountinfo(5)), and questions about
// one mount that never wait for the daemon that serves it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/result.h"

namespace damon_statfs {

struct MountEntry {
  uint64_t id = 0;         // of the mount
  uint64_t parent_id = 0;  // of the mount that it lies on
  std::string device;      // major:minor of the file system: all its mounts have the same
  std::string mountpoint;  // absolute, without symbolic links
  std::string type;
  std::string options;  // of the file system, as its type writes them
};

// One field of the table as the kernel writes it: a space, a tab, the end of a line and a backslash
// as \ and three octal digits, and all else as it is. Returns: the field's bytes. A backslash
// before anything but three octal digits of a byte stands for itself.
std::string unescape_mount_field(std::string_view field);

// One line of the table, without its end. Only spaces divide its fields. Returns: what is there; of
// a line that is cut, what is missing is empty or 0.
MountEntry parse_mount_line(std::string_view line);

// One line of /proc/PID/fdinfo/FD, without its end. Returns: the id of the mount that the
// descriptor is of; none if the line tells something else.
std::optional<uint64_t> parse_mount_id(std::string_view line);

// Returns: all mounts of this process's mount namespace, the oldest first, or why the table cannot
// be read, such as ENOENT without /proc.
Result<std::vector<MountEntry>> read_mount_table();

// Returns: the id of the mount that is reached at `path`; ENOENT if there is no such path.
Result<uint64_t> mount_id_at(const std::string& path);

// Returns: the mount whose root is reached at exactly this absolute path, or none; none as well
// where there is no /proc.
Result<std::optional<MountEntry>> mount_at(const std::string& path);

enum class MountHealth {
  kAnswers,
  kDead,    // no daemon serves it any more
  kSilent,  // a daemon should, but does not answer
};

// Whether an errno of a call on a FUSE mount means that it is dead: its daemon has ended
// (ENOTCONN), is just ending (ECONNABORTED), or has ended before it answered the first request
// (ECONNREFUSED since Linux 7.2).
bool means_dead(int errno_value);

// Asks the file system at `path` for an answer, for some seconds at most.
MountHealth ask_mount(const std::string& path);

}  // namespace damon_statfs
