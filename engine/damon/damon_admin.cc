// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writing nr_kdamonds makes all directories anew, so all kdamonds come and go at once. Where they
// cannot, because there are another program's, each of ours is emptied instead.
#include "engine/damon/damon_admin.h"

#include <fmt/format.h>

#include <cassert>
#include <cerrno>

#include "engine/damon/damon_sysfs.h"

namespace damon_statfs {

DamonAdmin::DamonAdmin(const KernelFiles& files, const Clock& clock, uint64_t mark,
                       size_t nr_kdamonds)
    : files_(files), clock_(clock) {
  assert(nr_kdamonds > 0);
  for (size_t i = 0; i < nr_kdamonds; ++i) {
    kdamonds_.emplace_back(files, clock, mark, static_cast<int>(i), nr_kdamonds);
  }
}

Result<void> DamonAdmin::make() {
  const auto refuse_others = [&]() -> Result<void> {
    DAMON_STATFS_TRY(number, read_nr_kdamonds(files_));
    if (number == 0) return outcome::success();
    return failure(EBUSY,
                   fmt::format("{}: {} set up by another program", nr_kdamonds_path(), number));
  };
  BOOST_OUTCOME_TRYV(write_unless(files_, clock_, refuse_others, nr_kdamonds_path(),
                                  std::to_string(kdamonds_.size())));
  made_ = true;
  for (Kdamond& kdamond : kdamonds_) {
    BOOST_OUTCOME_TRYV(kdamond.make_context());
  }
  return outcome::success();
}

// Linux 6.12 deadlocks when the directories are removed while the writer of a command that was just
// served, be it another program's, has not woken up yet. That takes it 100 ms.
void DamonAdmin::let_commands_end() const {
  constexpr int64_t kSafeNs = 300 * kNsPerMs;
  const Result<bool> is_newer = kdamond(0).tunes_intervals();
  if (!is_newer || !is_newer.value()) clock_.wait_until(clock_.now_ns() + kSafeNs, -1);
}

Result<void> DamonAdmin::release() {
  let_commands_end();
  return retry_busy(clock_, kMaxBusyNs, [&]() -> Result<void> {
    DAMON_STATFS_TRY(ours, find_ours());
    if (ours.empty()) return outcome::success();
    DAMON_STATFS_TRY(number, read_nr_kdamonds(files_));
    if (number == 0) return outcome::success();
    if (number == ours.size()) return files_.write(nr_kdamonds_path(), "0");
    for (const Kdamond* const kdamond : ours) {
      BOOST_OUTCOME_TRYV(kdamond->remove_context());
    }
    return outcome::success();
  });
}

// Those that are marked, or that nothing has been staged for since they were made.
Result<std::vector<const Kdamond*>> DamonAdmin::find_ours() const {
  std::vector<const Kdamond*> ours;
  for (const Kdamond& kdamond : kdamonds_) {
    DAMON_STATFS_TRY(marked, kdamond.is_marked());
    DAMON_STATFS_TRY(is_ours, marked ? Result<bool>(true) : kdamond.is_untouched());
    if (is_ours) ours.push_back(&kdamond);
  }
  return ours;
}

Result<bool> DamonAdmin::is_marked() const {
  for (const Kdamond& kdamond : kdamonds_) {
    Result<bool> marked = kdamond.is_marked();
    if (!marked || marked.value()) return marked;
  }
  return false;
}

Result<bool> DamonAdmin::is_untouched() const {
  for (const Kdamond& kdamond : kdamonds_) {
    Result<bool> untouched = kdamond.is_untouched();
    if (!untouched || !untouched.value()) return untouched;
  }
  return true;
}

}  // namespace damon_statfs
