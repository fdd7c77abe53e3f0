// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which value goes into which file, and in which order. Features are told by the files that there
// are: stable kernels and vendors mix versions.
#include "engine/damon/damon_admin.h"

#include <fmt/format.h>

#include <limits>

namespace damon_statfs {
namespace {

constexpr int64_t kBusyLimitNs = kNsPerSecond;
constexpr const char* kState = "/sys/kernel/mm/damon/admin/kdamonds/0/state";
constexpr const char* kPid = "/sys/kernel/mm/damon/admin/kdamonds/0/pid";
constexpr const char* kNrContexts = "/sys/kernel/mm/damon/admin/kdamonds/0/contexts/nr_contexts";
constexpr const char* kUpdateUs = "monitoring_attrs/intervals/update_us";
constexpr const char* kSampleUs = "monitoring_attrs/intervals/sample_us";
constexpr const char* kAggrUs = "monitoring_attrs/intervals/aggr_us";
constexpr const char* kGoalAggrs = "monitoring_attrs/intervals/intervals_goal/aggrs";
constexpr uint64_t kDefaultUpdateUs = 60'000'000;
constexpr const char* kTriedRegions = "schemes/0/tried_regions";

std::string nr_kdamonds_path() { return fmt::format("{}/nr_kdamonds", DamonAdmin::kKdamonds); }

std::string context_path(const std::string& file) {
  return fmt::format("{}/0/contexts/0/{}", DamonAdmin::kKdamonds, file);
}

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

Result<uint64_t> DamonAdmin::nr_kdamonds(const KernelFiles& files) {
  Result<uint64_t> number = read_number(files, nr_kdamonds_path());
  if (!failed_with(number, ENOENT)) return number;
  return failure(ENODEV,
                 fmt::format("{}: missing; {}", nr_kdamonds_path(),
                             why_missing(files, nr_kdamonds_path(),
                                         "the kernel is built without CONFIG_DAMON_SYSFS, or older "
                                         "than Linux 5.18")));
}

// Other programs monitor physical memory, too, but with an update interval of whole seconds.
std::optional<uint64_t> DamonAdmin::likely_mark(const KernelFiles& files) {
  const Result<std::string> operations = files.read(context_path("operations"));
  const Result<uint64_t> update_us = read_number(files, context_path(kUpdateUs));
  if (!operations || operations.value() != "paddr" || !update_us) return std::nullopt;
  constexpr uint64_t kUsPerSecond = 1'000'000;
  return update_us.value() % kUsPerSecond == 0 ? std::nullopt : std::optional(update_us.value());
}

Result<void> DamonAdmin::make() {
  const auto refuse_others = [&]() -> Result<void> {
    DAMON_STATFS_TRY(number, nr_kdamonds(files_));
    if (number == 0) return outcome::success();
    return failure(EBUSY,
                   fmt::format("{}: {} set up by somebody else", nr_kdamonds_path(), number));
  };
  BOOST_OUTCOME_TRYV(write_unless(refuse_others, nr_kdamonds_path(), "1"));
  made_ = true;
  return make_context();
}

// The mark comes first: from then on a crash leaves something that the next start knows as ours. It
// may have gone into what somebody else has set up at the same moment; then it means nothing.
Result<void> DamonAdmin::make_context() {
  const auto refuse = [&] { return refuse_staged(kDefaultUpdateUs); };
  BOOST_OUTCOME_TRYV(write_unless(refuse, kNrContexts, "1"));
  BOOST_OUTCOME_TRYV(write_unless(refuse, context_path(kUpdateUs), std::to_string(mark_)));
  Result<void> made = refuse_staged(mark_);
  mark_counts_ = made.has_value();
  return made;
}

Result<void> DamonAdmin::stage(const KdamondSetup& setup) {
  const std::string available = context_path("avail_operations");
  DAMON_STATFS_TRY(sets, read_if_there(files_, available));
  if (sets && sets->find("paddr") == std::string::npos) {
    return failure(
        ENODEV,
        fmt::format("{}: no paddr, the kernel is built without CONFIG_DAMON_PADDR", available));
  }
  BOOST_OUTCOME_TRYV(set_values(values(setup)));
  if (!setup.stat_scheme) return outcome::success();
  DAMON_STATFS_TRY(of_scheme, list_if_there(files_, context_path("schemes/0")));
  if (std::count(of_scheme.begin(), of_scheme.end(), "tried_regions") > 0) {
    return outcome::success();
  }
  return failure(ENODEV,
                 fmt::format("{}: not there before Linux 6.2, and there are no trace events",
                             context_path(kTriedRegions)));
}

Result<pid_t> DamonAdmin::turn_on() {
  BOOST_OUTCOME_TRYV(command("on"));
  may_be_on_ = true;
  const Result<uint64_t> pid =
      retry_busy(clock_, kBusyLimitNs, [&] { return read_number(files_, kPid); });
  const Result<void> ours = refuse_foreign();
  if (ours && pid) return static_cast<pid_t>(pid.value());
  // What runs now is either not what was staged or cannot be followed. A pid of -1 is no number.
  BOOST_OUTCOME_TRYV(turn_off(pid ? static_cast<pid_t>(pid.value()) : -1, kBusyLimitNs));
  if (!ours) return ours.as_failure();
  if (failed_with(pid, EIO)) return failure(ESRCH, fmt::format("{}: it ended at once", kPid));
  return pid.as_failure();
}

Result<void> DamonAdmin::turn_off(pid_t pid, int64_t limit_ns) {
  Result<void> off = retry_busy(clock_, limit_ns, [&]() -> Result<void> {
    if (pid > 0) {
      DAMON_STATFS_TRY(is_it, is_pid(pid));
      if (!is_it) return outcome::success();
    }
    return files_.write(kState, "off");
  });
  // It was never on, or is not any more.
  const bool was_off = failed_with(off, EINVAL) || failed_with(off, EPERM);
  if (!off && !was_off) return off;
  may_be_on_ = false;
  return outcome::success();
}

// Linux 6.12 deadlocks when the directories are removed while the writer of a command that was just
// served, be it somebody else's, has not woken up yet. That takes it 100 ms.
void DamonAdmin::let_commands_end() const {
  constexpr int64_t kSafeNs = 300 * kNsPerMs;
  const Result<bool> is_newer = tunes_intervals();
  if (!is_newer || !is_newer.value()) clock_.wait_until(clock_.now_ns() + kSafeNs, -1);
}

Result<void> DamonAdmin::release() {
  let_commands_end();
  return retry_busy(clock_, kBusyLimitNs, [&]() -> Result<void> {
    DAMON_STATFS_TRY(marked, is_marked());
    DAMON_STATFS_TRY(ours, marked ? Result<bool>(true) : is_untouched());
    if (!ours) return outcome::success();
    DAMON_STATFS_TRY(number, nr_kdamonds(files_));
    if (number == 0) return outcome::success();
    return files_.write(number == 1 ? nr_kdamonds_path() : kNrContexts, "0");
  });
}

Result<bool> DamonAdmin::is_pid(pid_t pid) const {
  DAMON_STATFS_TRY(text, files_.read_again(kPid));
  return text == std::to_string(pid);
}

Result<bool> DamonAdmin::is_on() const {
  DAMON_STATFS_TRY(text, files_.read(kState));
  return text == "on";
}

Result<bool> DamonAdmin::is_marked() const {
  if (!mark_counts_) return false;
  const Result<uint64_t> mark = read_number(files_, context_path(kUpdateUs), true);
  if (is_missing(mark)) return false;
  if (!mark) return mark.as_failure();
  return mark.value() == mark_;
}

Result<bool> DamonAdmin::is_untouched() const {
  for (const uint64_t update_us : {kDefaultUpdateUs, mark_}) {
    Result<bool> untouched = is_default(update_us);
    if (is_missing(untouched)) return false;
    if (!untouched || untouched.value()) return untouched;
  }
  return false;
}

// Whether there is one kdamond, with a context as the kernel makes it but for its update interval,
// or with none.
Result<bool> DamonAdmin::is_default(uint64_t update_us) const {
  DAMON_STATFS_TRY(kdamonds, nr_kdamonds(files_));
  if (kdamonds != 1) return false;
  DAMON_STATFS_TRY(contexts, read_number(files_, kNrContexts));
  if (contexts == 0) return true;
  const std::pair<const char*, std::string> defaults[] = {
      {"operations", "vaddr"}, {"targets/nr_targets", "0"}, {"schemes/nr_schemes", "0"},
      {kSampleUs, "5000"},     {kAggrUs, "100000"},         {kUpdateUs, std::to_string(update_us)},
  };
  for (const auto& [file, expected] : defaults) {
    DAMON_STATFS_TRY(text, files_.read(context_path(file)));
    if (text != expected) return false;
  }
  return true;
}

// Returns: EBUSY if is_default() says no.
Result<void> DamonAdmin::refuse_staged(uint64_t update_us) const {
  DAMON_STATFS_TRY(made_by_us, is_default(update_us));
  if (made_by_us) return outcome::success();
  return failure(EBUSY, fmt::format("{}/0: somebody else has set it up", kKdamonds));
}

Result<void> DamonAdmin::verify(const KdamondSetup& setup) const {
  BOOST_OUTCOME_TRYV(refuse_foreign());
  if (half_staged_) return outcome::success();
  DAMON_STATFS_TRY(kernel_tunes, tunes_intervals());
  const bool tuned = setup.attrs.goal.aggrs != 0 && kernel_tunes;
  for (const Value& value : values(setup)) {
    // The tuned intervals come and go in these two, at anybody's wish.
    if (tuned && (value.file == kSampleUs || value.file == kAggrUs)) continue;
    const Result<std::string> text = files_.read(context_path(value.file));
    if (value.optional && failed_with(text, ENOENT)) continue;
    if (!text) return text.as_failure();
    if (text.value() == value.text) continue;
    return failure(EBUSY, fmt::format("{}: somebody else has changed it from {} to {}",
                                      context_path(value.file), value.text, text.value()));
  }
  return outcome::success();
}

Result<KdamondIntervals> DamonAdmin::tuned_intervals() {
  BOOST_OUTCOME_TRYV(command("update_tuned_intervals"));
  DAMON_STATFS_TRY(sample_us, read_number(files_, context_path(kSampleUs), true));
  DAMON_STATFS_TRY(aggr_us, read_number(files_, context_path(kAggrUs), true));
  return KdamondIntervals{sample_us, aggr_us};
}

Result<KdamondSetup> DamonAdmin::commit(const KdamondSetup& in_force, const KdamondSetup& setup) {
  KdamondSetup wanted = setup;
  DAMON_STATFS_TRY(kernel_tunes, tunes_intervals());
  if (kernel_tunes) {
    DAMON_STATFS_TRY(tuned, tuned_intervals());
    wanted.attrs = within_goal(with_intervals(wanted.attrs, tuned.sample_us, tuned.aggr_us));
  }
  half_staged_ = true;
  Result<void> committed = set_values(values(wanted));
  if (committed) committed = command("commit");
  if (committed || set_values(values(in_force))) half_staged_ = false;
  if (!committed) return committed.as_failure();
  return wanted;
}

Result<std::vector<Region>> DamonAdmin::tried_regions() {
  BOOST_OUTCOME_TRYV(command("update_schemes_tried_regions"));
  std::vector<Region> regions;
  DAMON_STATFS_TRY(names, files_.list(context_path(kTriedRegions)));
  for (const std::string& name : names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    DAMON_STATFS_TRY(region, read_region(files_, context_path(kTriedRegions) + "/" + name));
    regions.push_back(region);
  }
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.start < b.start; });
  // Thousands of directories that nobody else needs; if the kernel is busy they stay until the next
  // update.
  if (refuse_foreign()) {
    static_cast<void>(files_.write(kState, "clear_schemes_tried_regions").has_value());
  }
  return regions;
}

Result<bool> DamonAdmin::tunes_intervals() const {
  const Result<std::string> aggrs = files_.read_again(context_path(kGoalAggrs));
  if (is_missing(aggrs)) return false;
  if (!aggrs) return aggrs.as_failure();
  return true;
}

void DamonAdmin::add_attributes(const MonitoringAttrs& attrs, std::vector<Value>& values) {
  const auto add = [&](const char* file, uint64_t number, bool optional = false) {
    values.push_back({file, std::to_string(number), optional});
  };
  values.push_back({"operations", "paddr"});
  add(kSampleUs, attrs.sample_us);
  add(kAggrUs, attrs.aggr_us);
  add("monitoring_attrs/nr_regions/min", attrs.min_nr_regions);
  add("monitoring_attrs/nr_regions/max", attrs.max_nr_regions);
  constexpr bool kOptional = true;  // since 6.15
  add("monitoring_attrs/intervals/intervals_goal/access_bp", attrs.goal.access_bp, kOptional);
  add(kGoalAggrs, attrs.goal.aggrs, kOptional);
  add("monitoring_attrs/intervals/intervals_goal/min_sample_us", attrs.goal.min_sample_us,
      kOptional);
  add("monitoring_attrs/intervals/intervals_goal/max_sample_us", attrs.goal.max_sample_us,
      kOptional);
}

void DamonAdmin::add_ranges(const std::vector<AddressRange>& ranges, std::vector<Value>& values) {
  values.push_back({"targets/nr_targets", "1"});
  const std::string regions = "targets/0/regions/";
  values.push_back({regions + "nr_regions", std::to_string(ranges.size())});
  for (size_t i = 0; i < ranges.size(); ++i) {
    values.push_back({fmt::format("{}{}/start", regions, i), std::to_string(ranges[i].start)});
    values.push_back({fmt::format("{}{}/end", regions, i), std::to_string(ranges[i].end)});
  }
}

// A scheme that does nothing, for all regions, due at each sampling interval. New schemes match no
// region: their greatest size, count and age are 0.
void DamonAdmin::add_scheme(uint64_t apply_interval_us, std::vector<Value>& values) {
  const std::string pattern = "schemes/0/access_pattern/";
  const std::string max_count = std::to_string(std::numeric_limits<uint32_t>::max());
  constexpr bool kOptional = true;  // since 6.7
  values.push_back({"schemes/nr_schemes", "1"});
  values.push_back({"schemes/0/action", "stat"});
  values.push_back({pattern + "sz/max", std::to_string(std::numeric_limits<unsigned long>::max())});
  values.push_back({pattern + "nr_accesses/max", max_count});
  values.push_back({pattern + "age/max", max_count});
  values.push_back({"schemes/0/apply_interval_us", std::to_string(apply_interval_us), kOptional});
}

// In the order in which they have to be written: the numbers of directories before what is in them.
std::vector<DamonAdmin::Value> DamonAdmin::values(const KdamondSetup& setup) {
  std::vector<Value> values;
  add_attributes(setup.attrs, values);
  add_ranges(setup.ranges, values);
  if (setup.stat_scheme) {
    add_scheme(setup.apply_interval_us, values);
  } else {
    values.push_back({"schemes/nr_schemes", "0"});
  }
  return values;
}

// Writes what is not so already.
Result<void> DamonAdmin::set_values(const std::vector<Value>& values) {
  for (const Value& value : values) {
    const std::string path = context_path(value.file);
    const Result<std::string> text = files_.read(path);
    if (value.optional && failed_with(text, ENOENT)) continue;
    if (!text) return text.as_failure();
    if (text.value() == value.text) continue;
    BOOST_OUTCOME_TRYV(write_unless([&] { return refuse_foreign(); }, path, value.text));
  }
  return outcome::success();
}

Result<void> DamonAdmin::refuse_foreign() const {
  DAMON_STATFS_TRY(marked, is_marked());
  if (marked) return outcome::success();
  return failure(EBUSY, fmt::format("{}/0: somebody else has set it up anew", kKdamonds));
}

Result<void> DamonAdmin::command(const std::string& word) {
  return write_unless([&] { return refuse_foreign(); }, kState, word);
}

Result<void> DamonAdmin::write_unless(const std::function<Result<void>()>& refuse,
                                      const std::string& path, const std::string& text) {
  Result<void> allowed = outcome::success();
  const Result<void> written = retry_busy(clock_, kBusyLimitNs, [&]() -> Result<void> {
    allowed = refuse();
    if (!allowed) return outcome::success();
    return files_.write(path, text);
  });
  return allowed ? written : allowed;
}

}  // namespace damon_statfs
