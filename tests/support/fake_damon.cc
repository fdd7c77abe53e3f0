// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each access of the program under test goes through the hook, then the faults, then the kernel;
// one of another program to the kernel at once.
#include "support/fake_damon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace damon_statfs::test {
namespace {

auto errno_failure(int errno_value, const std::string& path) {
  return failure(errno_value, path + ": " + strerrordesc_np(errno_value));
}

}  // namespace

FakeDamon::FakeDamon(Kernel kernel) : kernel_(kernel) {
  set_file("/proc/iomem", "00100000-3fffffff : System RAM");
  set_file("/proc/sys/kernel/random/boot_id", "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11");
  set_file("/proc/1/comm", "systemd");
  set_file("/proc/1/stat", "1 (systemd) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 57 0 0");
}

// The program under test cannot change the object that stands for the kernel, but the kernel can.
Result<std::string> FakeDamon::read(const std::string& path) const {
  return const_cast<FakeDamon*>(this)->read_now(path);
}
Result<void> FakeDamon::write(const std::string& path, const std::string& text) const {
  return const_cast<FakeDamon*>(this)->write_now(path, text);
}

// What was looked up is another one if it has been made anew.
Result<void> FakeDamon::write_below(const std::string& directory,
                                    std::span<const NamedText> texts) const {
  const uint64_t generation = kernel_.generation(directory);
  for (const NamedText& text : texts) {
    BOOST_OUTCOME_TRYV(const_cast<FakeDamon*>(this)->write_now(
        directory + "/" + text.name, text.text,
        [&] { return kernel_.generation(directory) == generation; }));
  }
  return outcome::success();
}

Result<std::vector<std::string>> FakeDamon::list(const std::string& path) const {
  return const_cast<FakeDamon*>(this)->list_now(path);
}

Result<std::vector<std::string>> FakeDamon::list_now(const std::string& path) {
  const int error = fault(path, false);
  if (error != 0) return errno_failure(error, path);
  std::vector<std::string> names = kernel_.list(path);
  std::erase_if(names, [&](const auto& name) { return is_vanished(path + "/" + name); });
  return names;
}

Result<std::string> FakeDamon::read_now(const std::string& path) {
  if (before_read && !foreign_ && !cut_off_) {
    foreign_ = true;
    before_read(*this, path);
    foreign_ = false;
  }
  std::string text;
  int error = foreign_ ? 0 : fault(path, FakeKdamonds::read_locks(path));
  if (error == 0) error = kernel_.read(path, text);
  if (error != 0) return errno_failure(error, path);
  return text;
}

Result<void> FakeDamon::write_now(const std::string& path, const std::string& text,
                                  const std::function<bool()>& is_there) {
  if (before_write && !foreign_ && !cut_off_) {
    foreign_ = true;
    before_write(*this, path, text);
    foreign_ = false;
  }
  int error = foreign_ ? 0 : fault(path, FakeKdamonds::write_locks(path));
  if (error == 0 && !is_there()) error = ENOENT;
  if (error == 0) error = kernel_.write(path, text, foreign_);
  if (!cut_off_ || foreign_) journal.push_back({path, text, error, foreign_});
  if (error != 0) return errno_failure(error, path);
  return outcome::success();
}

int FakeDamon::fault(const std::string& path, bool takes_lock) {
  if (cut_off_) return EIO;
  if (is_vanished(path)) return ENOENT;
  if (const auto failing = failures_.find(path); failing != failures_.end()) {
    const int errno_value = failing->second.first;
    if (--failing->second.second == 0) failures_.erase(failing);
    return errno_value;
  }
  if (!takes_lock || kernel_.files.count(path) == 0) return 0;
  const int64_t access = lock_accesses_++;
  return busy_from_ <= access && access < busy_to_ ? EBUSY : 0;
}

bool FakeDamon::is_vanished(const std::string& path) const {
  return std::any_of(vanished_.begin(), vanished_.end(),
                     [&](const auto& vanished) { return is_within(path, vanished); });
}

void FakeDamon::busy(int64_t count, int64_t after) {
  busy_from_ = lock_accesses_ + after;
  busy_to_ = count > INT64_MAX - busy_from_ ? INT64_MAX : busy_from_ + count;
}

void FakeDamon::fail(const std::string& path, int errno_value, int count) {
  failures_.erase(path);
  if (count > 0) failures_[path] = {errno_value, count};
}

void FakeDamon::set_module(const std::string& name, bool enabled) {
  set_file(fmt::format("/sys/module/{}/parameters/enabled", name), enabled ? "Y" : "N");
}

std::string FakeDamon::content(const std::string& path) const {
  std::string text;
  kernel_.read(path, text);
  return text;
}

Files FakeDamon::staged() const {
  Files files;
  for (const auto& [path, text] : kernel_.files) {
    if (is_within(path, kKdamonds)) files[path] = content(path);
  }
  return files;
}

size_t FakeDamon::nr_writes() const {
  return static_cast<size_t>(std::count_if(journal.begin(), journal.end(),
                                           [](const Write& write) { return !write.foreign; }));
}

int64_t FakeDamon::nr_lock_accesses() const { return lock_accesses_; }

Result<void> FakeDamon::foreign_write(const std::string& path, const std::string& text) {
  const bool in_hook = std::exchange(foreign_, true);
  const Result<void> written = write_now(path, text);
  foreign_ = in_hook;
  return written;
}

bool FakeDamon::stage_foreign(const std::string& operations) {
  const std::string context = admin("0/contexts/0/");
  const std::pair<std::string, const char*> writes[] = {
      {admin("nr_kdamonds"), "1"},
      {admin("0/contexts/nr_contexts"), "1"},
      {context + "operations", operations.c_str()},
      {context + "monitoring_attrs/intervals/sample_us", "7000"},
      {context + "monitoring_attrs/intervals/aggr_us", "140000"},
      {context + "targets/nr_targets", "1"},
      {context + "targets/0/pid_target", "1"},
      {context + "targets/0/regions/nr_regions", "1"},
      {context + "targets/0/regions/0/start", "1048576"},
      {context + "targets/0/regions/0/end", "536870912"},
  };
  return std::all_of(std::begin(writes), std::end(writes), [&](const auto& write) {
    return foreign_write(write.first, write.second).has_value();
  });
}

pid_t FakeDamon::start_foreign(const std::string& operations) {
  if (!stage_foreign(operations) || !foreign_write(admin("0/state"), "on")) return -1;
  return kernel_.running(0)->pid;
}

}  // namespace damon_statfs::test
