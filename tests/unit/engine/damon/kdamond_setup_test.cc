// SPDX-License-Identifier: GPL-2.0-or-later
//
// Values in the order in which the kernel can take them: what makes directories stands before what
// is in them.
#include "engine/damon/kdamond_setup.h"

#include <algorithm>
#include <set>
#include <string>

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

std::string text_of(const std::vector<StagedValue>& values, const std::string& file) {
  const auto value = std::find_if(values.begin(), values.end(),
                                  [&](const StagedValue& staged) { return staged.file == file; });
  return value == values.end() ? "none" : value->text;
}

TEST_CASE("what is staged for ranges and attributes", "[kdamond_setup]") {
  KdamondSetup setup;
  setup.attrs.sample_us = 7;
  setup.attrs.aggr_us = 140;
  setup.ranges = {{4096, 8192}, {12288, 16384}};
  const std::vector<StagedValue> values = staged_values(setup);
  CHECK(values.front().file == "operations");
  CHECK(values.front().text == "paddr");
  CHECK(text_of(values, "monitoring_attrs/intervals/sample_us") == "7");
  CHECK(text_of(values, "monitoring_attrs/intervals/aggr_us") == "140");
  CHECK(text_of(values, "targets/0/regions/nr_regions") == "2");
  CHECK(text_of(values, "schemes/nr_schemes") == "0");
  CHECK(text_of(values, "schemes/0/action") == "none");
  CHECK(text_of(values, "monitoring_attrs/intervals/update_us") == "none");  // the mark
}

TEST_CASE("of the ranges those that differ are written", "[kdamond_setup]") {
  const std::vector<AddressRange> ranges = {{4096, 8192}, {12288, 16384}};
  const std::vector<NamedText> all = staged_ranges(ranges);
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "0/start");
  CHECK(all[3].name == "1/end");
  CHECK(all[3].text == "16384");
  const std::vector<NamedText> some = staged_ranges(ranges, {{4096, 8192}, {20480, 24576}});
  REQUIRE(some.size() == 2);
  CHECK(some[0].name == "1/start");
  CHECK(some[0].text == "12288");
  CHECK(staged_ranges(ranges, ranges).empty());
}

TEST_CASE("a directory is made before what is in it is written", "[kdamond_setup]") {
  KdamondSetup setup;
  setup.ranges = {{4096, 8192}};
  setup.stat_scheme = true;
  setup.apply_interval_us = 5'000;
  std::set<std::string> written;
  for (const StagedValue& value : staged_values(setup)) {
    CAPTURE(value.file);
    CHECK(written.insert(value.file).second);
    for (const char* const numbered : {"targets/", "targets/0/regions/", "schemes/"}) {
      const std::string made = std::string(numbered) + "0/";
      if (!value.file.starts_with(made) || value.file.ends_with("nr_regions")) continue;
      const std::string name(numbered, std::string(numbered).size() - 1);
      CHECK(written.count(std::string(numbered) + "nr_" + name.substr(name.rfind('/') + 1)) == 1);
    }
  }
  CHECK(written.count("schemes/0/action") == 1);
}

}  // namespace
}  // namespace damon_statfs::test
