// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the process that was started hears of its daemon, what the daemon hears of that one, and the
// descriptors that both begin with. Each test is a starter in a child of its own.
#include "mount/background.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "mount/exit_status.h"
#include "support/catch.h"
#include "support/forked.h"

namespace damon_statfs::test {
namespace {

constexpr int kMaxWaitMs = 10'000;

// A pipe that a daemon, which is no child of the test, answers through.
struct Report {
  Report() {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  void say(char answer) const { REQUIRE(write(writer.get(), &answer, 1) == 1); }

  // Returns: the answer, '\0' if the pipe was closed without one, '?' if neither has come in time.
  char take() {
    writer = UniqueFd();
    pollfd answer{reader.get(), POLLIN, 0};
    if (poll(&answer, 1, kMaxWaitMs) != 1) return '?';
    char byte = '\0';
    [[maybe_unused]] const ssize_t bytes = read(reader.get(), &byte, 1);
    return byte;
  }

  UniqueFd reader;
  UniqueFd writer;
};

// Starts a daemon whose part is daemon(background). Returns: how the starting process has ended.
template <class Daemon>
int start(const Daemon& daemon) {
  return in_child([&] {
    Background background;
    if (const std::optional<int> status = background.fork()) return *status;
    daemon(background);
    _exit(0);
  });
}

TEST_CASE("the starter ends with 0 when the daemon has said that all is well", "[background]") {
  Report report;
  CHECK(start([&](Background& background) {
          const bool told = background.detach();
          std::array<char, 16> path{};
          const ssize_t bytes = readlink("/proc/self/fd/1", path.data(), path.size());
          const bool silent =
              std::string_view(path.data(), static_cast<size_t>(bytes)) == "/dev/null";
          report.say(told && silent && getsid(0) == getpid() ? 'y' : 'n');
        }) == kExitOk);
  CHECK(report.take() == 'y');
}

TEST_CASE("a daemon that gives up tells by its exit status", "[background]") {
  CHECK(start([](Background&) { _exit(kExitUsage); }) == kExitUsage);
  CHECK(start([](Background&) { _exit(kExitMountFailed); }) == kExitMountFailed);
  CHECK(start([](Background&) {}) == kExitMountFailed);  // 0, but it has not said that all is well
  CHECK(start([](Background&) { raise(SIGKILL); }) == kExitMountFailed);
}

TEST_CASE("the end of the starter ends the daemon, though SIGTERM was blocked", "[background]") {
  Report report;
  const pid_t starter = start_child([&] {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    signal(SIGTERM, SIG_IGN);
    Background background;
    if (const std::optional<int> status = background.fork()) return *status;
    report.say('r');
    for (;;) pause();
  });
  REQUIRE(report.take() == 'r');
  REQUIRE(kill(starter, SIGKILL) == 0);
  CHECK(end_of(starter) == 128 + SIGKILL);
  CHECK(report.take() == '\0');  // the daemon has closed its end: it is gone, too
}

TEST_CASE("a starter that is gone is told nothing, and the daemon knows", "[background]") {
  Report report;
  const pid_t starter = start_child([&] {
    Background background;
    if (const std::optional<int> status = background.fork()) return *status;
    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    const pid_t parent = getppid();
    report.say('r');
    while (getppid() == parent) usleep(1'000);
    report.say(background.detach() ? 'n' : 'y');
    _exit(0);
  });
  REQUIRE(report.take() == 'r');
  REQUIRE(kill(starter, SIGKILL) == 0);
  end_of(starter);
  CHECK(report.take() == 'y');
}

TEST_CASE("in the foreground no process waits, and nothing changes", "[background]") {
  CHECK(in_child([] {
          const pid_t session = getsid(0);
          Background background;
          if (!background.detach()) return 1;
          return getsid(0) == session && session != getpid() ? 0 : 2;
        }) == 0);
}

TEST_CASE("missing standard descriptors are opened, inherited ones are closed", "[background]") {
  for (const int missing : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    CAPTURE(missing);
    CHECK(in_child([&] {
            const int inherited = open("/dev/null", O_RDONLY);
            close(missing);
            sanitize_descriptors();
            for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
              if (fcntl(fd, F_GETFD) < 0) return 1;
            }
            return fcntl(inherited, F_GETFD) < 0 ? 0 : 2;
          }) == 0);
  }
}

}  // namespace
}  // namespace damon_statfs::test
