// SPDX-License-Identifier: GPL-2.0-or-later
//
// The program that runs one workload of the evaluation in a guest, and keeps its record up to date
// for the checker. It needs /proc/self/pagemap, so it runs as root.
#include <cstdio>
#include <exception>

#include "arguments.h"
#include "memory_part.h"
#include "touch_record.h"
#include "workloads.h"

namespace {

constexpr const char* kUsage =
    "Usage: eval_workload --name NAME [--pause-ms MS] [--hot SIZE] [--cold SIZE] [--cpu N]\n"
    "                     [--state FILE]\n"
    "Workloads:";

}  // namespace

int main(int argc, char** argv) try {
  using guest_test::Arguments;
  const Arguments arguments(argc, argv, 1, {},
                            {{"--name", ""},
                             {"--pause-ms", "0"},
                             {"--hot", "0"},
                             {"--cold", "0"},
                             {"--cpu", "0"},
                             {"--state", "/run/workload"}});
  guest_test::pin_to_cpu(static_cast<int>(arguments.number("--cpu")));
  guest_test::start_flusher();
  guest_test::run_workload(
      {arguments.text("--name"), static_cast<int64_t>(arguments.number("--pause-ms") * 1e6),
       arguments.bytes("--hot"), arguments.bytes("--cold")},
      guest_test::TouchRecord::create(arguments.text("--state")));
} catch (const std::exception& error) {
  std::fprintf(stderr, "eval_workload: %s\n%s", error.what(), kUsage);
  for (const auto& name : guest_test::workload_names()) std::fprintf(stderr, " %s", name.c_str());
  std::fputc('\n', stderr);
  return 1;
}
