// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mounting, the loop and unmounting, with libfuse's public API only. The FUSE descriptor does not
// block, so one thread can wait for requests, signals and the engine at once.
#include "fs/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cstdlib>

#include "fs/fuse_messages.h"

namespace damon_statfs {
namespace {

std::string join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) {
    if (!joined.empty()) joined += ',';
    for (const char character : word) {  // libfuse splits at commas that are not escaped
      if (character == ',' || character == '\\') joined += '\\';
      joined += character;
    }
  }
  return joined;
}

}  // namespace

void Session::Destroy::operator()(fuse_session* session) const {
  fuse_session_unmount(session);
  fuse_session_destroy(session);
}

void Session::Destroy::operator()(fuse_buf* buffer) const {
  free(buffer->mem);
  delete buffer;
}

Result<Session> Session::mount(const SessionConfig& config, Filesystem& fs) {
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&args, "damon-statfs");
  fuse_opt_add_arg(&args, "-o");
  fuse_opt_add_arg(&args, join(config.mount_options).c_str());
  if (config.debug) fuse_opt_add_arg(&args, "-d");
  const fuse_lowlevel_ops& ops = filesystem_ops();
  const FuseMessages messages;
  std::unique_ptr<fuse_session, Destroy> session(fuse_session_new(&args, &ops, sizeof ops, &fs));
  fuse_opt_free_args(&args);
  if (!session) return failure(EINVAL, messages.text_or("libfuse refused the mount options"));
  if (fuse_session_mount(session.get(), config.mountpoint.c_str()) != 0) {
    return failure(EIO, fmt::format("{}: {}", config.mountpoint, messages.text_or("mount failed")));
  }
  const int fd = fuse_session_fd(session.get());
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Session(std::move(session), fs);
}

bool Session::run(const Events& events) {
  std::vector<pollfd> fds = {{fuse_session_fd(session_.get()), POLLIN, 0}};
  for (const Source& source : events.sources) fds.push_back({source.fd, POLLIN, 0});
  bool announced = false;
  while (fuse_session_exited(session_.get()) == 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR: a debugger
    for (size_t i = 0; i < events.sources.size(); ++i) {
      if (fds[i + 1].revents != 0) events.sources[i].on_readable();
    }
    if (events.done()) return false;
    if (fds[0].revents != 0) process_requests();
    if (fs_->initialised && !announced) {
      announced = true;
      events.on_initialised();
    }
    if (events.done()) return false;
  }
  return true;
}

// Some requests per call, as poll() costs about as much as one; signals and the engine get their
// turn in between. When the filesystem has been unmounted, libfuse marks the session as exited.
void Session::process_requests() {
  constexpr int kMostRequests = 16;
  for (int request = 0; request < kMostRequests; ++request) {
    const int received = fuse_session_receive_buf(session_.get(), buffer_.get());
    if (received <= 0) {
      if (received < 0 && received != -EAGAIN && received != -EINTR) {
        fuse_session_exit(session_.get());
      }
      return;
    }
    fuse_session_process_buf(session_.get(), buffer_.get());
  }
}

}  // namespace damon_statfs
