// SPDX-License-Identifier: GPL-2.0-or-later
//
// The loop's looking for the next request: while requests keep coming, within its share of a CPU,
// and not where nobody could send one meanwhile.
#include "fs/busy_wait.h"

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;

TEST_CASE("on one processor nobody else could run", "[busy_wait]") {
  BusyWait wait(false);
  CHECK(wait.allowance_ns(kSecond) == 0);
}

TEST_CASE("while requests keep coming it looks for the next", "[busy_wait]") {
  BusyWait wait(true);
  for (int64_t now_ns = kSecond; now_ns < kSecond + 10 * kMs; now_ns += 50'000) {
    CHECK(wait.allowance_ns(now_ns) == BusyWait::kLongestNs);
    wait.account(5'000, true);
  }
}

TEST_CASE("a reader's last request costs one wait in vain, and no more", "[busy_wait]") {
  BusyWait wait(true);
  int64_t now_ns = kSecond;
  for (int reader = 0; reader < 100; ++reader) {  // three requests each, 100 ms apart
    for (const bool found : {true, true, false}) {
      CAPTURE(reader, found);
      CHECK(wait.allowance_ns(now_ns) == BusyWait::kLongestNs);
      wait.account(found ? 5'000 : BusyWait::kLongestNs, found);
    }
    now_ns += 100 * kMs;
  }
}

TEST_CASE("single requests are hardly waited after", "[busy_wait]") {
  BusyWait wait(true);
  int waits = 0;
  for (int64_t now_ns = kSecond; now_ns < 101 * kSecond; now_ns += 100 * kMs) {
    if (wait.allowance_ns(now_ns) == 0) continue;
    ++waits;
    wait.account(BusyWait::kLongestNs, false);
  }
  CHECK(waits >= 10);  // it goes on trying
  CHECK(waits <= 50);  // of 1,000
}

TEST_CASE("its share of a CPU holds, whatever comes", "[busy_wait]") {
  BusyWait wait(true);
  const bool found = GENERATE(true, false);
  int64_t spent_ns = 0, now_ns = kSecond;
  while (now_ns < 11 * kSecond) {
    const int64_t allowed_ns = wait.allowance_ns(now_ns);
    if (allowed_ns > 0) wait.account(allowed_ns, found);
    spent_ns += allowed_ns;
    now_ns += allowed_ns + 10'000;
  }
  CHECK(spent_ns <= 10 * kSecond / 100 * BusyWait::kPercent + 10 * kMs);
  if (found) CHECK(spent_ns >= 9 * kSecond / 100 * BusyWait::kPercent);
}

}  // namespace
}  // namespace damon_statfs::test
