// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory that a workload holds, and the trick that makes its use visible under emulation. Shared by
// the workload of the guest tests and those of the evaluation, which differ only in what they touch
// when.
#pragma once

#include <cstdint>

namespace guest_test {

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kHugePageBytes = 2 << 20;

struct Part {
  char* begin = nullptr;
  int64_t bytes = 0;
};

void pin_to_cpu(int cpu);

// QEMU keeps translations of a process that is alone on its vCPU for ever, so its accesses set no
// accessed bit. Switching to another process drops them; a child makes that happen every 1 ms.
// Precondition: pinned, and nothing populated yet.
void start_flusher();

// Takes memory of this NUMA node first from now on. Throws when it cannot.
void prefer_node(unsigned node);

// Address space that starts on a huge page boundary, with huge pages asked for or ruled out.
Part reserve(int64_t bytes, bool huge);

// Writes to every page.
void populate(const Part& part);

// Reads from every page.
void touch(const Part& part);

// How much of the part lies on transparent huge pages, as /proc/self/smaps says.
int64_t huge_bytes(const Part& part);

}  // namespace guest_test
