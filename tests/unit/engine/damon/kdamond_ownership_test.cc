// SPDX-License-Identifier: GPL-2.0-or-later
//
// The line of the record, which outlives daemons and their versions, and may have been cut.
#include "engine/damon/kdamond_ownership.h"

#include <string>

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

const KdamondOwnership kOwnership{"7dfa1b2c-9d65", 60'000'123, true, 4'000, 77, 4'026'531'836};

TEST_CASE("what is written is read", "[kdamond_record]") {
  CHECK(format_ownership(kOwnership) == "7dfa1b2c-9d65 60000123 1 4000 77 4026531836");
  CHECK(parse_ownership(format_ownership(kOwnership)) == kOwnership);
  KdamondOwnership off = kOwnership;
  off.marked = false;
  off.pid = -1;
  CHECK(format_ownership(off) == "7dfa1b2c-9d65 60000123 0 -1 77 4026531836");
  CHECK(parse_ownership(format_ownership(off) + std::string(50, ' ') + "\n") == off);
}

TEST_CASE("several kdamonds have a pid each", "[kdamond_record]") {
  CHECK(kOwnership.nr_kdamonds() == 1);
  CHECK(kOwnership.pid_of(0) == 4'000);
  KdamondOwnership several = kOwnership;
  several.more_pids = {4'001, -1};
  CHECK(several.nr_kdamonds() == 3);
  CHECK(several.pid_of(1) == 4'001);
  CHECK(several.pid_of(2) == -1);
  CHECK(format_ownership(several) == format_ownership(kOwnership) + " 4001 -1");
  CHECK(parse_ownership(format_ownership(several) + "  \n") == several);
}

TEST_CASE("that the daemon is giving DAMON back", "[kdamond_record]") {
  KdamondOwnership ending = kOwnership;
  for (const std::vector<pid_t>& more : {std::vector<pid_t>{}, {4'001, -1}}) {
    ending.more_pids = more;
    ending.ending = false;
    const std::string before = format_ownership(ending);
    ending.ending = true;
    CHECK(format_ownership(ending) == before + " ending");
    CHECK(parse_ownership(format_ownership(ending) + "  \n") == ending);
  }
}

TEST_CASE("a line of an older version has no namespace", "[kdamond_record]") {
  KdamondOwnership older = kOwnership;
  older.owner_pid_namespace = 0;
  CHECK(parse_ownership("7dfa1b2c-9d65 60000123 1 4000 77") == older);
  CHECK(parse_ownership({"7dfa1b2c-9d65 60000123 1 4000 77\0\0", 34}) == older);
}

TEST_CASE("lines that record nothing", "[kdamond_record]") {
  for (const char* const line : {
           "",
           "   \n",
           "boot",
           "boot 60000123 1 4000",
           "boot 60000123 1 4000 x",
           "boot -1 1 4000 77",
           "boot 60000123 yes 4000 77",
           "boot 60000123 1 4000 77777777777777777777",
           "boot 99999999999999999999 1 4000 77",
           "boot,60000123,1,4000,77",
       }) {
    CAPTURE(line);
    CHECK_FALSE(parse_ownership(line));
  }
  CHECK_FALSE(parse_ownership(std::string(127, '\0')));
  CHECK_FALSE(parse_ownership(std::string(127, '\xff')));
}

}  // namespace
}  // namespace damon_statfs::test
