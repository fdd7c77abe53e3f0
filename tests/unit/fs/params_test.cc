// SPDX-License-Identifier: GPL-2.0-or-later
//
// The boolean table and the text forms of spec/parameters.md section 1 and spec/damon.md section 6,
// for all three ABIs.
#include "fs/params.h"

#include "support/catch.h"

namespace damon_statfs {
namespace {

using namespace std::string_view_literals;

constexpr Abi kAbis[] = {Abi::k6_17, Abi::k6_18, Abi::k7_2};

TEST_CASE("true, false and neither", "[params]") {
  constexpr std::string_view kTrue[] = {
      "Y",   "y",    "T",   "t",    "1",  "on",  "ON", "oN",        "On",     "Y\n",
      "1\n", "on\n", "Yes", "true", "10", "one", "YN", "Y\0junk"sv, "Y\nN\n", "yes we can"};
  constexpr std::string_view kFalse[] = {"N",     "n",  "F",   "f",   "0",     "off",
                                         "OFF",   "oF", "N\n", "0\n", "off\n", "No",
                                         "false", "01", "0x1", "of",  "NY",    "Of"};
  constexpr std::string_view kNeither[] = {"",      "2",    "-1",     "+1", "o",   "o\n",  "O",
                                           "ox",    " Y",   "\tY",    "\n", "\nY", " ",    "\0"sv,
                                           "\0Y"sv, "\xff", "o\0n"sv, "x",  "  1", "\r\nY"};
  for (const Abi abi : kAbis) {
    for (const std::string_view text : kTrue) {
      CAPTURE(text);
      CHECK(parse_bool(text, abi) == std::optional(true));
    }
    for (const std::string_view text : kFalse) {
      CAPTURE(text);
      CHECK(parse_bool(text, abi) == std::optional(false));
    }
    for (const std::string_view text : kNeither) {
      CAPTURE(text);
      CHECK(parse_bool(text, abi) == std::nullopt);
    }
    CHECK(parse_bool(std::string(4096, ' '), abi) == std::nullopt);
    CHECK(parse_bool("Y" + std::string(4095, 'x'), abi) == std::optional(true));
  }
}

TEST_CASE("enable and disable are words from 6.18 on", "[params]") {
  for (const std::string_view text : {"enable", "E", "e", "Enabled", "e\n"}) {
    CAPTURE(text);
    CHECK(parse_bool(text, Abi::k6_17) == std::nullopt);
    CHECK(parse_bool(text, Abi::k6_18) == std::optional(true));
    CHECK(parse_bool(text, Abi::k7_2) == std::optional(true));
  }
  for (const std::string_view text : {"disable", "D", "d", "Disabled", "d\n"}) {
    CAPTURE(text);
    CHECK(parse_bool(text, Abi::k6_17) == std::nullopt);
    CHECK(parse_bool(text, Abi::k6_18) == std::optional(false));
    CHECK(parse_bool(text, Abi::k7_2) == std::optional(false));
  }
}

const Param& param(std::string_view name) {
  for (const Param& candidate : all_params()) {
    if (candidate.name == name) return candidate;
  }
  throw std::out_of_range(std::string(name));
}

TEST_CASE("names, modes and order", "[params]") {
  struct Row {
    std::string name;
    mode_t mode;
    Abi since;
    uint32_t hash;
  };
  const Row rows[] = {{"memory_idle_ms_percentiles", 0400, Abi::k6_17, 28192165},
                      {"enabled", 0600, Abi::k6_17, 457254161},
                      {"estimated_memory_bandwidth", 0400, Abi::k6_17, 1606652439},
                      {"kdamond_pid", 0400, Abi::k7_2, 1865854669},
                      {"aggr_interval_us", 0400, Abi::k6_18, 1870123395}};
  REQUIRE(all_params().size() == std::size(rows));
  for (size_t i = 0; i < std::size(rows); ++i) {
    const Param& shown = all_params()[i];
    CAPTURE(rows[i].name);
    CHECK(shown.name == rows[i].name);
    CHECK(shown.mode == rows[i].mode);
    CHECK(shown.since == rows[i].since);
    CHECK(shown.name_hash == rows[i].hash);
    CHECK(shown.writable == (rows[i].name == "enabled"));
  }
}

TEST_CASE("what is shown before the first snapshot", "[params]") {
  const Snapshot fresh;
  std::string zeros = "0";
  for (int i = 1; i <= 100; ++i) zeros += ",0";
  for (const Abi abi : kAbis) {
    CHECK(param("enabled").show(fresh, abi) == "N\n");
    CHECK(param("estimated_memory_bandwidth").show(fresh, abi) == "0\n");
    CHECK(param("memory_idle_ms_percentiles").show(fresh, abi) == zeros + "\n");
    CHECK(param("aggr_interval_us").show(fresh, abi) == "0\n");
    CHECK(param("kdamond_pid").show(fresh, abi) == "-1\n");
  }
}

TEST_CASE("text forms", "[params]") {
  Snapshot snapshot;
  snapshot.status = {EngineState::kOn, 0, 4711};
  snapshot.statistics.aggr_interval_us = 200'000'000;
  snapshot.statistics.estimated_memory_bandwidth_bytes_per_s = 18'446'744'073'709'551'615U;
  CHECK(param("enabled").show(snapshot, Abi::k6_17) == "Y\n");
  CHECK(param("kdamond_pid").show(snapshot, Abi::k7_2) == "4711\n");
  CHECK(param("aggr_interval_us").show(snapshot, Abi::k6_18) == "200000000\n");
  CHECK(param("estimated_memory_bandwidth").show(snapshot, Abi::k6_17) == "18446744073709551615\n");
  snapshot.status.state = EngineState::kStarting;
  CHECK(param("enabled").show(snapshot, Abi::k6_17) == "N\n");
}

TEST_CASE("idle times: signed from 6.18 on, 0 for accessed memory in 6.17", "[params]") {
  Snapshot snapshot;
  auto& percentiles = snapshot.statistics.memory_idle_ms_percentiles;
  std::string expected_signed;
  std::string expected_unsigned;
  for (int i = 0; i <= 100; ++i) {
    percentiles[static_cast<size_t>(i)] = i < 50 ? -4213 + i : 3'000'000'000LL + i;
    const std::string comma = i == 0 ? "" : ",";
    expected_signed +=
        comma + (i < 50 ? std::to_string(-4213 + i) : std::to_string(3'000'000'000LL + i));
    expected_unsigned += comma + (i < 50 ? "0" : std::to_string(3'000'000'000LL + i));
  }
  CHECK(param("memory_idle_ms_percentiles").show(snapshot, Abi::k6_17) == expected_unsigned + "\n");
  CHECK(param("memory_idle_ms_percentiles").show(snapshot, Abi::k6_18) == expected_signed + "\n");
  CHECK(param("memory_idle_ms_percentiles").show(snapshot, Abi::k7_2) == expected_signed + "\n");
}

TEST_CASE("the longest text fits the file's size", "[params]") {
  Snapshot snapshot;
  snapshot.statistics.memory_idle_ms_percentiles.fill(-31'536'000'000'000);  // a thousand years
  CHECK(param("memory_idle_ms_percentiles").show(snapshot, Abi::k7_2).size() <= 4096);
}

}  // namespace
}  // namespace damon_statfs
