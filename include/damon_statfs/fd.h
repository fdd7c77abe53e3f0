// SPDX-License-Identifier: GPL-2.0-or-later
//
// UniqueFd owns one file descriptor. Every descriptor of the program lives in one of these, so none
// is leaked on an error path and none is closed twice.
#pragma once

#include <unistd.h>

#include <utility>

namespace damon_statfs {

// Owns a descriptor, or none (-1). Move-only.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    UniqueFd closed_at_end(std::exchange(fd_, std::exchange(other.fd_, -1)));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  // Returns: the descriptor, or -1.
  int get() const { return fd_; }

  // Returns: the descriptor, which the caller owns from now on, or -1.
  int release() { return std::exchange(fd_, -1); }

  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace damon_statfs
