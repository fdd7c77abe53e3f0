// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the owner asks for, as it reaches the engine thread: whole, in order, and never from the run
// before.
#include "engine/commands.h"

#include <poll.h>

#include <string>

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

bool is_readable(const Commands& commands) {
  pollfd fd{commands.fd(), POLLIN, 0};
  return poll(&fd, 1, 0) == 1;
}

std::string forwards_of(Commands& commands) {
  std::string forwards;
  commands.take([&](bool on) { forwards += on ? 'Y' : 'N'; });
  return forwards;
}

TEST_CASE("nothing was asked for", "[commands]") {
  Commands commands;
  REQUIRE(commands.open());
  CHECK_FALSE(is_readable(commands));
  CHECK_FALSE(commands.stop_requested());
  CHECK_FALSE(commands.take_settings());
}

TEST_CASE("writes are taken in their order, and once", "[commands]") {
  Commands commands;
  REQUIRE(commands.open());
  commands.forward(true);
  commands.forward(false);
  commands.stop();
  CHECK(is_readable(commands));
  CHECK(forwards_of(commands) == "YN");
  CHECK(commands.stopped());
  CHECK(forwards_of(commands).empty());
  CHECK(is_readable(commands));
  commands.drain_fd();
  CHECK_FALSE(is_readable(commands));
}

TEST_CASE("a stop is not told before it is taken out", "[commands]") {
  Commands commands;
  REQUIRE(commands.open());
  commands.stop();
  CHECK_FALSE(commands.stopped());
  CHECK(commands.stop_requested());
  CHECK(commands.stopped());
}

TEST_CASE("the newest settings count", "[commands]") {
  Commands commands;
  REQUIRE(commands.open());
  commands.change({1, 100, {}});
  commands.change({2, 200, {}});
  CHECK_FALSE(commands.take_settings());
  CHECK_FALSE(commands.stop_requested());
  CHECK(commands.take_settings() == RunSettings{2, 200, {}});
  CHECK_FALSE(commands.take_settings());
}

TEST_CASE("a new run begins without the commands of the last", "[commands]") {
  Commands commands;
  REQUIRE(commands.open());
  commands.stop();
  CHECK(commands.stop_requested());
  commands.forward(true);
  commands.change({1, 100, {}});
  REQUIRE(commands.open());
  CHECK_FALSE(is_readable(commands));
  CHECK(forwards_of(commands).empty());
  CHECK_FALSE(commands.stopped());
  CHECK_FALSE(commands.take_settings());
}

}  // namespace
}  // namespace damon_statfs::test
