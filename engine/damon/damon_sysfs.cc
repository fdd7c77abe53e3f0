// SPDX-License-Identifier: GPL-2.0-or-later
//
// One lock is for the whole interface, and a caller that finds it taken gets EBUSY at once; so
// writes are tried again, but not without another look at whose the files are then.
#include "engine/damon/damon_sysfs.h"

#include <fmt/format.h>

#include <cerrno>

namespace damon_statfs {

std::string nr_kdamonds_path() { return fmt::format("{}/nr_kdamonds", kKdamondsDirectory); }

std::string kdamond_path(int index, std::string_view file) {
  return fmt::format("{}/{}/{}", kKdamondsDirectory, index, file);
}

std::string context_path(int index, std::string_view file) {
  return fmt::format("{}/{}/contexts/0/{}", kKdamondsDirectory, index, file);
}

Result<uint64_t> read_nr_kdamonds(const KernelFiles& files) {
  Result<uint64_t> number = read_number(files, nr_kdamonds_path());
  if (!failed_with(number, ENOENT)) return number;
  return failure(ENODEV,
                 fmt::format("{}: missing; {}", nr_kdamonds_path(),
                             why_missing(files, nr_kdamonds_path(),
                                         "the kernel is built without CONFIG_DAMON_SYSFS, or older "
                                         "than Linux 5.18")));
}

// Other programs monitor physical memory, too, but with an update interval of whole seconds.
std::optional<uint64_t> likely_mark(const KernelFiles& files) {
  const Result<std::string> operations = files.read(context_path(0, "operations"));
  const Result<uint64_t> update_us = read_number(files, context_path(0, kUpdateUs));
  if (!operations || operations.value() != "paddr" || !update_us) return std::nullopt;
  constexpr uint64_t kUsPerSecond = 1'000'000;
  return update_us.value() % kUsPerSecond == 0 ? std::nullopt : std::optional(update_us.value());
}

Result<void> write_unless(const KernelFiles& files, const Clock& clock,
                          const std::function<Result<void>()>& refuse, const std::string& path,
                          const std::string& text) {
  Result<void> allowed = outcome::success();
  const Result<void> written = retry_busy(clock, kMaxBusyNs, [&]() -> Result<void> {
    allowed = refuse();
    if (!allowed) return outcome::success();
    return files.write(path, text);
  });
  return allowed ? written : allowed;
}

}  // namespace damon_statfs
