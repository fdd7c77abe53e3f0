// SPDX-License-Identifier: GPL-2.0-or-later
//
// fork() first, threads later: a pipe carries one byte from the daemon when all is well, and its
// end when the daemon has given up.
#include "mount/background.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

// The end of its starter ends the daemon, whatever the caller has blocked or ignored.
void end_with(pid_t starter) {
  signal(SIGTERM, SIG_DFL);
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
  if (getppid() != starter) raise(SIGTERM);
}

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

// A descriptor that gives nothing and takes anything, or, in a container without /dev/null,
// nothing.
UniqueFd open_null() {
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null) return null;
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0) close(ends[1]);
  return UniqueFd(ends[0]);
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
  const pid_t starter = getpid();
  const pid_t daemon = ::fork();
  if (daemon < 0) {
    std::perror("damon-statfs: fork");
    return kExitMountFailed;
  }
  if (daemon > 0) {
    writer = UniqueFd();
    return wait_for_report(reader.get(), daemon);
  }
  end_with(starter);
  report_ = std::move(writer);
  return std::nullopt;
}

bool Background::detach() {
  if (!report_) return true;
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  setsid();
  const UniqueFd null = open_null();
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null.get(), fd);
  const char byte = 0;
  const bool told = write(report_.get(), &byte, 1) == 1;
  report_ = UniqueFd();
  return told;
}

void sanitize_descriptors() {
  closefrom(STDERR_FILENO + 1);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    UniqueFd null = open_null();
    if (null.get() == fd) {
      null.release();
    } else {
      dup2(null.get(), fd);
    }
  }
}

}  // namespace damon_statfs
