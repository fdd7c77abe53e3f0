// SPDX-License-Identifier: GPL-2.0-or-later
//
// Streams keep bad_alloc to themselves unless they are told to pass it on.
// A path is opened with O_PATH to tell which mount it leads to: that sends no request to a FUSE
// mount and triggers no automount.
#include "fs/mount_table.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "fs/bounded_call.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxAnswerMs = 5'000;

// Undoes the \040 and the like of mountinfo.
std::string unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// id parent-id major:minor root mountpoint options [optional fields] - type source options
MountEntry parse_line(const std::string& line) {
  std::istringstream fields(line);
  fields.exceptions(std::ios::badbit);
  MountEntry entry;
  std::string root, mountpoint, word;
  fields >> entry.id >> entry.parent_id >> entry.device >> root >> mountpoint;
  while (fields >> word && word != "-") {
  }
  fields >> entry.type;
  entry.mountpoint = unescape(mountpoint);
  return entry;
}

Result<std::ifstream> open_text(const std::string& path) {
  std::ifstream text(path);
  if (!text) return errno_failure("{}", path);
  text.exceptions(std::ios::badbit);
  return text;
}

}  // namespace

Result<std::vector<MountEntry>> read_mount_table() {
  DAMON_STATFS_TRY(mountinfo, open_text("/proc/self/mountinfo"));
  std::vector<MountEntry> table;
  for (std::string line; std::getline(mountinfo, line);) table.push_back(parse_line(line));
  return table;
}

Result<uint64_t> mount_id_at(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno_failure("{}", path);
  DAMON_STATFS_TRY(fdinfo, open_text(fmt::format("/proc/self/fdinfo/{}", fd.get())));
  for (std::string word; fdinfo >> word;) {
    uint64_t id = 0;
    if (word == "mnt_id:" && fdinfo >> id) return id;
  }
  return failure(ENODATA, fmt::format("{}: the kernel does not tell its mount", path));
}

Result<std::optional<MountEntry>> mount_at(const std::string& path) {
  std::optional<MountEntry> mount;
  const Result<uint64_t> id = mount_id_at(path);
  if (!id && id.error().code == std::errc::no_such_file_or_directory) return mount;
  if (!id) return id.error();
  DAMON_STATFS_TRY(table, read_mount_table());
  for (const MountEntry& entry : table) {
    if (entry.id == id.value() && entry.mountpoint == path) mount = entry;
  }
  return mount;
}

bool means_dead(int errno_value) {
  return errno_value == ENOTCONN || errno_value == ECONNABORTED || errno_value == ECONNREFUSED;
}

// statfs(2) is never served from a cache.
MountHealth ask_mount(const std::string& path) {
  const Result<std::string> answer = call_within(kMaxAnswerMs, [&]() -> Result<std::string> {
    struct statfs info {};
    if (statfs(path.c_str(), &info) != 0) return failure(errno, {});
    return std::string();
  });
  if (answer) return MountHealth::kAnswers;
  const int errno_value = answer.error().code.value();
  if (means_dead(errno_value)) return MountHealth::kDead;
  return errno_value == ETIMEDOUT ? MountHealth::kSilent : MountHealth::kAnswers;
}

}  // namespace damon_statfs
