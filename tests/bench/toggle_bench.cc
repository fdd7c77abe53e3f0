// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long a reader may have to wait while another process turns monitoring on and off without
// pause. A sysfs file is read in the same moments: what that one waits is the machine's doing, not
// the daemon's.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "summary.h"

namespace damon_statfs::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr auto kPeriod = std::chrono::milliseconds(400);  // of one file in one round

struct Shared {
  std::atomic<bool> toggling{false};
  std::atomic<bool> end{false};
  std::atomic<int> errno_value{0};
  std::atomic<uint64_t> writes{0};
};

Shared& shared_page() {
  void* const page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  return *new (page) Shared;
}

void be_toggler(const std::string& enabled, Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // no other process would stop it
  const int fd = open(enabled.c_str(), O_WRONLY | O_CLOEXEC);
  while (!shared.end) {
    if (!shared.toggling) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    const bool wrote = pwrite(fd, "N", 1, 0) == 1 && pwrite(fd, "Y", 1, 0) == 1;
    if (!wrote) shared.errno_value = errno;
    shared.writes += 2;
  }
}

void read_once(const std::string& path) {
  std::array<char, 4096> buffer{};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, buffer.data(), buffer.size()) <= 0) {
    fmt::print(stderr, "toggle_bench: {}: {}\n", path, std::strerror(errno));
  }
  close(fd);
}

// One row: the waits, in microseconds, for a file with or without toggling.
struct Row {
  std::string name;
  std::string path;
  bool toggling = false;
  std::vector<double> waits_us{};

  void measure(Shared& shared, std::chrono::duration<double>& toggled_for) {
    shared.toggling = toggling;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto begin = SteadyClock::now();
    auto now = begin;
    while (now - begin < kPeriod) {
      read_once(path);
      const auto end = SteadyClock::now();
      waits_us.push_back(std::chrono::duration<double, std::micro>(end - now).count());
      now = end;
    }
    if (toggling) toggled_for += now - begin + std::chrono::milliseconds(20);
    shared.toggling = false;
  }
};

void print_table(const std::vector<Row>& rows) {
  fmt::print("\nWaiting time of open+read+close in us:\n\n");
  print_head(
      {"file", "`enabled` toggled", "reads", "median", "99 %", "99.9 %", "worst", "over 10 ms"});
  for (const Row& row : rows) {
    const auto at = [&](double share) {
      return fmt::format("{:.0f}", quantile(row.waits_us, share));
    };
    const auto too_long = std::count_if(row.waits_us.begin(), row.waits_us.end(),
                                        [](double wait_us) { return wait_us > 10'000; });
    print_row({row.name, row.toggling ? "yes" : "no", std::to_string(row.waits_us.size()), at(0.5),
               at(0.99), at(0.999), at(1), std::to_string(too_long)});
  }
}

void run(const std::string& directory, const std::string& sysfs) {
  const std::string percentiles = directory + "/memory_idle_ms_percentiles";
  const std::string enabled = directory + "/enabled";
  std::vector<Row> rows = {{"sysfs parameter", sysfs, false},
                           {"sysfs parameter", sysfs, true},
                           {"memory_idle_ms_percentiles", percentiles, false},
                           {"memory_idle_ms_percentiles", percentiles, true},
                           {"enabled", enabled, false},
                           {"enabled", enabled, true}};
  Shared& shared = shared_page();
  const pid_t toggler = fork();
  if (toggler == 0) {
    be_toggler(enabled, shared);
    _exit(EXIT_SUCCESS);
  }
  std::chrono::duration<double> toggled_for{0};
  for (int round = 0; round < kRounds; ++round) {
    for (Row& row : rows) row.measure(shared, toggled_for);
  }
  shared.end = true;
  waitpid(toggler, nullptr, 0);
  print_table(rows);
  fmt::print("\n{:.0f} writes of Y or N per second",
             static_cast<double>(shared.writes) / toggled_for.count());
  if (shared.errno_value != 0) fmt::print("; one failed: {}", std::strerror(shared.errno_value));
  fmt::print(".\n");
}

}  // namespace
}  // namespace damon_statfs::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: toggle_bench MOUNTPOINT SYSFS_FILE\n");
    return EXIT_FAILURE;
  }
  damon_statfs::bench::run(argv[1], argv[2]);
}
