// SPDX-License-Identifier: GPL-2.0-or-later
//
// fork() first, threads later: a pipe carries one byte from the daemon when all is well, and its
// end when the daemon has given up.
#include "mount/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "mount/exit_status.h"

namespace damon_statfs {
namespace {

// Waits for the daemon's byte. Returns: 0, or the status the daemon has ended with.
int wait_for_report(int pipe_fd, pid_t daemon) {
  char byte = 0;
  ssize_t bytes = 0;
  do {
    bytes = read(pipe_fd, &byte, 1);
  } while (bytes < 0 && errno == EINTR);
  if (bytes == 1) return kExitOk;
  int status = 0;
  if (waitpid(daemon, &status, 0) != daemon || !WIFEXITED(status)) return kExitMountFailed;
  return WEXITSTATUS(status) == kExitOk ? kExitMountFailed : WEXITSTATUS(status);
}

}  // namespace

std::optional<int> Background::fork() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    std::perror("damon-statfs: pipe");
    return kExitMountFailed;
  }
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t daemon = ::fork();
  if (daemon < 0) {
    std::perror("damon-statfs: fork");
    return kExitMountFailed;
  }
  if (daemon > 0) {
    writer = UniqueFd();
    return wait_for_report(reader.get(), daemon);
  }
  setsid();
  report_ = std::move(writer);
  return std::nullopt;
}

void Background::detach() {
  if (!report_) return;
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null.get(), fd);
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = write(report_.get(), &byte, 1);
  report_ = UniqueFd();
}

void sanitize_descriptors() {
  closefrom(STDERR_FILENO + 1);
  int fd = 0;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

}  // namespace damon_statfs
