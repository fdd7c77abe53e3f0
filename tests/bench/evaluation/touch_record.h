// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a workload of the evaluation says about itself while it runs: which share of memory it
// touched when. It lies in shared memory, because a hot part is passed over up to a thousand times
// a second.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace guest_test {

// Two touches that are no further apart than a check period look like continued use.
constexpr int64_t kCheckPeriodNs = 1'000'000'000;

// A start and an end of CLOCK_MONOTONIC; both 0 when there was none.
struct TouchPass {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

// Memory that is always touched as a whole, from one end to the other. Passes that follow each
// other within a check period are one run.
struct PartRecord {
  int64_t bytes = 0;
  TouchPass before_run;      // the last pass of the run before this one
  int64_t run_since_ns = 0;  // end of the first pass of this run; 0 before there is one
  TouchPass last;            // the last pass that has ended
  int64_t begun_ns = 0;      // start of the pass under way, else 0
  int64_t period_ns = 0;  // from one start to the next; 0 for memory that is not touched any more
  int64_t passes = 0;     // that have ended, without the one that filled the part
};

struct TouchState {
  int64_t changed_ns = 0;  // when what is hot last changed; 0 when it never does
  int64_t once_bytes = 0;  // touched for the first and only time so far, as by a heap that grows
  std::vector<PartRecord> parts;
};

// The file in which a workload keeps its state and from which others read it.
class TouchRecord {
 public:
  // The workload's: makes the file. Throws when it cannot.
  static TouchRecord create(const std::string& path);
  // The checker's: maps an existing file.
  static TouchRecord open(const std::string& path);

  // Only for the workload, from one thread. `populated`: the pass that filled the part. The index
  // of a part that has no bytes left is used again.
  size_t add_part(int64_t bytes, TouchPass populated);
  void begin_pass(size_t part);
  void end_pass(size_t part);
  void stop_part(size_t part);  // it is not touched again for a while
  void set_bytes(size_t part, int64_t bytes);
  void set_changed();
  void add_once(int64_t bytes);  // have been touched that no pass counts
  int64_t bytes(size_t part) const;
  size_t count() const;
  void publish();  // from here on the file is there for readers, under its name

  // A consistent copy.
  TouchState read() const;

 private:
  struct Shared;
  class Update;
  TouchRecord(Shared* shared, std::string path) : shared_(shared), path_(std::move(path)) {}

  Shared* shared_;  // mapped until the process ends
  std::string path_;
};

}  // namespace guest_test
