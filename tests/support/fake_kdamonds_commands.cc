// SPDX-License-Identifier: GPL-2.0-or-later
//
// What writing to a kdamond's `state` does: from staged values to a running thread, and from its
// regions to tried_regions/.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "support/fake_kdamonds.h"

namespace damon_statfs::test {
namespace {

bool is_valid(const MonitoringAttrs& attrs) {
  const IntervalsGoal& goal = attrs.goal;
  if (attrs.min_nr_regions < 3 || attrs.min_nr_regions > attrs.max_nr_regions) return false;
  if (attrs.sample_us > attrs.aggr_us) return false;
  return goal.aggrs == 0 ||
         (goal.min_sample_us <= attrs.sample_us && attrs.sample_us <= goal.max_sample_us);
}

// The kernel's damon_update_monitoring_result(), with its truncations.
void rescale(Region& region, const MonitoringAttrs& before, const MonitoringAttrs& now) {
  if (before.aggr_us == 0 || now.aggr_us == 0) return;
  const uint64_t bp = region.nr_accesses * uint64_t{10'000} / samples_per_aggr(before);
  region.nr_accesses = static_cast<uint32_t>(bp * samples_per_aggr(now) / 10'000);
  region.age = static_cast<uint32_t>(region.age * before.aggr_us / now.aggr_us);
}

}  // namespace

bool FakeScheme::matches(const Region& region) const {
  return min_sz <= region.size_bytes() && region.size_bytes() <= max_sz &&
         min_nr_accesses <= region.nr_accesses && region.nr_accesses <= max_nr_accesses &&
         min_age <= region.age && region.age <= max_age;
}

bool FakeKdamonds::knows(const std::string& word) const {
  constexpr std::pair<std::string_view, Kernel> kSince[] = {
      {"on", Kernel::k6_2},
      {"off", Kernel::k6_2},
      {"commit", Kernel::k6_2},
      {"update_schemes_stats", Kernel::k6_2},
      {"update_schemes_tried_regions", Kernel::k6_2},
      {"clear_schemes_tried_regions", Kernel::k6_2},
      {"update_schemes_tried_bytes", Kernel::k6_7},
      {"commit_schemes_quota_goals", Kernel::k6_12},
      {"update_schemes_effective_quotas", Kernel::k6_12},
      {"update_tuned_intervals", Kernel::k6_15},
  };
  return std::any_of(std::begin(kSince), std::end(kSince), [&](const auto& known) {
    return known.first == word && known.second <= kernel_;
  });
}

int FakeKdamonds::command(int index, std::string word, bool foreign) {
  if (!knows(word)) return EINVAL;
  if (word == "on") return turn_on(index, foreign);
  if (!kdamonds_[index].was_on) return EINVAL;
  if (word == "off") return turn_off(index);
  if (running(index) == nullptr) return kernel_ < Kernel::k7_2 ? EINVAL : ECANCELED;
  if (files.count(context_dir(index) + "/operations") == 0) return EINVAL;
  return running_command(index, word);
}

int FakeKdamonds::running_command(int index, const std::string& word) {
  if (word == "commit") return commit(index);
  if (word == "update_tuned_intervals") return update_tuned_intervals(index);
  if (word == "update_schemes_tried_regions") return update_tried_regions(index, false);
  if (word == "update_schemes_tried_bytes") return update_tried_regions(index, true);
  if (word == "clear_schemes_tried_regions") return clear_tried_regions(index);
  return 0;
}

bool FakeKdamonds::exclusive_module_runs() const {
  for (const char* const module : {"damon_stat", "damon_reclaim", "damon_lru_sort"}) {
    const auto file = files.find(fmt::format("/sys/module/{}/parameters/enabled", module));
    if (file != files.end() && file->second == "Y") return true;
  }
  return false;
}

int FakeKdamonds::turn_on(int index, bool foreign) {
  if (running(index) != nullptr) return EBUSY;
  Kdamond& kdamond = kdamonds_[index];
  kdamond.was_on = false;
  RunningKdamond started;
  if (const int error = staged_context(index, started.context); error != 0) return error;
  if (exclusive_module_runs()) return EBUSY;
  started.foreign = foreign;
  kdamond.was_on = true;
  if (started.context.operations != "paddr" && started.context.nr_targets == 0) return 0;
  add_thread(started);
  kdamond.running = std::move(started);
  return 0;
}

int FakeKdamonds::turn_off(int index) {
  const RunningKdamond* const kdamond = running(index);
  if (kdamond == nullptr) return EPERM;
  wait_us(kdamond->context.attrs.sample_us);
  kill(index);
  return 0;
}

// A virtual address space that is not there ends the thread; so do bad values before 6.15, where
// the result of the command was lost.
int FakeKdamonds::commit(int index) {
  FakeContext& context = kdamonds_[index].running->context;
  FakeContext staged;
  const int error = staged_context(index, staged);
  wait_us(kernel_ < Kernel::k6_15 ? context.attrs.aggr_us : context.attrs.sample_us);
  if (error != 0 && kernel_ >= Kernel::k6_15) return error;
  if (error != 0 || (staged.operations != "paddr" && staged.nr_targets == 0)) {
    kill(index);
    return 0;
  }
  if (staged.ranges.empty() && staged.nr_targets == context.nr_targets) {
    staged.ranges = context.ranges;
  }
  if (std::vector<Region>* const given = given_regions(index)) {
    for (Region& region : *given) rescale(region, context.attrs, staged.attrs);
  }
  context = std::move(staged);
  return 0;
}

void FakeKdamonds::tune(int index, uint64_t sample_us, uint64_t aggr_us) {
  MonitoringAttrs& attrs = kdamonds_.at(index).running.value().context.attrs;
  const MonitoringAttrs before = attrs;
  attrs.sample_us = sample_us;
  attrs.aggr_us = aggr_us;
  std::vector<Region>* const given = given_regions(index);
  if (given == nullptr) return;
  for (Region& region : *given) rescale(region, before, attrs);
}

int FakeKdamonds::update_tuned_intervals(int index) {
  const MonitoringAttrs& attrs = running(index)->context.attrs;
  wait_us(attrs.sample_us);
  const std::string intervals = context_dir(index) + "/monitoring_attrs/intervals";
  files[intervals + "/sample_us"] = std::to_string(attrs.sample_us);
  files[intervals + "/aggr_us"] = std::to_string(attrs.aggr_us);
  return 0;
}

int FakeKdamonds::update_tried_regions(int index, bool bytes_only) {
  const FakeContext& context = running(index)->context;
  if (context.schemes.empty()) return kernel_ < Kernel::k6_15 ? 0 : ECANCELED;
  clear_tried_regions(index);
  std::vector<Region> shown = regions_now(index);
  if (short_snapshots > 0) {
    --short_snapshots;
    shown.resize(std::min(shown.size(), short_snapshot_regions));
  }
  const std::string schemes = context_dir(index) + "/schemes";
  const uint64_t staged_schemes = number(schemes + "/nr_schemes");
  size_t next_number = 0;
  for (size_t scheme = 0; scheme < context.schemes.size(); ++scheme) {
    const FakeScheme& applied = context.schemes[scheme];
    wait_us(applied.apply_interval_us != 0 ? applied.apply_interval_us : context.attrs.aggr_us);
    if (scheme >= staged_schemes) continue;
    const size_t first = kernel_ <= Kernel::k6_12 ? next_number : 0;
    next_number +=
        show_regions(fmt::format("{}/{}", schemes, scheme), applied, shown, first, bytes_only);
  }
  return 0;
}

// Returns: how many were shown.
size_t FakeKdamonds::show_regions(const std::string& dir, const FakeScheme& scheme,
                                  const std::vector<Region>& shown, size_t first, bool bytes_only) {
  const std::string tried = dir + "/tried_regions";
  uint64_t bytes = 0;
  size_t count = 0;
  for (const Region& region : shown) {
    if (!scheme.matches(region)) continue;
    bytes += region.size_bytes();
    if (bytes_only) continue;
    make_tried_region(files, fmt::format("{}/{}", tried, first + count), region, kernel_);
    ++count;
  }
  const auto total = files.find(tried + "/total_bytes");
  if (total != files.end()) total->second = std::to_string(bytes);
  return count;
}

int FakeKdamonds::clear_tried_regions(int index) {
  const std::string schemes = context_dir(index) + "/schemes";
  for (uint64_t scheme = 0; scheme < number(schemes + "/nr_schemes"); ++scheme) {
    const std::string tried = fmt::format("{}/{}/tried_regions", schemes, scheme);
    remove_numbered(files, tried);
    const auto total = files.find(tried + "/total_bytes");
    if (total != files.end()) total->second = std::to_string(0);
  }
  return 0;
}

// Returns: nullptr if no test has given any.
std::vector<Region>* FakeKdamonds::given_regions(int index) {
  if (const auto of_one = regions_of.find(index); of_one != regions_of.end()) {
    return &of_one->second;
  }
  return regions ? &*regions : nullptr;
}

std::vector<Region> FakeKdamonds::regions_now(int index) {
  if (const std::vector<Region>* const given = given_regions(index)) return *given;
  std::vector<Region> whole;
  for (const AddressRange& range : running(index)->context.ranges) {
    whole.emplace_back().start = range.start;
    whole.back().end = range.end;
  }
  return whole;
}

void FakeKdamonds::wait_us(uint64_t us) {
  if (clock != nullptr) clock->advance(static_cast<int64_t>(us) * kNsPerUs);
}

MonitoringAttrs FakeKdamonds::staged_attrs(const std::string& dir) const {
  const std::string intervals = dir + "/monitoring_attrs/intervals/";
  const std::string nr_regions = dir + "/monitoring_attrs/nr_regions/";
  MonitoringAttrs attrs;
  attrs.sample_us = number(intervals + "sample_us");
  attrs.aggr_us = number(intervals + "aggr_us");
  attrs.update_us = number(intervals + "update_us");
  attrs.min_nr_regions = number(nr_regions + "min");
  attrs.max_nr_regions = number(nr_regions + "max");
  attrs.goal.access_bp = number(intervals + "intervals_goal/access_bp");
  attrs.goal.aggrs = number(intervals + "intervals_goal/aggrs");
  attrs.goal.min_sample_us = number(intervals + "intervals_goal/min_sample_us");
  attrs.goal.max_sample_us = number(intervals + "intervals_goal/max_sample_us");
  return attrs;
}

// Counts and ages are 32 bits wide in the kernel: what is larger is cut, not clamped.
FakeScheme FakeKdamonds::staged_scheme(const std::string& dir) const {
  const std::string pattern = dir + "/access_pattern/";
  FakeScheme scheme;
  scheme.min_sz = number(pattern + "sz/min");
  scheme.max_sz = number(pattern + "sz/max");
  scheme.min_nr_accesses = static_cast<uint32_t>(number(pattern + "nr_accesses/min"));
  scheme.max_nr_accesses = static_cast<uint32_t>(number(pattern + "nr_accesses/max"));
  scheme.min_age = static_cast<uint32_t>(number(pattern + "age/min"));
  scheme.max_age = static_cast<uint32_t>(number(pattern + "age/max"));
  scheme.apply_interval_us = number(dir + "/apply_interval_us");
  return scheme;
}

// Returns: EINVAL for what damon_sysfs_build_ctx() refuses.
int FakeKdamonds::staged_context(int index, FakeContext& context) const {
  const std::string dir = context_dir(index);
  if (files.count(dir + "/operations") == 0) return EINVAL;
  context.operations = files.at(dir + "/operations");
  context.attrs = staged_attrs(dir);
  context.nr_targets = number(dir + "/targets/nr_targets");
  if (!is_valid(context.attrs)) return EINVAL;
  const auto built_in = files.find(dir + "/avail_operations");
  if (built_in != files.end() && built_in->second.find(context.operations) == std::string::npos) {
    return EINVAL;
  }
  if (context.operations == "paddr" && context.nr_targets > 1) return EINVAL;
  const std::string targets = dir + "/targets/0";
  if (context.operations != "paddr" && context.nr_targets != 0 &&
      number(targets + "/pid_target") == 0) {
    return EINVAL;
  }
  for (uint64_t i = 0; i < number(targets + "/regions/nr_regions"); ++i) {
    const std::string range = targets + "/regions/" + std::to_string(i);
    context.ranges.push_back({number(range + "/start"), number(range + "/end")});
    if (context.ranges.back().start >= context.ranges.back().end) return EINVAL;
    if (i > 0 && context.ranges[i - 1].end > context.ranges[i].start) return EINVAL;
  }
  for (uint64_t i = 0; i < number(dir + "/schemes/nr_schemes"); ++i) {
    context.schemes.push_back(staged_scheme(dir + "/schemes/" + std::to_string(i)));
  }
  return 0;
}

}  // namespace damon_statfs::test
