// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a service manager hears of the daemon and when, and what is logged where it cannot hear.
#include "mount/supervision.h"

#include <fmt/format.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support/captured_log.h"
#include "support/catch.h"
#include "support/notify_listener.h"

namespace damon_statfs::test {
namespace {

Supervision supervised_at(const std::string& name, const char* watchdog_usec = nullptr) {
  return Supervision(ServiceManager(name.c_str(), watchdog_usec, nullptr));
}

itimerspec timer_of(const Supervision& supervision) {
  itimerspec times{};
  REQUIRE(timerfd_gettime(supervision.watchdog_fd(), &times) == 0);
  return times;
}

TEST_CASE("nothing is told before the daemon is ready", "[supervision]") {
  const std::string name = notify_name("ready");
  NotifyListener listener(name);
  Supervision supervision = supervised_at(name);
  supervision.tell_state("monitoring is on");
  supervision.tell_stopping();
  CHECK(listener.take().empty());
  supervision.tell_ready("monitoring is off");
  CHECK(listener.take() == fmt::format("READY=1\nMAINPID={}\nSTATUS=monitoring is off", getpid()));
}

TEST_CASE("a state is told when it differs, in one printable line", "[supervision]") {
  const std::string name = notify_name("state");
  NotifyListener listener(name);
  Supervision supervision = supervised_at(name);
  supervision.tell_ready("off");
  listener.take();
  supervision.tell_state("off");
  CHECK(listener.take().empty());
  supervision.tell_state("on\nREADY=0");
  CHECK(listener.take() == "STATUS=on\\x0aREADY=0");
  supervision.tell_stopping();
  CHECK(listener.take() == "STOPPING=1\nSTATUS=ending");
}

TEST_CASE("there is a timer where a watchdog is expected, at twice its rate", "[supervision]") {
  Supervision none = supervised_at("@x");
  REQUIRE(none.start_watchdog());
  CHECK(none.watchdog_fd() == -1);

  Supervision supervision = supervised_at("@x", "3000000");
  REQUIRE(supervision.start_watchdog());
  const itimerspec times = timer_of(supervision);
  CHECK(times.it_interval.tv_sec == 1);
  CHECK(times.it_interval.tv_nsec == 500'000'000);
}

TEST_CASE("the watchdog is fed unless the engine is found stuck", "[supervision]") {
  CapturedLog log;
  const std::string name = notify_name("watchdog");
  NotifyListener listener(name);
  Supervision supervision = supervised_at(name, "60000000");
  REQUIRE(supervision.start_watchdog());
  supervision.on_watchdog(false);
  CHECK(listener.take() == "WATCHDOG=1");
  CHECK(timer_of(supervision).it_value.tv_sec > 1);

  supervision.on_watchdog(true);
  CHECK(listener.take().empty());
  CHECK(log.take().empty());                          // the whole machine may have stalled
  CHECK(timer_of(supervision).it_value.tv_sec <= 1);  // so it is asked again soon
  for (int times = 0; times < 3; ++times) supervision.on_watchdog(true);
  CHECK(log.take() ==
        "error: the engine thread makes no progress, so the watchdog is not fed any "
        "more\n");
  CHECK(listener.take().empty());

  supervision.on_watchdog(false);
  CHECK(listener.take() == "WATCHDOG=1");
  CHECK(timer_of(supervision).it_value.tv_sec > 1);
}

TEST_CASE("a manager that cannot be told is logged once until it can", "[supervision]") {
  CapturedLog log;
  const std::string name = notify_name("deaf");
  Supervision supervision = supervised_at(name);
  const std::string why =
      "the service manager cannot be told READY=1: NOTIFY_SOCKET=" + name + ": ";
  supervision.tell_ready("off");
  CHECK(log.take().find("error: " + why) == 0);
  supervision.tell_ready("off");
  CHECK(log.take().empty());
  {
    NotifyListener listener(name);
    supervision.tell_ready("off");
    CHECK_FALSE(listener.take().empty());
  }
  supervision.tell_ready("off");
  CHECK(log.take().find(why) != std::string::npos);
}

}  // namespace
}  // namespace damon_statfs::test
