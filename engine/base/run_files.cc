// SPDX-License-Identifier: GPL-2.0-or-later
//
// The directory is opened first and looked at, and the file opened in what was looked at; so no
// program can put another one in its place in between.
#include "engine/base/run_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "damon_statfs/errno_failure.h"

namespace damon_statfs {
namespace {

std::string run_directory(const std::string& rootfs) { return rootfs + "/run/damon-statfs"; }

Result<void> make_directory(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (failed) return failure(failed.value(), fmt::format("{}: {}", path, failed.message()));
  if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return outcome::success();
  return errno_failure("{}", path);
}

// Whether only the user that the daemon runs as, root as a rule, can have made and written it.
Result<void> check_own(const UniqueFd& fd, const std::string& path, mode_t type) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return errno_failure("{}", path);
  const char* fault = nullptr;
  if ((info.st_mode & S_IFMT) != type) fault = "is no regular file";
  if (info.st_uid != geteuid()) fault = "belongs to another user";
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) fault = "may be written by other users";
  if (type == S_IFREG && info.st_nlink != 1) fault = "has another name, too";
  if (fault == nullptr) return outcome::success();
  return failure(EPERM, fmt::format("{}: {}; remove it, damon-statfs makes it anew", path, fault));
}

Result<UniqueFd> open_checked(const std::string& rootfs, const std::string& name, int flags) {
  const std::string directory_path = run_directory(rootfs);
  const UniqueFd directory(
      ::open(directory_path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return errno_failure("{}", directory_path);
  BOOST_OUTCOME_TRYV(check_own(directory, directory_path, S_IFDIR));
  const std::string path = run_file_path(rootfs, name);
  // Opening a FIFO or a device must not wait.
  const int safe_flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(openat(directory.get(), name.c_str(), safe_flags | flags, 0600));
  if (!file) return errno_failure("{}", path);
  BOOST_OUTCOME_TRYV(check_own(file, path, S_IFREG));
  return file;
}

}  // namespace

std::string run_file_path(const std::string& rootfs, const std::string& name) {
  return run_directory(rootfs) + "/" + name;
}

Result<UniqueFd> open_run_file(const std::string& rootfs, const std::string& name) {
  BOOST_OUTCOME_TRYV(make_directory(run_directory(rootfs)));
  return open_checked(rootfs, name, O_CREAT);
}

Result<std::optional<UniqueFd>> open_existing_run_file(const std::string& rootfs,
                                                       const std::string& name) {
  Result<UniqueFd> file = open_checked(rootfs, name, 0);
  if (file) return std::optional<UniqueFd>(std::move(file.value()));
  const int error = file.error().code.value();
  if (error == ENOENT || error == ENOTDIR) return std::optional<UniqueFd>();
  return file.as_failure();
}

}  // namespace damon_statfs
