// SPDX-License-Identifier: GPL-2.0-or-later
//
// SIGXCPU comes before the limit of RLIMIT_CPU that kills. SIGXFSZ and SIGPIPE are of a log that
// takes no more.
#include "mount/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

#include <array>

namespace damon_statfs {
namespace {

// SIGUSR1 asks for the status in the log; the others end the daemon.
constexpr std::array kTaken = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGXCPU, SIGUSR1};

constexpr std::array kIgnored = {SIGPIPE, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
                                 SIGXFSZ, SIGIO,   SIGPWR,  SIGSTKFLT};

}  // namespace

UniqueFd take_signals() {
  for (const int number : kIgnored) signal(number, SIG_IGN);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) signal(number, SIG_IGN);
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : kTaken) sigaddset(&taken, number);
  pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  return UniqueFd(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace damon_statfs
