// SPDX-License-Identifier: GPL-2.0-or-later
//
// The child sends an errno and a text through a pipe. A child that hangs in a system call that even
// SIGKILL does not end is left to the kernel; it holds nothing of ours.
#include "fs/bounded_call.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "damon_statfs/clock.h"
#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"

namespace damon_statfs {
namespace {

void write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0) return;
    data += written;
    size -= static_cast<size_t>(written);
  }
}

// The child's life. The descriptors that are closed here must not outlive their owner in a child
// that hangs: another process may wait for their end.
[[noreturn]] void answer(int fd, const std::function<Result<std::string>()>& call) noexcept {
  dup2(fd, STDIN_FILENO);
  closefrom(STDIN_FILENO + 1);
  const Result<std::string> result = call();
  const int errno_value = result ? 0 : result.error().code.value();
  const std::string& text = result ? result.value() : result.error().context;
  write_all(STDIN_FILENO, reinterpret_cast<const char*>(&errno_value), sizeof errno_value);
  write_all(STDIN_FILENO, text.data(), text.size());
  _exit(0);
}

// Returns: all that comes before the end, or none if the end has not come by deadline_ns.
std::string read_until(int fd, int64_t deadline_ns) {
  const SystemClock clock;
  std::string received;
  std::array<char, 4096> part{};
  while (clock.wait_until(deadline_ns, fd)) {
    const ssize_t bytes = read(fd, part.data(), part.size());
    if (bytes <= 0) return received;
    received.append(part.data(), static_cast<size_t>(bytes));
  }
  return {};
}

void end_child(pid_t child) {
  kill(child, SIGKILL);
  const SystemClock clock;
  constexpr int kTries = 20;
  for (int tries = 0; tries < kTries && waitpid(child, nullptr, WNOHANG) == 0; ++tries) {
    clock.wait_until(clock.now_ns() + 5 * kNsPerMs, -1);
  }
}

}  // namespace

Result<std::string> call_within(int64_t limit_ms,
                                const std::function<Result<std::string>()>& call) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return errno_failure("pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t child = fork();
  if (child < 0) return errno_failure("fork");
  if (child == 0) answer(writer.get(), call);
  writer = UniqueFd();
  const int64_t deadline_ns = SystemClock().now_ns() + limit_ms * kNsPerMs;
  std::string received = read_until(reader.get(), deadline_ns);
  end_child(child);
  int errno_value = 0;
  if (received.size() < sizeof errno_value) return failure(ETIMEDOUT, "no answer");
  std::memcpy(&errno_value, received.data(), sizeof errno_value);
  received.erase(0, sizeof errno_value);
  if (errno_value != 0) return failure(errno_value, received);
  return received;
}

}  // namespace damon_statfs
