// SPDX-License-Identifier: GPL-2.0-or-later
//
// The reading processes and the shared page through which they start together, stop together and
// report.
#include "readers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace damon_statfs::bench {
namespace {

constexpr size_t kReadBytes = 4096;

struct Shared {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> done{0};
};

// Reads to the end. Returns: whether that worked.
bool read_cycle(const char* path, char* buffer) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t bytes = 0;
  do {
    bytes = read(fd, buffer, kReadBytes);
  } while (bytes > 0);
  close(fd);
  return bytes == 0;
}

// The child's life. Returns: its exit status.
int be_reader(const std::string& path, ReadMode mode, Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // no other process would stop it
  std::array<char, kReadBytes> buffer{};
  const int held = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ++shared.ready;
  while (!shared.go.load(std::memory_order_relaxed)) sched_yield();
  uint64_t done = 0;
  bool works = held >= 0;
  while (works && !shared.stop.load(std::memory_order_relaxed)) {
    works = mode == ReadMode::kCycle ? read_cycle(path.c_str(), buffer.data())
                                     : pread(held, buffer.data(), kReadBytes, 0) > 0;
    ++done;
  }
  shared.done += done;
  return works ? EXIT_SUCCESS : errno;
}

[[noreturn]] void give_up(const std::string& path, int errno_value) {
  fmt::print(stderr, "read_bench: {}: {}\n", path, std::strerror(errno_value));
  std::exit(EXIT_FAILURE);
}

Shared& shared_page() {
  void* const page =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) give_up("mmap", errno);
  return *new (page) Shared;
}

}  // namespace

double reads_per_second(const std::string& path, ReadMode mode, int nr_readers, int duration_ms) {
  Shared& shared = shared_page();
  std::vector<pid_t> children;
  for (int i = 0; i < nr_readers; ++i) {
    const pid_t child = fork();
    if (child < 0) give_up("fork", errno);
    if (child == 0) _exit(be_reader(path, mode, shared));
    children.push_back(child);
  }
  while (shared.ready < nr_readers) std::this_thread::sleep_for(std::chrono::milliseconds(1));

  const auto begin = std::chrono::steady_clock::now();
  shared.go = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(duration_ms));
  shared.stop = true;
  int failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) failed = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  const double done = static_cast<double>(shared.done.load());
  munmap(&shared, sizeof shared);
  if (failed != 0) give_up(path, failed);
  return done / elapsed.count();
}

}  // namespace damon_statfs::bench
