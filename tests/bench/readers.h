// SPDX-License-Identifier: GPL-2.0-or-later
//
// Processes that read one file as fast as they can for a while, as many monitoring programs would.
// They are processes and not threads: threads would share, and contend for, one table of open
// files.
#pragma once

#include <string>

namespace damon_statfs::bench {

enum class ReadMode {
  kCycle,  // open, read to the end of file, close
  kPread,  // pread(4096, 0) on a descriptor that stays open
};

// Runs `nr_readers` of them for `duration_ms`. Returns: reads, or cycles, per second of all
// together. Exits with a message if one of them cannot read.
double reads_per_second(const std::string& path, ReadMode mode, int nr_readers, int duration_ms);

}  // namespace damon_statfs::bench
