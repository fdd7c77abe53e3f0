// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a service manager wants to hear of a Type=notify service: sd_notify(3)'s protocol, one
// datagram per message. Twenty lines of our own instead of libsystemd and all that it brings in.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "damon_statfs/result.h"

namespace damon_statfs {

// A socket's address as bind(2) and sendto(2) take it.
struct SocketAddress {
  sockaddr_un address{};
  socklen_t bytes = 0;
};

// text: what NOTIFY_SOCKET says, an absolute path or "@" and a name without a file. Returns: none
// for anything else, and for what is too long for a socket's address.
std::optional<SocketAddress> parse_notify_socket(std::string_view text);

class ServiceManager {
 public:
  // What NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; nullptr for what is not set.
  ServiceManager(const char* notify_socket, const char* watchdog_usec, const char* watchdog_pid);

  // Of this process's environment.
  static ServiceManager of_environment();

  // Sends lines such as READY=1. Returns: why they did not arrive; success without a NOTIFY_SOCKET.
  Result<void> tell(std::string_view lines) const;

  // How often WATCHDOG=1 is expected of this process at least; none if it is not.
  std::optional<uint64_t> watchdog_us() const { return watchdog_us_; }

 private:
  std::string socket_;  // empty: no service manager listens
  std::optional<uint64_t> watchdog_us_;
};

}  // namespace damon_statfs
