// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a program and prints how long it took in nanoseconds of guest time, which with -icount is a
// count of instructions. The shell's own clock has only hundredths of a second.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "workload_state.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("Usage: stopwatch PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  const int64_t start_ns = guest_test::monotonic_ns();
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/tmp/stopwatch.log", O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 1;
  std::printf("%lld\n", static_cast<long long>(guest_test::monotonic_ns() - start_ns));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
