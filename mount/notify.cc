// SPDX-License-Identifier: GPL-2.0-or-later
//
// An address is a path or, with an "@" for its first byte, a name without a file. A manager that
// does not take its messages must not stop the mount from answering, so waiting for it is limited.
#include "mount/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "damon_statfs/fd.h"
#include "mount/values.h"

namespace damon_statfs {
namespace {

constexpr timeval kMaxWait = {0, 200'000};

std::optional<uint64_t> parse_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  return parse_count(text, 1, std::numeric_limits<uint64_t>::max() / 2);
}

std::optional<uint64_t> watchdog_for_us(const char* usec, const char* pid) {
  if (pid != nullptr && parse_number(pid) != static_cast<uint64_t>(getpid())) return std::nullopt;
  return parse_number(usec);
}

}  // namespace

std::optional<SocketAddress> parse_notify_socket(std::string_view text) {
  SocketAddress parsed;
  const bool is_address = text.starts_with('/') || text.starts_with('@');
  if (!is_address || text.size() >= sizeof parsed.address.sun_path) return std::nullopt;
  parsed.address.sun_family = AF_UNIX;
  text.copy(parsed.address.sun_path, sizeof parsed.address.sun_path);
  if (text[0] == '@') parsed.address.sun_path[0] = '\0';
  parsed.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  return parsed;
}

ServiceManager::ServiceManager(const char* notify_socket, const char* watchdog_usec,
                               const char* watchdog_pid)
    : socket_(notify_socket == nullptr ? "" : notify_socket) {
  if (!socket_.empty()) watchdog_us_ = watchdog_for_us(watchdog_usec, watchdog_pid);
}

ServiceManager ServiceManager::of_environment() {
  return {std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID")};
}

Result<void> ServiceManager::tell(std::string_view lines) const {
  if (socket_.empty()) return outcome::success();
  const auto refuse = [&](int errno_value) {
    return failure(errno_value,
                   fmt::format("NOTIFY_SOCKET={}: {}", socket_, std::strerror(errno_value)));
  };
  const std::optional<SocketAddress> to = parse_notify_socket(socket_);
  if (!to) return refuse(EINVAL);
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return refuse(errno);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kMaxWait, sizeof kMaxWait);
  if (sendto(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&to->address), to->bytes) < 0) {
    return refuse(errno);
  }
  return outcome::success();
}

}  // namespace damon_statfs
