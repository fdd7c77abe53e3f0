// SPDX-License-Identifier: GPL-2.0-or-later
//
// Values of options: all or nothing, nothing wraps, nothing is guessed.
#include "mount/values.h"

#include "damon_statfs/clock.h"
#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kMax = ~uint64_t{0};

TEST_CASE("counts", "[values]") {
  CHECK(parse_count("0", 0, kMax) == uint64_t{0});
  CHECK(parse_count("007", 0, kMax) == uint64_t{7});
  CHECK(parse_count("18446744073709551615", 0, kMax) == kMax);
  CHECK(parse_count("3", 3, 10) == uint64_t{3});
  CHECK(parse_count("10", 3, 10) == uint64_t{10});
  CHECK_FALSE(parse_count("2", 3, 10));
  CHECK_FALSE(parse_count("11", 3, 10));
  for (const char* const bad :
       {"", " ", " 1", "1 ", "+1", "-1", "1.0", "0x10", "1K", "one", "18446744073709551616",
        "99999999999999999999999", "1\n", "1,2", "\xd9\xa1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_count(bad, 0, kMax));
  }
}

TEST_CASE("process ids", "[values]") {
  CHECK(parse_pid("1") == 1);
  CHECK(parse_pid("2147483647") == 2147483647);
  for (const char* const bad : {"", "0", "-1", "2147483648", "99999999999", "0x1", "1 ", "self"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_pid(bad));
  }
}

TEST_CASE("percentages", "[values]") {
  CHECK(parse_percent("1") == 1.0);
  CHECK(parse_percent("0.5") == 0.5);
  CHECK(parse_percent("100") == 100.0);
  CHECK(parse_percent("100.0") == 100.0);
  CHECK(parse_percent("0.001") == 0.001);
  for (const char* const bad : {"", "0", "0.0", "-1", "+1", "100.001", "101", "1e1", "nan", "inf",
                                "-0", "1%", " 1", "1 ", "1,5", "0x1", "half"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_percent(bad));
  }
}

struct SimCase {
  const char* text;
  std::vector<std::pair<uint64_t, int64_t>> parts;
};

TEST_CASE("simulated memory", "[values]") {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  const SimCase cases[] = {
      {"4096@1us", {{4096, kNsPerUs}}},
      {"4K@1ms", {{4096, kNsPerMs}}},
      {"512M@10ms+512M@5s+1G@never",
       {{kGiB / 2, 10 * kNsPerMs}, {kGiB / 2, 5 * kNsPerSecond}, {kGiB, 0}}},
      {"64T@never", {{uint64_t{64} << 40, 0}}},
      {"1P@3600s", {{uint64_t{1} << 50, 3600 * kNsPerSecond}}},
      {"0x1000@1ms", {{4096, kNsPerMs}}},
  };
  for (const SimCase& tried : cases) {
    CAPTURE(tried.text);
    const auto parts = parse_sim(tried.text);
    REQUIRE(parts);
    REQUIRE(parts->size() == tried.parts.size());
    for (size_t i = 0; i < parts->size(); ++i) {
      CHECK((*parts)[i].size_bytes == tried.parts[i].first);
      CHECK((*parts)[i].period_ns == tried.parts[i].second);
    }
  }
}

TEST_CASE("simulated memory that is malformed", "[values]") {
  for (const char* const bad : {"",
                                "1G",
                                "1G@",
                                "@1ms",
                                "1G@1",
                                "1G@1m",
                                "1G@1h",
                                "1G@ms",
                                "1G@0ms",
                                "1G@-1ms",
                                "1G@1.5ms",
                                "1G@1ms@2ms",
                                "1G@never ",
                                "1G@NEVER",
                                "0@1ms",
                                "0G@never",
                                "1@1ms",
                                "2K@1ms",
                                "4097@1ms",
                                "1.5G@1ms",
                                "-1G@1ms",
                                "1X@1ms",
                                "1GB@1ms",
                                "1GiB@1ms",
                                "1g@1ms",
                                "G@1ms",
                                "1G@1ms+",
                                "+1G@1ms",
                                "1G@1ms++1G@1ms",
                                "1G@1ms,1G@1ms",
                                "99999999P@1ms",
                                "18446744073709551616@1ms",
                                "4096P@1ms+4096P@1ms+4096P@1ms+4096P@1ms",
                                "1G@99999999999999999999s",
                                "1G@9223372036854775807s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_sim(bad));
  }
}

TEST_CASE("which memory", "[values]") {
  using Kind = RamSelection::Kind;
  CHECK(parse_ram("all")->kind == Kind::kAll);
  CHECK(parse_ram("biggest")->kind == Kind::kBiggest);
  CHECK(parse_ram("span")->kind == Kind::kSpan);
  struct Row {
    const char* text;
    test::Ranges ranges;
  };
  const Row rows[] = {
      {"0-4096", {{0, 4096}}},
      {"0x100000-0x200000", {{0x100000, 0x200000}}},
      {"0x100000-0xBFFE0000", {{0x100000, 0xbffe0000}}},
      {"1M-2M+4G-5G", {{1 << 20, 2 << 20}, {uint64_t{4} << 30, uint64_t{5} << 30}}},
      {"0-1G+1G-2G", {{0, 1 << 30}, {1 << 30, uint64_t{2} << 30}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto selection = parse_ram(row.text);
    REQUIRE(selection);
    CHECK(selection->kind == Kind::kRanges);
    CHECK(selection->ranges == row.ranges);
  }
}

TEST_CASE("memory ranges that are malformed", "[values]") {
  for (const char* const bad : {"",
                                "ALL",
                                "all ",
                                "all+0-1G",
                                "largest",
                                "1G",
                                "1G-",
                                "-1G",
                                "1G-1G",
                                "2G-1G",
                                "0-4095",
                                "1-4096",
                                "0-1G+",
                                "0-2G+1G-3G",
                                "2G-3G+0-1G",
                                "0-1G-2G",
                                "0-0x",
                                "0x-0x1000",
                                "0-0X1000",
                                "0-1Q",
                                "0-99999999P",
                                "0-18446744073709551616",
                                "0 -4096",
                                "0-4096,8192-12288"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_ram(bad));
  }
}

}  // namespace
}  // namespace damon_statfs
