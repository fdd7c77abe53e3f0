// SPDX-License-Identifier: GPL-2.0-or-later
//
// The program's operator new, which counts down while a FailingAllocation is in scope. The forms
// that throw nothing are here, too, since a sanitizer's do not lead to the others.
#include "support/failing_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> allocations_left{-1};  // before the one that fails; below 0: none fails
std::atomic<bool> failed{false};

bool fails_now() {
  if (allocations_left.load(std::memory_order_relaxed) < 0) return false;
  if (allocations_left.fetch_sub(1) != 0) return false;
  failed = true;
  return true;
}

}  // namespace

void* operator new(size_t size) {
  if (fails_now()) throw std::bad_alloc();
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return fails_now() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace damon_statfs::test {

FailingAllocation::FailingAllocation(int64_t number) {
  failed = false;
  allocations_left = number;
}

FailingAllocation::~FailingAllocation() { allocations_left = -1; }

bool FailingAllocation::has_failed() { return failed; }

}  // namespace damon_statfs::test
