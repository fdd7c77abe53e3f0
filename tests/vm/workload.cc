// SPDX-License-Identifier: GPL-2.0-or-later
//
// A process whose memory use is known: a hot part touched all the time, a warm part touched once
// per period and a cold part touched once. The guest tests compare what the daemon reports with it.
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "arguments.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kHugePageBytes = 2 << 20;
constexpr const char* kUsage =
    "Usage: workload [--hot SIZE] [--warm SIZE] [--cold SIZE] [--warm-period SECONDS] [--thp]\n"
    "                [--warm-hold SECONDS] [--cpu N] [--state FILE]\n";

struct Part {
  char* begin = nullptr;
  int64_t bytes = 0;
};

void pin_to_cpu(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<unsigned>(cpu), &cpus);
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
    throw std::runtime_error("cannot pin to a cpu");
}

// QEMU keeps translations of a process that is alone on its vCPU for ever, so its accesses set no
// accessed bit. Switching to another process drops them; this child makes that happen every 1 ms.
void start_flusher() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const timespec pause{0, 1'000'000};
  while (getppid() == parent) nanosleep(&pause, nullptr);
  _exit(0);
}

// Address space that starts on a huge page boundary, with huge pages asked for or ruled out.
Part reserve(int64_t bytes, bool huge) {
  const auto length = static_cast<size_t>(bytes + kHugePageBytes);
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map memory");
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const auto align = static_cast<uintptr_t>(kHugePageBytes);
  Part part{static_cast<char*>(memory) + ((align - address % align) % align), bytes};
  const int advice = huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  if (madvise(part.begin, static_cast<size_t>(bytes), advice) != 0 && huge) {
    throw std::runtime_error("this kernel has no transparent huge pages");
  }
  return part;
}

void populate(const Part& part) {
  for (int64_t at = 0; at < part.bytes; at += kPageBytes) part.begin[at] = 1;
}

void touch(const Part& part) {
  for (int64_t at = 0; at < part.bytes; at += kPageBytes) {
    static_cast<void>(*static_cast<volatile char*>(part.begin + at));
  }
}

// How much of the part lies on transparent huge pages, as /proc/self/smaps says.
int64_t huge_bytes(const Part& part) {
  std::ifstream smaps("/proc/self/smaps");
  const auto begin = reinterpret_cast<uintptr_t>(part.begin);
  bool inside = false;
  int64_t total_kib = 0;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t start = 0, end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> start >> dash >> end && dash == '-') {
      inside = start < begin + static_cast<uintptr_t>(part.bytes) && begin < end;
    } else if (inside && line.rfind("AnonHugePages:", 0) == 0) {
      total_kib += std::stoll(line.substr(14));
    }
  }
  return total_kib << 10;
}

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
