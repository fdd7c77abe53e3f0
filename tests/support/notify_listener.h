// SPDX-License-Identifier: GPL-2.0-or-later
//
// A service manager's socket, which keeps the messages that the code under test sends to it.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "damon_statfs/fd.h"
#include "mount/notify.h"
#include "support/catch.h"

namespace damon_statfs::test {

class NotifyListener {
 public:
  // name: as in NOTIFY_SOCKET. Precondition: nothing else listens there.
  explicit NotifyListener(const std::string& name) {
    const std::optional<SocketAddress> at = parse_notify_socket(name);
    REQUIRE(at);
    REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at->address), at->bytes) == 0);
  }

  // Returns: the oldest message that was not taken, or "" for none.
  std::string take() {
    std::array<char, 512> buffer{};
    const ssize_t bytes = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return bytes < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(bytes));
  }

 private:
  const UniqueFd fd_{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

// Returns: a name for NOTIFY_SOCKET that no other process uses.
inline std::string notify_name(const std::string& suffix, const std::string& prefix = "@") {
  return prefix + "damon-statfs-notify." + std::to_string(getpid()) + "." + suffix;
}

}  // namespace damon_statfs::test
