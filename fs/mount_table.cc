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
#include <charconv>
#include <fstream>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "fs/bounded_call.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxAnswerMs = 5'000;

// The byte that \040 and the like stand for, if the text begins so.
std::optional<char> escaped_byte(std::string_view text) {
  constexpr size_t kBytes = 4;
  if (text.size() < kBytes || text[0] != '\\') return std::nullopt;
  unsigned byte = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + kBytes, byte, 8);
  if (error != std::errc() || end != text.data() + kBytes || byte > 0xff) return std::nullopt;
  return static_cast<char>(byte);
}

// Takes what is before the next space off the line.
std::string_view next_field(std::string_view& line) {
  const std::string_view field = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(field.size() + 1, line.size()));
  return field;
}

uint64_t number_of(std::string_view field) {
  uint64_t number = 0;
  std::from_chars(field.data(), field.data() + field.size(), number);
  return number;
}

Result<std::ifstream> open_text(const std::string& path) {
  std::ifstream text(path);
  if (!text) return errno_failure("{}", path);
  text.exceptions(std::ios::badbit);
  return text;
}

}  // namespace

std::string unescape_mount_field(std::string_view field) {
  std::string plain;
  for (size_t i = 0; i < field.size(); ++i) {
    const std::optional<char> byte = escaped_byte(field.substr(i));
    plain += byte.value_or(field[i]);
    if (byte) i += 3;
  }
  return plain;
}

// id parent-id major:minor root mountpoint options [optional fields] - type source options
MountEntry parse_mount_line(std::string_view line) {
  MountEntry entry;
  entry.id = number_of(next_field(line));
  entry.parent_id = number_of(next_field(line));
  entry.device = next_field(line);
  next_field(line);
  entry.mountpoint = unescape_mount_field(next_field(line));
  while (!line.empty() && next_field(line) != "-") {
  }
  entry.type = next_field(line);
  next_field(line);
  entry.options = next_field(line);
  return entry;
}

std::optional<uint64_t> parse_mount_id(std::string_view line) {
  constexpr std::string_view kName = "mnt_id:";
  if (!line.starts_with(kName)) return std::nullopt;
  line.remove_prefix(std::min(line.find_first_not_of(" \t", kName.size()), line.size()));
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  return id;
}

Result<std::vector<MountEntry>> read_mount_table() {
  DAMON_STATFS_TRY(mountinfo, open_text("/proc/self/mountinfo"));
  std::vector<MountEntry> table;
  for (std::string line; std::getline(mountinfo, line);) table.push_back(parse_mount_line(line));
  return table;
}

Result<uint64_t> mount_id_at(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno_failure("{}", path);
  DAMON_STATFS_TRY(fdinfo, open_text(fmt::format("/proc/self/fdinfo/{}", fd.get())));
  for (std::string line; std::getline(fdinfo, line);) {
    if (const std::optional<uint64_t> id = parse_mount_id(line)) return *id;
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
