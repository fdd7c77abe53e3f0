// SPDX-License-Identifier: GPL-2.0-or-later
//
// A process whose memory use is known: a hot part touched all the time, a warm part touched once
// per period and a cold part touched once. The guest tests compare what the daemon reports with it.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "arguments.h"
#include "memory_part.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr const char* kUsage =
    "Usage: workload [--hot SIZE] [--warm SIZE] [--cold SIZE] [--warm-period SECONDS] [--thp]\n"
    "                [--warm-hold SECONDS] [--cpu N] [--state FILE]\n";

class Workload {
 public:
  explicit Workload(const Arguments& arguments)
      : path_(arguments.text("--state")),
        warm_period_ns_(static_cast<int64_t>(arguments.number("--warm-period") * 1e9)),
        warm_hold_ns_(static_cast<int64_t>(arguments.number("--warm-hold") * 1e9)),
        hot_(reserve(arguments.bytes("--hot"), arguments.has("--thp"))),
        warm_(reserve(arguments.bytes("--warm"), false)),
        cold_(reserve(arguments.bytes("--cold"), false)) {}

  // Writes to every page once. The flusher must be running by now, or the pages stay invisible.
  void start() {
    populate(hot_);
    populate(warm_);
    state_.warm_start_ns = state_.warm_end_ns = monotonic_ns();
    populate(cold_);
    state_.cold_end_ns = monotonic_ns();
    state_.hot_bytes = hot_.bytes;
    state_.warm_bytes = warm_.bytes;
    state_.cold_bytes = cold_.bytes;
    state_.huge_bytes = huge_bytes(hot_);
  }

  // Touches until somebody kills the process.
  [[noreturn]] void run() {
    for (int64_t next_warm_ns = monotonic_ns();;) {
      const int64_t pass_start_ns = monotonic_ns();
      touch(hot_);
      const int64_t now_ns = monotonic_ns();
      state_.hot_pass_ns = now_ns - pass_start_ns;
      if (now_ns >= next_warm_ns) {
        warm_pass();
        next_warm_ns += warm_period_ns_;
      }
    }
  }

  bool hot_is_huge() const { return state_.huge_bytes * 100 >= hot_.bytes * 99; }
  int64_t huge_mib() const { return state_.huge_bytes >> 20; }

 private:
  void warm_pass() {
    state_.warm_start_ns = monotonic_ns();
    write_state(path_, state_);
    do {
      touch(warm_);
    } while (monotonic_ns() - state_.warm_start_ns < warm_hold_ns_);
    state_.warm_end_ns = monotonic_ns();
    write_state(path_, state_);
  }

  std::string path_;
  int64_t warm_period_ns_;
  int64_t warm_hold_ns_;  // passes over the warm part are repeated for so long
  Part hot_;
  Part warm_;
  Part cold_;
  WorkloadState state_;
};

void run(const Arguments& arguments) {
  pin_to_cpu(static_cast<int>(arguments.number("--cpu")));
  start_flusher();
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
                                        {{"--hot", "512M"},
                                         {"--warm", "512M"},
                                         {"--cold", "1G"},
                                         {"--warm-period", "5"},
                                         {"--warm-hold", "0"},
                                         {"--cpu", "0"},
                                         {"--state", "/run/workload"}}));
} catch (const std::exception& error) {
  std::fprintf(stderr, "workload: %s\n%s", error.what(), guest_test::kUsage);
  return 1;
}
