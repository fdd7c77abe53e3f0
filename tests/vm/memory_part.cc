// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mapping, populating and touching. One access per page is enough: what is looked for is the
// accessed bit, and under emulation each further access costs as much as on another page.
#include "memory_part.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace guest_test {

void pin_to_cpu(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<unsigned>(cpu), &cpus);
  if (sched_setaffinity(0, sizeof cpus, &cpus) != 0)
    throw std::runtime_error("cannot pin to a cpu");
}

void prefer_node(unsigned node) {
  const unsigned long nodes = 1UL << node;
  if (syscall(SYS_set_mempolicy, MPOL_PREFERRED, &nodes, sizeof nodes * 8) != 0)
    throw std::runtime_error("cannot prefer a node");
}

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

}  // namespace guest_test
