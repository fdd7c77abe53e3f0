// SPDX-License-Identifier: GPL-2.0-or-later
//
// Attributes at the ends of what is accepted, in everything that calculates with them: zeros, which
// count as the least that makes sense, and products that do not fit their types.
#include "engine/pages/bandwidth.h"
#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

// Attributes that are all zero but for the one that switches tuning on.
MonitoringAttrs zeros() { return {0, 0, 0, 0, 0, {0, 1, 0, 0}}; }

// One attribute of the defaults that is zero instead.
std::vector<MonitoringAttrs> one_zero() {
  std::vector<MonitoringAttrs> all(6);
  all[0].sample_us = 0;
  all[1].aggr_us = 0;
  all[2].update_us = 0;
  all[3].goal.access_bp = 0;
  all[4].goal.min_sample_us = 0;
  all[5].sample_us = all[5].goal.min_sample_us = all[5].goal.max_sample_us = 0;
  return all;
}

TEST_CASE("zeros: bandwidth checks are planned and tuned", "[extreme_attrs]") {
  std::vector<MonitoringAttrs> all = one_zero();
  all.push_back(zeros());
  for (const MonitoringAttrs& attrs : all) {
    Bandwidth rate(attrs);
    for (int second = 0; second < 20; ++second) {
      CAPTURE(attrs.sample_us, attrs.aggr_us, second);
      CHECK(rate.plan(1, kNsPerSecond, false).nr_checks > 0);
      rate.add_check(1, kNsPerMs);  // more than any goal: the interval gets shorter and shorter
      rate.end_checks(kNsPerSecond);
      CHECK(rate.sample_us() >= 1);
      CHECK(rate.aggr_us() >= rate.sample_us());
    }
  }
}

TEST_CASE("zeros: pages are sampled", "[extreme_attrs]") {
  std::vector<MonitoringAttrs> all = one_zero();
  all.push_back(zeros());
  for (const MonitoringAttrs& attrs : all) {
    PageSamplerRun run;
    run.config.attrs = attrs;
    run.memory.ranges = {{0, kMiB}};
    run.memory.last_access = [](uint64_t, int64_t now_ns) { return now_ns; };
    run.start();
    run.run_refreshes(4);
    CHECK(run.statistics.aggr_interval_us >= 1);
    CHECK(run.details.sample_us >= 1);
  }
}

TEST_CASE("2048P of memory that is touched all the time has a bandwidth", "[extreme_attrs]") {
  PageSamplerRun run;
  run.config.attrs.goal.aggrs = 0;
  run.memory.ranges = {{0, uint64_t{1} << 61}};
  run.memory.last_access = [](uint64_t, int64_t now_ns) { return now_ns; };
  run.start();
  run.run_refreshes(3);
  CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s == ~uint64_t{0});
}

}  // namespace
}  // namespace damon_statfs::test
