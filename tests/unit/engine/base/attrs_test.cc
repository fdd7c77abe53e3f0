// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's rules for attributes, each at its edge: spec/damon.md section 1 and set_attrs of
// section 9.
#include "damon_statfs/attrs.h"

#include <cerrno>
#include <limits>

#include "support/catch.h"

namespace damon_statfs {
namespace {

struct AttrsCase {
  MonitoringAttrs attrs;
  const char* named;  // the option that the refusal has to name; nullptr: valid
};

const AttrsCase kAttrsCases[] = {
    {{}, nullptr},
    {{5000, 100000, 60000000, 3, 1000, {}}, nullptr},
    {{5000, 100000, 60000000, 2, 1000, {}}, "min_nr_regions"},
    {{5000, 100000, 60000000, 1, 1000, {}}, "min_nr_regions"},
    {{5000, 100000, 60000000, 0, 1000, {}}, "min_nr_regions"},
    {{5000, 100000, 60000000, 10, 10, {}}, nullptr},
    {{5000, 100000, 60000000, 10, 9, {}}, "max_nr_regions"},
    {{5000, 5000, 60000000, 10, 1000, {}}, nullptr},
    {{5000, 4999, 60000000, 10, 1000, {}}, "aggr_us"},
    {{5000, 100000, 0, 10, 1000, {}}, nullptr},
    // The goal: min <= max, min <= sample <= max.
    {{5000, 100000, 0, 10, 1000, {400, 3, 5000, 5000}}, nullptr},
    {{5000, 100000, 0, 10, 1000, {400, 3, 5001, 5000}}, "min_sample_us"},
    {{5000, 100000, 0, 10, 1000, {400, 3, 5001, 9000}}, "min_sample_us"},
    {{5000, 100000, 0, 10, 1000, {400, 3, 1000, 4999}}, "max_sample_us"},
    {{5000, 100000, 0, 10, 1000, {400, 1, 1000, 5000}}, nullptr},
    // aggrs=0: the goal is ignored entirely.
    {{5000, 100000, 0, 10, 1000, {400, 0, 5001, 4999}}, nullptr},
    {{0, 100, 0, 10, 1000, {400, 0, 5000, 10000}}, nullptr},
};

TEST_CASE("attributes are valid where the kernel takes them", "[attrs]") {
  for (const AttrsCase& tried : kAttrsCases) {
    const MonitoringAttrs& attrs = tried.attrs;
    CAPTURE(attrs.sample_us, attrs.aggr_us, attrs.min_nr_regions, attrs.max_nr_regions,
            attrs.goal.aggrs, attrs.goal.min_sample_us, attrs.goal.max_sample_us);
    const Result<void> valid = validate(attrs);
    CHECK(valid.has_value() == (tried.named == nullptr));
    if (valid || tried.named == nullptr) continue;
    CHECK(valid.error().code.value() == EINVAL);
    CAPTURE(valid.error().context);
    CHECK(valid.error().context.find(tried.named) != std::string::npos);
  }
}

TEST_CASE("the defaults are DAMON_STAT's", "[attrs]") {
  const MonitoringAttrs attrs;
  CHECK(attrs == MonitoringAttrs{5000, 100000, 60000000, 10, 1000, {400, 3, 5000, 10000000}});
  CHECK(samples_per_aggr(attrs) == 20);
}

TEST_CASE("samples per aggregation: at least 1, at most UINT32_MAX", "[attrs]") {
  struct Row {
    uint64_t sample_us, aggr_us;
    uint32_t samples;
  };
  const Row rows[] = {
      {5000, 100000, 20},
      {3, 10, 3},
      {7, 7, 1},
      {0, 100, 100},
      {0, 0, 1},
      {10, 9, 1},
      {1, uint64_t{1} << 32, std::numeric_limits<uint32_t>::max()},
      {0, std::numeric_limits<uint64_t>::max(), std::numeric_limits<uint32_t>::max()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sample_us, row.aggr_us);
    MonitoringAttrs attrs;
    attrs.sample_us = row.sample_us;
    attrs.aggr_us = row.aggr_us;
    CHECK(samples_per_aggr(attrs) == row.samples);
  }
}

TEST_CASE("normalised: what is valid stays as it is, but that 0 us counts as 1", "[attrs]") {
  for (const AttrsCase& tried : kAttrsCases) {
    const MonitoringAttrs& attrs = tried.attrs;
    const bool zero = attrs.sample_us == 0 || attrs.goal.max_sample_us < attrs.goal.min_sample_us;
    if (tried.named == nullptr && !zero) CHECK(normalised(attrs) == attrs);
  }
  MonitoringAttrs zero;
  zero.sample_us = zero.goal.min_sample_us = zero.goal.max_sample_us = 0;
  const MonitoringAttrs one = normalised(zero);
  CHECK(one.sample_us == 1);
  CHECK(one.aggr_us == zero.aggr_us);
  CHECK(one.goal.min_sample_us == 1);
  CHECK(one.goal.max_sample_us == 1);
}

TEST_CASE("normalised: whatever it is given, the result is valid and within limits", "[attrs]") {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  for (const uint64_t all : {uint64_t{0}, uint64_t{1}, kMaxCount, kMaxIntervalUs, kMost}) {
    CAPTURE(all);
    const MonitoringAttrs attrs = normalised({all, all, all, all, all, {all, all, all, all}});
    CHECK(attrs.sample_us >= 1);
    CHECK(attrs.aggr_us >= attrs.sample_us);
    CHECK(attrs.aggr_us <= kMaxIntervalUs);
    CHECK(attrs.update_us <= kMaxIntervalUs);
    CHECK(attrs.min_nr_regions >= 1);
    CHECK(attrs.max_nr_regions >= attrs.min_nr_regions);
    CHECK(attrs.max_nr_regions <= kMaxCount);
    CHECK(attrs.goal.aggrs <= kMaxCount);
    CHECK(attrs.goal.access_bp <= kMaxCount);
    CHECK(attrs.goal.min_sample_us >= 1);
    CHECK(attrs.goal.max_sample_us >= attrs.goal.min_sample_us);
    CHECK(attrs.goal.max_sample_us <= kMaxIntervalUs);
    CHECK(normalised(attrs) == attrs);
  }
  const MonitoringAttrs tuned = with_intervals({}, 0, 0);  // as a kernel might say while it tunes
  CHECK(tuned.sample_us == 1);
  CHECK(tuned.aggr_us == 1);
}

}  // namespace
}  // namespace damon_statfs
