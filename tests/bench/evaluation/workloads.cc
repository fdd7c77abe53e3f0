// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the workloads touch. Periods are no multiples of the 5 s between two readings: otherwise all
// the readings of a run would fall into the same phase, good or bad.
#include "workloads.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <utility>

#include "memory_part.h"
#include "physical_pages.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kPieceBytes = 64 << 10;
constexpr int64_t kReadBytes = 256 << 10;

void sleep_ns(int64_t duration_ns) {
  const timespec pause{duration_ns / kNsPerSecond, duration_ns % kNsPerSecond};
  nanosleep(&pause, nullptr);
}

// A part of memory with its place in the record, and what one pass over it is.
struct Item {
  size_t index = 0;
  std::function<void()> pass;
  int64_t period_ns = 0;  // 0: hot
  int64_t next_ns = 0;
};

class Workload {
 public:
  Workload(const WorkloadSetup& setup, TouchRecord record)
      : setup_(setup), record_(std::move(record)) {}

  void hot(int64_t mib, bool huge = false) { add_memory(bytes_or(setup_.hot_bytes, mib), huge, 0); }
  void warm(int64_t mib, double period_s) {
    add_memory(mib * kMiB, false, static_cast<int64_t>(period_s * 1e9));
  }
  void cold(int64_t mib, bool huge = false) { fill(bytes_or(setup_.cold_bytes, mib), huge); }

  // Pieces chosen at random out of memory that was filled from one end to the other.
  void scattered(int64_t of_mib, int64_t hot_mib);
  // A file of shared memory, read by read(2) or through a mapping.
  void file(int64_t mib, bool mapped);

  // Touches what there is for ever.
  [[noreturn]] void run();
  // Keeps one of so many parts hot, another one after each period.
  [[noreturn]] void run_moving(size_t parts, int64_t mib, int64_t period_ns);
  // A heap that grows to its full size, is freed and grows again.
  [[noreturn]] void run_heap(int64_t mib, int64_t mib_per_s);

 private:
  static int64_t bytes_or(int64_t given, int64_t mib) { return given != 0 ? given : mib * kMiB; }
  std::pair<Part, TouchPass> fill(int64_t bytes, bool huge);
  void add(int64_t bytes, TouchPass populated, std::function<void()> pass, int64_t period_ns);
  void add_memory(int64_t bytes, bool huge, int64_t period_ns);
  void pass(const Item& item);
  void take_over(const Part& part, size_t index);

  WorkloadSetup setup_;
  TouchRecord record_;
  std::vector<Item> items_;
  std::vector<uint16_t> owners_;  // of a heap's pages, by frame: index in the record plus one
};

std::pair<Part, TouchPass> Workload::fill(int64_t bytes, bool huge) {
  const Part part = reserve(bytes, huge);
  const int64_t start_ns = monotonic_ns();
  populate(part);
  if (huge && huge_bytes(part) < bytes / 100 * 99) throw std::runtime_error("no huge pages");
  return {part, {start_ns, monotonic_ns()}};
}

void Workload::add(int64_t bytes, TouchPass populated, std::function<void()> pass,
                   int64_t period_ns) {
  items_.push_back(
      {record_.add_part(bytes, populated), std::move(pass), period_ns, monotonic_ns() + period_ns});
}

void Workload::add_memory(int64_t bytes, bool huge, int64_t period_ns) {
  const auto [part, populated] = fill(bytes, huge);
  add(
      bytes, populated, [part = part] { touch(part); }, period_ns);
}

void Workload::scattered(int64_t of_mib, int64_t hot_mib) {
  const auto [whole, populated] = fill(of_mib * kMiB, false);
  std::vector<Part> pieces;
  for (int64_t at = 0; at < whole.bytes; at += kPieceBytes) {
    pieces.push_back({whole.begin + at, kPieceBytes});
  }
  std::mt19937 random(1);
  std::shuffle(pieces.begin(), pieces.end(), random);
  pieces.resize(static_cast<size_t>(hot_mib * kMiB / kPieceBytes));
  std::vector<uint64_t> pages;
  for (const Part& piece : pieces) {
    const auto more = physical_pages(piece);
    pages.insert(pages.end(), more.begin(), more.end());
  }
  std::puts(describe_pieces(pages, kPieceBytes / kPageBytes).c_str());
  add(
      hot_mib * kMiB, populated,
      [pieces = std::move(pieces)] { std::for_each(pieces.begin(), pieces.end(), touch); }, 0);
}

void Workload::file(int64_t mib, bool mapped) {
  const int file = memfd_create("evaluation", 0);
  const auto bytes = static_cast<size_t>(mib * kMiB);
  if (file < 0 || ftruncate(file, mib * kMiB) != 0) throw std::runtime_error("no memory file");
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot map a file");
  const Part part{static_cast<char*>(memory), mib * kMiB};
  const int64_t start_ns = monotonic_ns();
  populate(part);
  const TouchPass populated{start_ns, monotonic_ns()};
  if (mapped)
    return add(
        part.bytes, populated, [part] { touch(part); }, 0);
  munmap(memory, bytes);
  std::vector<char> buffer(static_cast<size_t>(kReadBytes));
  add(
      part.bytes, populated,
      [file, bytes = part.bytes, buffer]() mutable {
        for (int64_t at = 0; at < bytes; at += kReadBytes) {
          if (pread(file, buffer.data(), buffer.size(), at) != kReadBytes) std::abort();
        }
      },
      0);
}

void Workload::pass(const Item& item) {
  record_.begin_pass(item.index);
  item.pass();
  record_.end_pass(item.index);
}

void Workload::run() {
  record_.publish();
  for (;;) {
    bool any_hot = false;
    int64_t next_ns = monotonic_ns() + kNsPerSecond / 10;
    for (Item& item : items_) {
      any_hot = any_hot || item.period_ns == 0;
      if (item.period_ns == 0) {
        pass(item);
      } else if (monotonic_ns() >= item.next_ns) {
        item.next_ns += item.period_ns;
        pass(item);
      }
    }
    const int64_t pause_ns = any_hot ? setup_.pause_ns : next_ns - monotonic_ns();
    if (pause_ns > 0) sleep_ns(pause_ns);
  }
}

void Workload::run_moving(size_t parts, int64_t mib, int64_t period_ns) {
  for (size_t i = 0; i < parts; ++i) hot(mib);
  record_.publish();
  for (size_t now = 0;; now = (now + 1) % parts) {
    const int64_t end_ns = monotonic_ns() + period_ns;
    record_.set_changed();
    while (monotonic_ns() < end_ns) {
      pass(items_[now]);
      if (setup_.pause_ns > 0) sleep_ns(setup_.pause_ns);
    }
    record_.stop_part(items_[now].index);
  }
}

// The pages belong to this part of the record now, and no longer to any that had them before.
void Workload::take_over(const Part& part, size_t index) {
  for (const uint64_t page : physical_pages(part)) {
    if (owners_.size() <= page) owners_.resize(page + 1);
    const size_t owner = owners_[page];
    if (owner != 0) record_.set_bytes(owner - 1, record_.bytes(owner - 1) - kPageBytes);
    owners_[page] = static_cast<uint16_t>(index + 1);
  }
}

void Workload::run_heap(int64_t mib, int64_t mib_per_s) {
  constexpr int64_t kStepMiB = 4;
  record_.publish();
  for (;;) {
    const Part heap = reserve(mib * kMiB, false);
    int64_t next_ns = monotonic_ns();
    for (int64_t at = 0; at < heap.bytes; at += kStepMiB * kMiB) {
      const Part step{heap.begin + at, kStepMiB * kMiB};
      const int64_t start_ns = monotonic_ns();
      populate(step);
      const size_t index = record_.add_part(step.bytes, {start_ns, monotonic_ns()});
      take_over(step, index);
      record_.add_once(step.bytes);
      next_ns += kStepMiB * kNsPerSecond / mib_per_s;
      sleep_ns(std::max<int64_t>(next_ns - monotonic_ns(), 1));
    }
    sleep_ns(2 * kNsPerSecond);
    munmap(heap.begin, static_cast<size_t>(heap.bytes));
    sleep_ns(kNsPerSecond);
  }
}

const std::map<std::string, void (*)(Workload&)> kWorkloads = {
    {"hot16", [](Workload& w) { w.hot(16), w.cold(1024), w.run(); }},
    {"hot512", [](Workload& w) { w.hot(512), w.warm(512, 5.3), w.cold(1024), w.run(); }},
    {"hot3g", [](Workload& w) { w.hot(3072), w.run(); }},
    {"warm",
     [](Workload& w) {
       w.hot(64), w.warm(256, 2.1), w.warm(256, 9.7), w.warm(256, 31), w.cold(512), w.run();
     }},
    {"scattered", [](Workload& w) { w.scattered(3072, 512), w.run(); }},
    {"moving", [](Workload& w) { w.run_moving(8, 256, 20 * kNsPerSecond); }},
    {"thp", [](Workload& w) { w.hot(512, true), w.cold(1024, true), w.run(); }},
    {"pagecache", [](Workload& w) { w.file(384, false), w.file(384, true), w.cold(512), w.run(); }},
    {"fileread", [](Workload& w) { w.file(768, false), w.run(); }},
    {"filemap", [](Workload& w) { w.file(768, true), w.run(); }},
    {"heap", [](Workload& w) { w.run_heap(1024, 64); }},
    {"idle", [](Workload& w) { w.run(); }},
};

}  // namespace

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto& [name, run] : kWorkloads) names.push_back(name);
  return names;
}

void run_workload(const WorkloadSetup& setup, TouchRecord record) {
  const auto found = kWorkloads.find(setup.name);
  if (found == kWorkloads.end()) throw std::invalid_argument("no workload " + setup.name);
  Workload workload(setup, std::move(record));
  found->second(workload);
  throw std::logic_error("a workload has ended");
}

}  // namespace guest_test
