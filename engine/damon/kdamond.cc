// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which value goes into which file, and in which order. Before each write it is made sure that what
// is there is still ours.
#include "engine/damon/kdamond.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/damon/damon_sysfs.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kDefaultUpdateUs = 60'000'000;

Result<Region> read_region(const KernelFiles& files, const std::string& directory) {
  Region region;
  DAMON_STATFS_TRY(start, read_number(files, directory + "/start"));
  DAMON_STATFS_TRY(end, read_number(files, directory + "/end"));
  DAMON_STATFS_TRY(nr_accesses, read_number(files, directory + "/nr_accesses"));
  DAMON_STATFS_TRY(age, read_number(files, directory + "/age"));
  if (start >= end) return failure(EIO, fmt::format("{}: ends before it starts", directory));
  region.start = start;
  region.end = end;
  region.nr_accesses = static_cast<uint32_t>(nr_accesses);
  region.age = static_cast<uint32_t>(age);
  return region;
}

}  // namespace

std::string Kdamond::path(std::string_view file) const { return kdamond_path(index_, file); }

// The mark comes first: from then on a crash leaves something that the next start knows as ours. It
// may have gone into what another program has set up at the same moment; then it means nothing.
Result<void> Kdamond::make_context() {
  const auto refuse = [&] { return refuse_staged(kDefaultUpdateUs); };
  BOOST_OUTCOME_TRYV(write_unless(files_, clock_, refuse, path("contexts/nr_contexts"), "1"));
  BOOST_OUTCOME_TRYV(
      write_unless(files_, clock_, refuse, context_path(index_, kUpdateUs), std::to_string(mark_)));
  Result<void> made = refuse_staged(mark_);
  mark_counts_ = made.has_value();
  return made;
}

Result<void> Kdamond::stage(const KdamondSetup& setup) {
  const std::string available = context_path(index_, "avail_operations");
  DAMON_STATFS_TRY(sets, read_if_there(files_, available));
  if (sets && sets->find("paddr") == std::string::npos) {
    return failure(
        ENODEV,
        fmt::format("{}: no paddr, the kernel is built without CONFIG_DAMON_PADDR", available));
  }
  BOOST_OUTCOME_TRYV(put(setup));
  if (!setup.stat_scheme) return outcome::success();
  DAMON_STATFS_TRY(of_scheme, list_if_there(files_, context_path(index_, "schemes/0")));
  if (std::count(of_scheme.begin(), of_scheme.end(), "tried_regions") > 0) {
    return outcome::success();
  }
  return failure(ENODEV,
                 fmt::format("{}: not there before Linux 6.2, and there are no trace events",
                             context_path(index_, kTriedRegions)));
}

Result<pid_t> Kdamond::turn_on() {
  BOOST_OUTCOME_TRYV(command("on"));
  may_be_on_ = true;
  const Result<uint64_t> pid =
      retry_busy(clock_, kMaxBusyNs, [&] { return read_number(files_, path("pid")); });
  const Result<void> ours = refuse_foreign();
  if (ours && pid) return static_cast<pid_t>(pid.value());
  // What runs now is either not what was staged or cannot be followed. A pid of -1 is no number.
  BOOST_OUTCOME_TRYV(turn_off(pid ? static_cast<pid_t>(pid.value()) : -1, kMaxBusyNs));
  if (!ours) return ours.as_failure();
  if (failed_with(pid, EIO))
    return failure(ESRCH, fmt::format("{}: it ended at once", path("pid")));
  return pid.as_failure();
}

Result<void> Kdamond::turn_off(pid_t pid, int64_t limit_ns) {
  Result<void> off = retry_busy(clock_, limit_ns, [&]() -> Result<void> {
    if (pid > 0) {
      DAMON_STATFS_TRY(is_it, is_pid(pid));
      if (!is_it) return outcome::success();
    }
    return files_.write(path("state"), "off");
  });
  // It was never on, or is not any more.
  const bool was_off = failed_with(off, EINVAL) || failed_with(off, EPERM);
  if (!off && !was_off) return off;
  may_be_on_ = false;
  return outcome::success();
}

Result<bool> Kdamond::is_pid(pid_t pid) const {
  DAMON_STATFS_TRY(text, files_.read_again(path("pid")));
  return text == std::to_string(pid);
}

Result<bool> Kdamond::is_on() const {
  DAMON_STATFS_TRY(text, files_.read(path("state")));
  return text == "on";
}

Result<bool> Kdamond::is_marked() const {
  if (!mark_counts_) return false;
  const Result<uint64_t> mark = read_number(files_, context_path(index_, kUpdateUs), true);
  if (is_missing(mark)) return false;
  if (!mark) return mark.as_failure();
  return mark.value() == mark_;
}

Result<bool> Kdamond::is_untouched() const {
  for (const uint64_t update_us : {kDefaultUpdateUs, mark_}) {
    Result<bool> untouched = is_default(update_us);
    if (is_missing(untouched)) return false;
    if (!untouched || untouched.value()) return untouched;
  }
  return false;
}

// Whether there are as many kdamonds as ours are, and this one has a context as the kernel makes it
// but for its update interval, or none.
Result<bool> Kdamond::is_default(uint64_t update_us) const {
  DAMON_STATFS_TRY(kdamonds, read_nr_kdamonds(files_));
  if (kdamonds != nr_ours_) return false;
  DAMON_STATFS_TRY(contexts, read_number(files_, path("contexts/nr_contexts")));
  if (contexts == 0) return true;
  const std::pair<const char*, std::string> defaults[] = {
      {"operations", "vaddr"}, {"targets/nr_targets", "0"}, {"schemes/nr_schemes", "0"},
      {kSampleUs, "5000"},     {kAggrUs, "100000"},         {kUpdateUs, std::to_string(update_us)},
  };
  for (const auto& [file, expected] : defaults) {
    DAMON_STATFS_TRY(text, files_.read(context_path(index_, file)));
    if (text != expected) return false;
  }
  return true;
}

// Returns: EBUSY if is_default() says no.
Result<void> Kdamond::refuse_staged(uint64_t update_us) const {
  DAMON_STATFS_TRY(made_by_us, is_default(update_us));
  if (made_by_us) return outcome::success();
  return failure(EBUSY,
                 fmt::format("{}/{}: another program has set it up", kKdamondsDirectory, index_));
}

Result<void> Kdamond::verify(const KdamondSetup& setup) const {
  BOOST_OUTCOME_TRYV(refuse_foreign());
  if (half_staged_) return outcome::success();
  DAMON_STATFS_TRY(kernel_tunes, tunes_intervals());
  const bool tuned = setup.attrs.goal.aggrs != 0 && kernel_tunes;
  for (const StagedValue& value : staged_values(setup)) {
    // The tuned intervals come and go in these two, at any program's wish.
    if (tuned && (value.file == kSampleUs || value.file == kAggrUs)) continue;
    BOOST_OUTCOME_TRYV(verify_text(value.file, value.text, value.optional));
  }
  // To read all of thousands of ranges would cost as much as to write them.
  constexpr size_t kMaxRanges = 32;
  const size_t nr_ranges = std::min(setup.ranges.size(), kMaxRanges);
  for (size_t i = 0; i < nr_ranges; ++i) {
    const size_t range = next_verified_++ % setup.ranges.size();
    for (const NamedText& bound : bounds_of(range, setup.ranges[range])) {
      BOOST_OUTCOME_TRYV(
          verify_text(fmt::format("{}/{}", kRangesDirectory, bound.name), bound.text, false));
    }
  }
  return outcome::success();
}

Result<void> Kdamond::verify_text(const std::string& file, const std::string& text,
                                  bool optional) const {
  const Result<std::string> found = files_.read(context_path(index_, file));
  if (optional && failed_with(found, ENOENT)) return outcome::success();
  if (!found) return found.as_failure();
  if (found.value() == text) return outcome::success();
  return failure(EBUSY, fmt::format("{}: another program has changed it from {} to {}",
                                    context_path(index_, file), text, found.value()));
}

Result<KdamondIntervals> Kdamond::tuned_intervals() {
  BOOST_OUTCOME_TRYV(command("update_tuned_intervals"));
  DAMON_STATFS_TRY(sample_us, read_number(files_, context_path(index_, kSampleUs), true));
  DAMON_STATFS_TRY(aggr_us, read_number(files_, context_path(index_, kAggrUs), true));
  return KdamondIntervals{sample_us, aggr_us};
}

Result<KdamondSetup> Kdamond::commit(const KdamondSetup& in_force, const KdamondSetup& setup) {
  KdamondSetup wanted = setup;
  DAMON_STATFS_TRY(kernel_tunes, tunes_intervals());
  if (kernel_tunes && in_force.attrs.goal.aggrs != 0) {
    DAMON_STATFS_TRY(tuned, tuned_intervals());
    wanted.attrs = within_goal(with_intervals(wanted.attrs, tuned.sample_us, tuned.aggr_us));
  }
  half_staged_ = true;
  Result<void> committed = put(wanted);
  if (committed) committed = command("commit");
  if (committed || put(in_force)) half_staged_ = false;
  if (!committed) return committed.as_failure();
  return wanted;
}

Result<std::vector<Region>> Kdamond::tried_regions() {
  BOOST_OUTCOME_TRYV(command("update_schemes_tried_regions"));
  std::vector<Region> regions;
  DAMON_STATFS_TRY(names, files_.list(context_path(index_, kTriedRegions)));
  for (const std::string& name : names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    DAMON_STATFS_TRY(region, read_region(files_, context_path(index_, kTriedRegions) + "/" + name));
    regions.push_back(region);
  }
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.start < b.start; });
  // Thousands of directories that no other program needs; if the kernel is busy they stay until the
  // next update.
  if (refuse_foreign()) {
    static_cast<void>(files_.write(path("state"), "clear_schemes_tried_regions").has_value());
  }
  return regions;
}

Result<bool> Kdamond::tunes_intervals() const {
  const Result<std::string> aggrs = files_.read_again(context_path(index_, kGoalAggrs));
  if (is_missing(aggrs)) return false;
  if (!aggrs) return aggrs.as_failure();
  return true;
}

// The scheme comes last: it needs the monitored ranges no more than they need it.
Result<void> Kdamond::put(const KdamondSetup& setup) {
  if (staged_ranges_.size() != setup.ranges.size()) staged_ranges_.clear();
  BOOST_OUTCOME_TRYV(set_values(staged_values(setup)));
  return set_ranges(setup.ranges);
}

// The directory is held while they are written, so that they cannot go into one that another
// program has put in its place; that nothing else of it is another program's is asked before and
// after.
Result<void> Kdamond::set_ranges(const std::vector<AddressRange>& ranges) {
  const std::vector<NamedText> texts = staged_ranges(ranges, staged_ranges_);
  staged_ranges_.clear();
  constexpr size_t kTextsAtOnce = 64;
  for (size_t i = 0; i < texts.size(); i += kTextsAtOnce) {
    BOOST_OUTCOME_TRYV(refuse_foreign());
    const auto some = std::span(texts).subspan(i, std::min(kTextsAtOnce, texts.size() - i));
    BOOST_OUTCOME_TRYV(files_.write_below(context_path(index_, kRangesDirectory), some));
  }
  staged_ranges_ = ranges;
  return outcome::success();
}

// Writes what is not so already.
Result<void> Kdamond::set_values(const std::vector<StagedValue>& values) {
  for (const StagedValue& value : values) {
    const std::string path = context_path(index_, value.file);
    const Result<std::string> text = files_.read(path);
    if (value.optional && failed_with(text, ENOENT)) continue;
    if (!text) return text.as_failure();
    if (text.value() == value.text) continue;
    BOOST_OUTCOME_TRYV(write_unless(
        files_, clock_, [&] { return refuse_foreign(); }, path, value.text));
  }
  return outcome::success();
}

Result<void> Kdamond::refuse_foreign() const {
  DAMON_STATFS_TRY(marked, is_marked());
  if (marked) return outcome::success();
  return failure(
      EBUSY, fmt::format("{}/{}: another program has set it up anew", kKdamondsDirectory, index_));
}

Result<void> Kdamond::command(const std::string& word) {
  return write_unless(
      files_, clock_, [&] { return refuse_foreign(); }, path("state"), word);
}

Result<void> Kdamond::remove_context() const {
  return files_.write(path("contexts/nr_contexts"), "0");
}

}  // namespace damon_statfs
