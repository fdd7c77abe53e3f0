// SPDX-License-Identifier: GPL-2.0-or-later
//
// Takes the place of the kernel where DAMON is read and told things, with all that can go wrong
// there: a lock that others hold, files that vanish, a second program that does not ask.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/kernel_files.h"
#include "support/fake_kdamonds.h"

namespace damon_statfs::test {

class FakeDamon final : public KernelFiles {
 public:
  explicit FakeDamon(Kernel kernel);

  Result<std::string> read(const std::string& path) const override;
  Result<void> write(const std::string& path, const std::string& text) const override;
  Result<void> write_below(const std::string& directory,
                           std::span<const NamedText> texts) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;

  // A path below .../admin/kdamonds.
  static std::string admin(const std::string& file) { return kKdamonds + "/" + file; }

  // What the kernel knows. The regions are the same whatever is monitored, and tried_regions/ shows
  // those that a scheme matches.
  void set_regions(std::vector<Region> regions) { kernel_.regions = std::move(regions); }
  void set_clock(FakeClock& clock) { kernel_.clock = &clock; }
  void set_file(const std::string& path, const std::string& text) { kernel_.files[path] = text; }
  void remove_file(const std::string& path) { kernel_.files.erase(path); }
  void set_module(const std::string& name, bool enabled);
  FakeKdamonds& kernel() { return kernel_; }
  const FakeKdamonds& kernel() const { return kernel_; }

  // The content of a file as it is, whatever faults there are; empty if it is not there.
  std::string content(const std::string& path) const;
  // All of the interface's files, to compare with.
  Files staged() const;

  // Faults. They are for the program under test only.

  // Of the accesses that take the interface's lock: lets `after` pass, then the next `count` fail
  // with EBUSY.
  void busy(int64_t count, int64_t after = 0);
  void busy_forever() { busy(INT64_MAX); }
  void not_busy() { busy(0); }
  // The next `count` accesses to this file, or listings of this directory, fail.
  void fail(const std::string& path, int errno_value, int count);
  // A file, or a directory with all below it, is not there.
  void vanish(const std::string& path) { vanished_.push_back(path); }
  void restore_vanished() { vanished_.clear(); }
  // Everything fails without any effect, as if the program did not exist any more.
  void cut_off() { cut_off_ = true; }
  void reconnect() { cut_off_ = false; }

  // Called before every access of the program under test. What it does through this object is what
  // another program does.
  std::function<void(FakeDamon&, const std::string& path, const std::string& text)> before_write;
  std::function<void(FakeDamon&, const std::string& path)> before_read;

  // All writes in their order, also those that failed.
  struct Write {
    std::string path;
    std::string text;
    int errno_value = 0;
    bool foreign = false;  // of another program
  };
  std::vector<Write> journal;
  size_t nr_writes() const;          // of the program under test
  int64_t nr_lock_accesses() const;  // of the program under test

  // Another program. What it writes is subject to no faults.
  Result<void> foreign_write(const std::string& path, const std::string& text);
  // Sets up kdamond 0 anew. Returns: whether the kernel let it.
  bool stage_foreign(const std::string& operations = "paddr");
  // The same, and switches it on. Returns: its pid, -1 if the kernel did not let it.
  pid_t start_foreign(const std::string& operations = "paddr");

 private:
  bool is_vanished(const std::string& path) const;
  int fault(const std::string& path, bool takes_lock);
  Result<std::string> read_now(const std::string& path);
  Result<std::vector<std::string>> list_now(const std::string& path);
  Result<void> write_now(const std::string& path, const std::string& text,
                         const std::function<bool()>& is_there = [] { return true; });

  FakeKdamonds kernel_;
  int64_t lock_accesses_ = 0;
  int64_t busy_from_ = 0;  // counted in lock_accesses_
  int64_t busy_to_ = 0;
  std::map<std::string, std::pair<int, int>> failures_;  // errno, how often
  std::vector<std::string> vanished_;
  bool cut_off_ = false;
  bool foreign_ = false;  // a hook is running
};

}  // namespace damon_statfs::test
