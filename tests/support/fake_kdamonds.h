// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's side of DAMON's sysfs interface, in memory: directories that appear and vanish,
// kdamonds that are switched on and off, values that count only once they are committed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/region.h"
#include "support/fake_clock.h"
#include "support/fake_damon_tree.h"

namespace damon_statfs::test {

struct FakeScheme {
  uint64_t min_sz = 0, max_sz = 0;
  uint32_t min_nr_accesses = 0, max_nr_accesses = 0;
  uint32_t min_age = 0, max_age = 0;
  uint64_t apply_interval_us = 0;

  bool matches(const Region& region) const;
};

// What a thread works with, which is not what is staged in its directory.
struct FakeContext {
  std::string operations;
  MonitoringAttrs attrs;
  size_t nr_targets = 0;
  std::vector<AddressRange> ranges;
  std::vector<FakeScheme> schemes;
};

struct RunningKdamond {
  pid_t pid = -1;
  bool foreign = false;  // another program has switched it on
  FakeContext context;
};

class FakeKdamonds {
 public:
  explicit FakeKdamonds(Kernel kernel);

  // All three as the system calls: an errno, or 0 and what they are for.
  int read(const std::string& path, std::string& text) const;
  int write(const std::string& path, const std::string& text, bool foreign);
  std::vector<std::string> list(const std::string& path) const;

  // How often a directory has been made anew, together with one that it is in.
  uint64_t generation(const std::string& directory) const;

  // Whether reading or writing a file takes the interface's one lock.
  static bool read_locks(const std::string& path);
  static bool write_locks(const std::string& path);

  // nullptr: off, or no such kdamond.
  const RunningKdamond* running(int index) const;
  size_t nr_running() const;

  // Ends a thread as the kernel itself does when memory runs out.
  void kill(int index);

  // New intervals from the kernel's tuning, which rescales what was counted.
  void tune(int index, uint64_t sample_us, uint64_t aggr_us);

  Files files;
  std::optional<std::vector<Region>> regions;  // none: each monitored range is one, never accessed
  std::map<int, std::vector<Region>> regions_of;  // of one kdamond by its index, instead of those
  int short_snapshots = 0;                        // so many updates show only some regions
  size_t short_snapshot_regions = 0;              // how many they show
  FakeClock* clock = nullptr;                     // commands take time on it

 private:
  struct Kdamond {
    bool was_on = false;  // since its directory was made
    std::optional<RunningKdamond> running;
  };

  bool exclusive_module_runs() const;
  int resize(const std::string& path, const std::string& text);
  int command(int index, std::string word, bool foreign);
  int running_command(int index, const std::string& word);
  bool knows(const std::string& word) const;

  int turn_on(int index, bool foreign);
  int turn_off(int index);
  int commit(int index);
  int update_tuned_intervals(int index);
  int update_tried_regions(int index, bool bytes_only);
  int clear_tried_regions(int index);

  std::string context_dir(int index) const;
  uint64_t number(const std::string& path) const;
  MonitoringAttrs staged_attrs(const std::string& dir) const;
  FakeScheme staged_scheme(const std::string& dir) const;
  int staged_context(int index, FakeContext& context) const;
  std::vector<Region>* given_regions(int index);
  std::vector<Region> regions_now(int index);
  size_t show_regions(const std::string& dir, const FakeScheme& scheme,
                      const std::vector<Region>& shown, size_t first, bool bytes_only);
  void add_thread(RunningKdamond& kdamond);
  void wait_us(uint64_t us);

  const Kernel kernel_;
  std::map<int, Kdamond> kdamonds_;
  pid_t next_pid_ = 4'000;
  std::map<std::string, uint64_t> resized_;  // how often, by directory
};

}  // namespace damon_statfs::test
