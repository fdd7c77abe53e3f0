// SPDX-License-Identifier: GPL-2.0-or-later
//
// What changes a whole process for good, such as its capabilities, its session or its descriptors,
// is tried in a child. A child checks nothing itself: it answers with its exit status.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.h"

namespace damon_statfs::test {

constexpr int kThrown = 99;  // the exit status of a child whose body has thrown

// Starts a child that runs body() and exits with the status that it returns, 0 to 98. Precondition:
// there is one thread. Returns: its pid.
template <class Body>
pid_t start_child(const Body& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      _exit(body());
    } catch (...) {
      _exit(kThrown);
    }
  }
  REQUIRE(pid > 0);
  return pid;
}

// Waits for the child. Returns: its exit status, or 128 and the number of the signal that ended it.
inline int end_of(pid_t pid) {
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Runs body() in a child. Returns: as end_of().
template <class Body>
int in_child(const Body& body) {
  return end_of(start_child(body));
}

}  // namespace damon_statfs::test
