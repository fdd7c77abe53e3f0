// SPDX-License-Identifier: GPL-2.0-or-later
//
// Limits of the process that are reached while one of these is in scope.
#pragma once

#include <pthread.h>
#include <sys/resource.h>

#include <cstddef>

#include "support/catch.h"

namespace damon_statfs::test {

// No thread can be had: none has the address space for its stack.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t attr = before_;
    pthread_attr_setstacksize(&attr, size_t{1} << 47);
    REQUIRE(pthread_setattr_default_np(&attr) == 0);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() { pthread_setattr_default_np(&before_); }

 private:
  pthread_attr_t before_{};
};

// No descriptor can be had. Those that are open stay so.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A write that goes beyond so many bytes of a file ends there.
class LimitedFileSize {
 public:
  explicit LimitedFileSize(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  LimitedFileSize(const LimitedFileSize&) = delete;
  LimitedFileSize& operator=(const LimitedFileSize&) = delete;
  ~LimitedFileSize() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace damon_statfs::test
