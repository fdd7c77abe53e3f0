// SPDX-License-Identifier: GPL-2.0-or-later
//
// The shared memory behind the record: a sequence lock, whose reader simply tries again. The writer
// never waits, so that keeping the record changes nothing about the workload.
#include "touch_record.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "workload_state.h"

namespace guest_test {
namespace {

constexpr size_t kMaxParts = 4096;

void* map_file(const std::string& path, size_t bytes, bool create) {
  const int file = ::open(path.c_str(), create ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
  if (file < 0 || (create && ftruncate(file, static_cast<off_t>(bytes)) != 0)) {
    throw std::runtime_error("cannot open " + path);
  }
  void* memory =
      mmap(nullptr, bytes, create ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  return memory;
}

}  // namespace

struct TouchRecord::Shared {
  std::atomic<uint64_t> sequence;  // odd while it is being changed
  int64_t changed_ns;
  int64_t once_bytes;
  size_t count;
  PartRecord parts[kMaxParts];
};

class TouchRecord::Update {
 public:
  explicit Update(Shared& shared) : shared_(shared) {
    shared_.sequence.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  ~Update() { shared_.sequence.fetch_add(1, std::memory_order_release); }
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

 private:
  Shared& shared_;
};

TouchRecord TouchRecord::create(const std::string& path) {
  return {static_cast<Shared*>(map_file(path + ".part", sizeof(Shared), true)), path};
}

TouchRecord TouchRecord::open(const std::string& path) {
  return {static_cast<Shared*>(map_file(path, sizeof(Shared), false)), path};
}

size_t TouchRecord::add_part(int64_t bytes, TouchPass populated) {
  PartRecord* const end = shared_->parts + shared_->count;
  PartRecord* const part =
      std::find_if(shared_->parts, end, [](const PartRecord& other) { return other.bytes == 0; });
  if (part == shared_->parts + kMaxParts) throw std::runtime_error("too many parts");
  const Update update(*shared_);
  *part = PartRecord{};
  part->bytes = bytes;
  part->last = populated;
  part->run_since_ns = populated.end_ns;
  if (part == end) ++shared_->count;
  return static_cast<size_t>(part - shared_->parts);
}

void TouchRecord::begin_pass(size_t index) {
  const int64_t now_ns = monotonic_ns();
  PartRecord& part = shared_->parts[index];
  const bool new_run = now_ns - part.last.end_ns > kCheckPeriodNs;
  const Update update(*shared_);
  if (new_run) {
    part.before_run = part.last;
    part.run_since_ns = 0;
  } else {
    part.period_ns = now_ns - part.last.start_ns;
  }
  part.begun_ns = now_ns;
}

void TouchRecord::end_pass(size_t index) {
  const int64_t now_ns = monotonic_ns();
  PartRecord& part = shared_->parts[index];
  const Update update(*shared_);
  if (part.run_since_ns == 0) {
    part.period_ns = part.begun_ns - part.before_run.start_ns;
    part.run_since_ns = now_ns;
  }
  part.last = {part.begun_ns, now_ns};
  part.begun_ns = 0;
  ++part.passes;
}

void TouchRecord::stop_part(size_t index) {
  const Update update(*shared_);
  shared_->parts[index].period_ns = 0;
}

void TouchRecord::set_bytes(size_t index, int64_t bytes) {
  const Update update(*shared_);
  shared_->parts[index].bytes = bytes;
}

void TouchRecord::set_changed() {
  const Update update(*shared_);
  shared_->changed_ns = monotonic_ns();
}

void TouchRecord::add_once(int64_t bytes) {
  const Update update(*shared_);
  shared_->once_bytes += bytes;
}

int64_t TouchRecord::bytes(size_t index) const { return shared_->parts[index].bytes; }

size_t TouchRecord::count() const { return shared_->count; }

void TouchRecord::publish() {
  if (std::rename((path_ + ".part").c_str(), path_.c_str()) != 0) {
    throw std::runtime_error("cannot make " + path_);
  }
}

TouchState TouchRecord::read() const {
  for (;;) {
    const uint64_t before = shared_->sequence.load(std::memory_order_acquire);
    TouchState state{shared_->changed_ns,
                     shared_->once_bytes,
                     {shared_->parts, shared_->parts + shared_->count}};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && shared_->sequence.load(std::memory_order_relaxed) == before) {
      return state;
    }
  }
}

}  // namespace guest_test
