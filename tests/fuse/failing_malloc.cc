// SPDX-License-Identifier: GPL-2.0-or-later
//
// To be preloaded into the daemon by tests/fuse/test_memory.py: counts allocations in a file, and
// lets the one fail that the file names. The file is shared by all processes of one start.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// NOLINTBEGIN: glibc's own names
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
}
// NOLINTEND

namespace {

struct Control {
  std::atomic<int64_t> left;   // allocations up to and with the one that fails; 0: none fails
  std::atomic<int64_t> count;  // of all allocations
};

Control* control = nullptr;

__attribute__((constructor)) void map_control() {
  const char* const path = getenv("DAMON_STATFS_ALLOCATIONS");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* const mapped = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) control = static_cast<Control*>(mapped);
}

bool fails() {
  if (control == nullptr) return false;
  ++control->count;
  int64_t left = control->left.load();
  while (left > 0 && !control->left.compare_exchange_weak(left, left - 1)) {
  }
  if (left != 1) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

void* malloc(size_t size) { return fails() ? nullptr : __libc_malloc(size); }

void* calloc(size_t count, size_t size) { return fails() ? nullptr : __libc_calloc(count, size); }

void* realloc(void* old, size_t size) { return fails() ? nullptr : __libc_realloc(old, size); }
}
