// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long a stop may take stands in one place per operations set. Another program that sets a
// limit, systemd first of all, has to leave the stop that time.
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

#include "damon_statfs/registry.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

// The least that is left to the daemon for the rest of its end: the mount, the log, the processes.
constexpr uint64_t kRestMs = 5'000;

// The number of seconds behind each `key` in an installed file that comes with the source.
std::vector<uint64_t> seconds_in(const std::string& file, const std::string& key) {
  std::ifstream stream(std::string(DAMON_STATFS_TEST_DATA) + "/../../mount/systemd/" + file);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  std::vector<uint64_t> found;
  for (size_t at = text.find(key); at != std::string::npos; at = text.find(key, at)) {
    at += key.size();
    uint64_t seconds = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), seconds);
    found.push_back(seconds);
  }
  return found;
}

TEST_CASE("systemd waits longer than any operations set may take", "[stop_bounds]") {
  struct Row {
    const char* file;
    const char* key;
  };
  const Row rows[] = {{"damon-statfs.service.in", "TimeoutStopSec="},
                      {"damon-statfs.service.in", "TimeoutStartSec="},
                      {"run-damon_stat.mount", "TimeoutSec="},
                      {"fstab.example", "x-systemd.mount-timeout="}};
  const OperationsRegistry registry = built_in_operations();
  OperationsContext longest;
  longest.yield_damon_stat = true;
  for (const Row& row : rows) {
    const std::vector<uint64_t> found = seconds_in(row.file, row.key);
    CAPTURE(row.file, row.key);
    REQUIRE(found.size() == 1);
    for (const OperationsSet& set : registry.sets()) {
      CAPTURE(set.name);
      CHECK(found[0] * 1'000 >= set.longest_call_ms(longest) + kRestMs);
    }
  }
}

TEST_CASE("a mirror's write has one sampling interval of the kernel's", "[stop_bounds]") {
  constexpr uint64_t kMaxSampleMs = 10'000;  // of the kernel's DAMON_STAT
  const OperationsRegistry registry = built_in_operations();
  CHECK(registry.find("damon_stat")->max_call_ms > kMaxSampleMs);
  CHECK(registry.find("kdamond")->max_call_ms > kMaxSampleMs);
}

}  // namespace
}  // namespace damon_statfs::test
