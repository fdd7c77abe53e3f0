// SPDX-License-Identifier: GPL-2.0-or-later
//
// A process whose memory use is known: a hot part touched every 100 ms, a warm part touched once
// per period, and a cold part touched once, or once per longer period. The guest tests compare what
// the daemon reports with it.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>

#include "arguments.h"
#include "memory_part.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr const char* kUsage =
    "Usage: workload [--hot SIZE] [--warm SIZE] [--cold SIZE] [--hot-period SECONDS]\n"
    "                [--warm-period SECONDS] [--cold-period SECONDS] [--thp] [--cpu N] [--state "
    "FILE]\n"
    "                [--node N]\n"
    "       (a cold period of 0: the cold part is never touched again; --node: all parts lie on "
    "that "
    "NUMA\n"
    "       node as long as it has memory)\n";
constexpr int64_t kNsPerSecond = 1'000'000'000;

// A kdamond does not see what is touched between its check of a page and its next mark on it, some
// ms later. On a guest's one processor a whole pass of 3 ms falls into that, if its timer expires
// just then; real memory is touched more slowly.
constexpr int64_t kPieceBytes = 1 << 20;
constexpr int64_t kPauseNs = 1'000'000;

void sleep_until(int64_t time_ns) {
  const timespec time{time_ns / kNsPerSecond, time_ns % kNsPerSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) != 0) {
  }
}

int64_t period_ns(const Arguments& arguments, const char* name) {
  return static_cast<int64_t>(arguments.number(name) * static_cast<double>(kNsPerSecond));
}

// Memory that is touched once per period.
struct PeriodicPart {
  Part part;
  int64_t period_ns;  // 0: never again
  int64_t next_ns;    // when its next pass is due

  bool due(int64_t now_ns) const { return period_ns > 0 && now_ns >= next_ns; }
};

class Workload {
 public:
  explicit Workload(const Arguments& arguments)
      : path_(arguments.text("--state")),
        hot_{reserve(arguments.bytes("--hot"), arguments.has("--thp")),
             period_ns(arguments, "--hot-period"), 0},
        warm_{reserve(arguments.bytes("--warm"), false), period_ns(arguments, "--warm-period"), 0},
        cold_{reserve(arguments.bytes("--cold"), false), period_ns(arguments, "--cold-period"), 0} {
  }

  // Writes to every page once. The flusher must be running by now, or the pages stay invisible.
  void start() {
    populate(hot_.part);
    populate_timed(warm_, state_.warm);
    populate_timed(cold_, state_.cold);
    hot_.next_ns = monotonic_ns();
    state_.hot_bytes = hot_.part.bytes;
    state_.warm_bytes = warm_.part.bytes;
    state_.cold_bytes = cold_.part.bytes;
    state_.huge_bytes = huge_bytes(hot_.part);
    state_.hot_period_ns = hot_.period_ns;
    state_.warm_period_ns = warm_.period_ns;
    state_.cold_period_ns = cold_.period_ns;
  }

  // Touches until the process is killed. Between passes it sleeps, so that a guest whose time
  // counts instructions gets on.
  [[noreturn]] void run() {
    for (;;) {
      touch_hot();
      const int64_t now_ns = monotonic_ns();
      if (warm_.due(now_ns)) pass(warm_, state_.warm);
      if (cold_.due(now_ns)) pass(cold_, state_.cold);
      sleep_until(hot_.next_ns);
    }
  }

  bool hot_is_huge() const { return state_.huge_bytes * 100 >= hot_.part.bytes * 99; }
  int64_t huge_mib() const { return state_.huge_bytes >> 20; }

 private:
  static void populate_timed(PeriodicPart& part, Pass& pass) {
    pass.start_ns = monotonic_ns();
    populate(part.part);
    pass.end_ns = monotonic_ns();
    part.next_ns = pass.end_ns + part.period_ns;
  }

  void touch_hot() {
    const int64_t pass_start_ns = monotonic_ns();
    touch(hot_.part);
    state_.hot_pass_ns = monotonic_ns() - pass_start_ns;
    hot_.next_ns = std::max(hot_.next_ns + hot_.period_ns, pass_start_ns);
  }

  // By pieces, with pauses in which the hot part has its passes. The state says when the pass
  // begins and when it has ended.
  void pass(PeriodicPart& part, Pass& pass) {
    pass.start_ns = monotonic_ns();
    write_state(path_, state_);
    for (int64_t at = 0; at < part.part.bytes; at += kPieceBytes) {
      touch({part.part.begin + at, std::min(kPieceBytes, part.part.bytes - at)});
      sleep_until(monotonic_ns() + kPauseNs);
      if (hot_.due(monotonic_ns())) touch_hot();
    }
    pass.end_ns = monotonic_ns();
    write_state(path_, state_);
    part.next_ns += part.period_ns;
  }

  std::string path_;
  PeriodicPart hot_;
  PeriodicPart warm_;
  PeriodicPart cold_;
  WorkloadState state_;
};

void run(const Arguments& arguments) {
  pin_to_cpu(static_cast<int>(arguments.number("--cpu")));
  start_flusher();
  if (!arguments.text("--node").empty()) {
    prefer_node(static_cast<unsigned>(arguments.number("--node")));
  }
  Workload workload(arguments);
  workload.start();
  std::printf("workload: %lld MiB of the hot part are on transparent huge pages\n",
              static_cast<long long>(workload.huge_mib()));
  std::fflush(stdout);
  if (arguments.has("--thp") && !workload.hot_is_huge()) {
    throw std::runtime_error("the hot part did not get its huge pages");
  }
  workload.run();
}

}  // namespace
}  // namespace guest_test

int main(int argc, char** argv) try {
  guest_test::run(guest_test::Arguments(argc, argv, 1, {"--thp"},
                                        {{"--hot", "256M"},
                                         {"--warm", "256M"},
                                         {"--cold", "512M"},
                                         {"--hot-period", "0.1"},
                                         {"--warm-period", "9.1"},
                                         {"--cold-period", "0"},
                                         {"--cpu", "0"},
                                         {"--node", ""},
                                         {"--state", "/run/workload"}}));
} catch (const std::exception& error) {
  std::fprintf(stderr, "workload: %s\n%s", error.what(), guest_test::kUsage);
  return 1;
}
