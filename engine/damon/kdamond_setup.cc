// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files that came with later kernels are optional: features are told by the files that there are,
// as stable kernels and vendors mix versions.
#include "engine/damon/kdamond_setup.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "engine/damon/damon_sysfs.h"

namespace damon_statfs {
namespace {

void add_attributes(const MonitoringAttrs& attrs, std::vector<StagedValue>& values) {
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

// A scheme that does nothing, for all regions, due at each sampling interval. New schemes match no
// region: their greatest size, count and age are 0.
void add_scheme(uint64_t apply_interval_us, std::vector<StagedValue>& values) {
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

}  // namespace

std::vector<StagedValue> staged_values(const KdamondSetup& setup) {
  std::vector<StagedValue> values;
  add_attributes(setup.attrs, values);
  values.push_back({"targets/nr_targets", "1"});
  values.push_back(
      {fmt::format("{}/nr_regions", kRangesDirectory), std::to_string(setup.ranges.size())});
  if (setup.stat_scheme) {
    add_scheme(setup.apply_interval_us, values);
  } else {
    values.push_back({"schemes/nr_schemes", "0"});
  }
  return values;
}

std::array<NamedText, 2> bounds_of(size_t index, const AddressRange& range) {
  return {NamedText{fmt::format("{}/start", index), std::to_string(range.start)},
          NamedText{fmt::format("{}/end", index), std::to_string(range.end)}};
}

std::vector<NamedText> staged_ranges(const std::vector<AddressRange>& ranges,
                                     const std::vector<AddressRange>& staged) {
  std::vector<NamedText> texts;
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i < staged.size() && ranges[i] == staged[i]) continue;
    for (NamedText& text : bounds_of(i, ranges[i])) texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace damon_statfs
