// SPDX-License-Identifier: GPL-2.0-or-later
//
// sd_notify(3)'s protocol against a real socket: both kinds of addresses, what the environment may
// say, and a manager that is not there or does not listen.
#include "mount/notify.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "support/catch.h"
#include "support/notify_listener.h"

namespace damon_statfs::test {
namespace {

ServiceManager manager_at(const std::string& name) { return {name.c_str(), nullptr, nullptr}; }

TEST_CASE("a message arrives whole, by path and by abstract name", "[notify]") {
  for (const char* prefix : {"/tmp/", "@"}) {
    const std::string name = notify_name("whole", prefix);
    NotifyListener listener(name);
    const ServiceManager manager = manager_at(name);
    REQUIRE(manager.tell("READY=1\nSTATUS=all well"));
    REQUIRE(manager.tell("WATCHDOG=1"));
    CHECK(listener.take() == "READY=1\nSTATUS=all well");
    CHECK(listener.take() == "WATCHDOG=1");
    CHECK(listener.take().empty());
    std::filesystem::remove(name);
  }
}

TEST_CASE("NOTIFY_SOCKET is a path, or a name behind an @", "[notify]") {
  const std::optional<SocketAddress> path = parse_notify_socket("/run/notify");
  REQUIRE(path);
  CHECK(path->address.sun_family == AF_UNIX);
  CHECK(std::string(path->address.sun_path) == "/run/notify");
  CHECK(path->bytes == offsetof(sockaddr_un, sun_path) + 11);
  const std::optional<SocketAddress> name = parse_notify_socket("@name");
  REQUIRE(name);
  CHECK(std::string(name->address.sun_path, 5) == std::string("\0name", 5));
  CHECK(name->bytes == offsetof(sockaddr_un, sun_path) + 5);

  constexpr size_t kMaxBytes = sizeof(sockaddr_un::sun_path) - 1;
  CHECK(parse_notify_socket("/" + std::string(kMaxBytes - 1, 'x')));
  CHECK_FALSE(parse_notify_socket("/" + std::string(kMaxBytes, 'x')));
  for (const char* text : {"", "relative", "vsock:2:1234", " /run/notify"}) {
    CHECK_FALSE(parse_notify_socket(text));
  }
}

TEST_CASE("without NOTIFY_SOCKET no manager is told, and that is no error", "[notify]") {
  CHECK(ServiceManager(nullptr, nullptr, nullptr).tell("READY=1"));
  CHECK(manager_at("").tell("READY=1"));
}

TEST_CASE("what does not arrive is an error that names the socket", "[notify]") {
  const auto check = [](const std::string& name, int errno_value) {
    const Result<void> told = manager_at(name).tell("READY=1");
    REQUIRE_FALSE(told);
    CHECK(told.error().code.value() == errno_value);
    CHECK(told.error().context.find("NOTIFY_SOCKET=" + name + ":") == 0);
  };
  check("/nonexistent/notify", ENOENT);
  check(notify_name("unbound"), ECONNREFUSED);
  check("relative", EINVAL);
  check("vsock:2:1234", EINVAL);
  check("/" + std::string(sizeof(sockaddr_un::sun_path), 'x'), EINVAL);
}

TEST_CASE("a manager that reads nothing is not waited for long", "[notify]") {
  const std::string name = notify_name("full");
  const NotifyListener listener(name);
  const ServiceManager manager = manager_at(name);
  constexpr int kMoreThanFit = 10'000;
  const auto begun = std::chrono::steady_clock::now();
  Result<void> told = outcome::success();
  for (int sent = 0; told && sent < kMoreThanFit; ++sent) told = manager.tell("WATCHDOG=1");
  REQUIRE_FALSE(told);
  CHECK(told.error().code.value() == EAGAIN);
  // A tenth of a second, and whatever else the machine does meanwhile.
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(30));
}

TEST_CASE("WATCHDOG_USEC and WATCHDOG_PID", "[notify]") {
  const std::string own_pid = std::to_string(getpid());
  const auto watchdog = [](const char* usec, const char* pid) {
    return ServiceManager("@x", usec, pid).watchdog_us();
  };
  CHECK(watchdog("3000000", nullptr) == uint64_t{3'000'000});
  CHECK(watchdog("3000000", own_pid.c_str()) == uint64_t{3'000'000});
  CHECK_FALSE(watchdog("3000000", "1"));
  CHECK_FALSE(watchdog("3000000", "junk"));
  for (const char* usec : {"", "0", "-1", "junk", "1x", "99999999999999999999"}) {
    CHECK_FALSE(watchdog(usec, nullptr));
  }
  CHECK_FALSE(watchdog(nullptr, own_pid.c_str()));
  CHECK_FALSE(ServiceManager(nullptr, "3000000", nullptr).watchdog_us());
}

}  // namespace
}  // namespace damon_statfs::test
