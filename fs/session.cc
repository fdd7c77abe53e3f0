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
#include <cstring>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "fs/fuse_messages.h"

namespace damon_statfs {
namespace {

constexpr char kFuseDevice[] = "/dev/fuse";

}  // namespace

void Session::Destroy::operator()(fuse_buf* buffer) const {
  free(buffer->mem);
  delete buffer;
}

Result<Session> Session::mount(const FuseMountConfig& config, bool debug, Filesystem& fs) {
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&args, "damon-statfs");
  if (debug) fuse_opt_add_arg(&args, "-d");
  const fuse_lowlevel_ops& ops = filesystem_ops();
  const FuseMessages messages;
  std::unique_ptr<fuse_session, Destroy> session(fuse_session_new(&args, &ops, sizeof ops, &fs));
  fuse_opt_free_args(&args);
  if (!session) return failure(EINVAL, messages.text_or("libfuse makes no session"));
  UniqueFd fuse(open(kFuseDevice, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fuse) return errno_failure("{}", kFuseDevice);
  DAMON_STATFS_TRY(mounted, FuseMount::make(fuse.get(), config));
  // What libfuse calls a mountpoint of this form is a descriptor that is mounted already.
  if (fuse_session_mount(session.get(), fmt::format("/dev/fd/{}", fuse.get()).c_str()) != 0) {
    return failure(EIO, messages.text_or("libfuse does not take the mount"));
  }
  fuse.release();
  return Session(std::move(session), std::move(mounted), fs);
}

Result<Session::End> Session::run(const Events& events) {
  std::vector<pollfd> fds = {{fuse_session_fd(session_.get()), POLLIN, 0}};
  for (const Source& source : events.sources) fds.push_back({source.fd, POLLIN, 0});
  bool announced = false;
  while (fuse_session_exited(session_.get()) == 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR: a debugger
    for (size_t i = 0; i < events.sources.size(); ++i) {
      if (fds[i + 1].revents != 0) events.sources[i].on_readable();
    }
    if (events.done()) return End::kDone;
    if (fds[0].revents != 0) {
      BOOST_OUTCOME_TRYV(process_requests());
    }
    if (fs_->initialised && !announced) {
      announced = true;
      events.on_initialised();
    }
    if (events.done()) return End::kDone;
  }
  return unmounted_or_dead();
}

// Some requests per call, as poll() costs about as much as one; signals and the engine get their
// turn in between. When there is no connection any more, libfuse marks the session as exited. The
// first request begins the conversation: if libfuse or the kernel has no memory for that, no other
// one comes.
Result<void> Session::process_requests() {
  constexpr int kMostRequests = 16;
  for (int request = 0; request < kMostRequests; ++request) {
    const int received = fuse_session_receive_buf(session_.get(), buffer_.get());
    if (received == 0 || received == -EAGAIN || received == -EINTR) return outcome::success();
    if (received > 0) fuse_session_process_buf(session_.get(), buffer_.get());
    if (received < 0 || !fs_->initialised) {
      return failure(received < 0 ? -received : ENOMEM,
                     fmt::format("{}: {}", kFuseDevice,
                                 received < 0 ? std::strerror(-received)
                                              : "the first request could not be answered"));
    }
  }
  return outcome::success();
}

Result<Session::End> Session::unmounted_or_dead() const {
  if (!mount_.is_dead()) return End::kUnmounted;
  return failure(ECONNABORTED,
                 "the kernel has aborted the connection to the mount, which is removed");
}

}  // namespace damon_statfs
