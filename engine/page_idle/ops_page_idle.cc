// SPDX-License-Identifier: GPL-2.0-or-later
//
// Marks pages idle and looks whether they still are. A bit of the bitmap reads 0 for "accessed" and
// for "cannot be tracked" alike, so a page counts as accessed only if it was, and still is,
// trackable.
#include "engine/page_idle/ops_page_idle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "damon_statfs/errno_failure.h"
#include "engine/base/folio.h"
#include "engine/page_idle/idle_flag_users.h"
#include "engine/base/kernel_files.h"
#include "engine/base/memory_ranges.h"
#include "engine/page_idle/page_idle_checks.h"
#include "engine/base/word_file.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kPagesPerWord = 64;
constexpr const char* kBitmap = "/sys/kernel/mm/page_idle/bitmap";

struct Files {
  WordFile bitmap;
  WordFile kpageflags;
};

std::string bitmap_path(const OperationsContext& context) { return context.rootfs + kBitmap; }

Result<Files> open_files(const OperationsContext& context) {
  const RootedKernelFiles files(context.rootfs);
  const auto open = [&](const char* path, int flags, const char* option) {
    const std::string lacks = fmt::format("the kernel is built without {}", option);
    return WordFile::open(context.rootfs + path, flags, why_missing(files, path, lacks));
  };
  DAMON_STATFS_TRY(bitmap, open(kBitmap, O_RDWR, "CONFIG_IDLE_PAGE_TRACKING"));
  DAMON_STATFS_TRY(kpageflags, open("/proc/kpageflags", O_RDONLY, "CONFIG_PROC_PAGE_MONITOR"));
  return Files{std::move(bitmap), std::move(kpageflags)};
}

// A page prepared for a check.
struct Mark {
  uint64_t head_pfn = 0;
  bool tracked = false;  // its folio carries the idle flag

  uint64_t word() const { return head_pfn / kPagesPerWord; }
  uint64_t bit() const { return uint64_t{1} << (head_pfn % kPagesPerWord); }
};

class PageIdleOperations final : public Operations {
 public:
  explicit PageIdleOperations(const OperationsContext& context) : context_(context) {}

  Result<std::vector<AddressRange>> open() override {
    DAMON_STATFS_TRY(files, open_files(context_));
    DAMON_STATFS_TRY(ranges, monitored_ranges(context_));
    BOOST_OUTCOME_TRYV(refuse_running_kdamonds(context_.rootfs));
    DAMON_STATFS_TRY(lock, lock_idle_flags(context_.rootfs));
    log_left_out(context_, ranges);
    files_ = std::move(files);
    lock_ = std::move(lock);
    return std::move(ranges);
  }

  Result<void> prepare_access_checks(std::span<Region> regions) override {
    const size_t first = marks_.size();
    for (const Region& region : regions) {
      DAMON_STATFS_TRY(mark, make_mark(region.sampling_addr / page_bytes_));
      marks_.push_back(mark);
    }
    const std::span<Mark> marks = std::span(marks_).subspan(first);
    BOOST_OUTCOME_TRYV(set_idle(marks));
    return verify_idle(marks);
  }

  Result<void> check_accesses(std::span<Region> regions) override {
    std::optional<uint64_t> idle_bits;
    uint64_t read_word = ~uint64_t{0};
    const int64_t now_ns = context_.clock->now_ns();
    for (Region& region : regions) {
      const Mark mark = marks_[next_mark_++];
      if (!mark.tracked) continue;
      if (mark.word() != read_word) {
        read_word = mark.word();
        DAMON_STATFS_TRY(bits, files_.bitmap.read(read_word));
        idle_bits = bits;
      }
      if (!idle_bits) {
        drop_sample(files_.bitmap, mark.head_pfn);
        continue;
      }
      if ((*idle_bits & mark.bit()) != 0) continue;
      DAMON_STATFS_TRY(same, still_tracked(region.sampling_addr / page_bytes_, mark));
      if (same) region.add_access(now_ns);
    }
    if (next_mark_ == marks_.size()) {
      marks_.clear();
      next_mark_ = 0;
    }
    return outcome::success();
  }

  Result<void> check_pages(std::span<SampledPage* const> pages) override {
    return page_checks_.check(pages);
  }
  Result<void> mark_pages(std::span<SampledPage* const> pages) override {
    return page_checks_.mark(pages);
  }

  uint64_t dropped_samples() const override { return dropped_samples_; }

  Result<std::vector<AddressRange>> update() override {
    if (access(bitmap_path(context_).c_str(), F_OK) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) return errno_failure("{}", bitmap_path(context_));
      return failure(ENODEV, fmt::format("{}: is gone", bitmap_path(context_)));
    }
    const Result<void> alone = refuse_running_kdamonds(context_.rootfs);
    if (!alone && !warned_of_kdamond_) {
      context_.log(LogLevel::kWarning,
                   fmt::format("{}; values are unreliable until {}", alone.error().context,
                               failed_with(alone, EBUSY) ? "it stops" : "that is known"));
    }
    warned_of_kdamond_ = !alone;
    return monitored_ranges(context_);
  }

  void close() noexcept override {
    files_ = Files();
    lock_ = UniqueFd();
    if (dropped_samples() == 0) return;
    log_quietly(context_.log, LogLevel::kInfo,
                [&] { return fmt::format("page_idle: dropped {} samples", dropped_samples()); });
  }

 private:
  // Finds the folio of a page frame. Not tracked: free, kernel or hugetlb memory, or no memory at
  // all.
  Result<Mark> make_mark(uint64_t pfn) {
    DAMON_STATFS_TRY(folio, find_folio(files_.kpageflags, pfn));
    if (!folio) {
      drop_sample(files_.kpageflags, pfn);
      return Mark{};
    }
    return Mark{folio->head_pfn, folio->trackable()};
  }

  // Sets the idle flags, with one write for all marks in a word. Marks ascend as regions do.
  Result<void> set_idle(std::span<Mark> marks) {
    uint64_t mask = 0;
    for (size_t i = 0; i < marks.size(); ++i) {
      if (marks[i].tracked) mask |= marks[i].bit();
      const bool last_of_word = i + 1 == marks.size() || marks[i + 1].word() != marks[i].word();
      if (!last_of_word || mask == 0) continue;
      DAMON_STATFS_TRY(written, files_.bitmap.write(marks[i].word(), mask));
      if (!written) drop_sample(files_.bitmap, marks[i].head_pfn);
      mask = 0;
    }
    return outcome::success();
  }

  // The kernel ignores a mark, for example of a page that is isolated just now, without saying so.
  Result<void> verify_idle(std::span<Mark> marks) {
    for (size_t i = 0; i < marks.size(); ++i) {
      if (!marks[i].tracked) continue;
      if (i > 0 && marks[i - 1].head_pfn == marks[i].head_pfn) {
        marks[i].tracked = marks[i - 1].tracked;
        continue;
      }
      DAMON_STATFS_TRY(flags, files_.kpageflags.read(marks[i].head_pfn));
      marks[i].tracked = flags && (*flags & kPageIdle) != 0;
    }
    return outcome::success();
  }

  // Between mark and check a page may have been freed, and its folio split or made anew.
  Result<bool> still_tracked(uint64_t pfn, const Mark& mark) {
    DAMON_STATFS_TRY(folio, find_folio(files_.kpageflags, pfn));
    return folio && folio->head_pfn == mark.head_pfn && folio->trackable();
  }

  void drop_sample(const WordFile& file, uint64_t pfn) {
    if (dropped_samples_++ > 0) return;
    context_.log(
        LogLevel::kWarning,
        fmt::format("{}: no usable answer for page frame {:#x}; its sample is dropped, and "
                    "further ones without a message",
                    file.path(), pfn));
  }

  const OperationsContext& context_;
  const uint64_t page_bytes_ = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  Files files_;
  UniqueFd lock_;
  PageIdleChecks page_checks_{
      files_.bitmap, files_.kpageflags, *context_.clock,
      [this](const WordFile& file, uint64_t pfn) { drop_sample(file, pfn); }};
  std::vector<Mark> marks_;  // of the regions prepared and not yet checked, in their order
  size_t next_mark_ = 0;     // the first of them not yet checked
  uint64_t dropped_samples_ = 0;
  bool warned_of_kdamond_ = false;
};

Result<std::string> probe(const OperationsContext& context) {
  BOOST_OUTCOME_TRYV(open_files(context));
  DAMON_STATFS_TRY(ranges, monitored_ranges(context));
  BOOST_OUTCOME_TRYV(refuse_running_kdamonds(context.rootfs));
  BOOST_OUTCOME_TRYV(refuse_locked_idle_flags(context.rootfs));
  return fmt::format("{}, {} MiB in {} range{}", bitmap_path(context), total_bytes(ranges) >> 20,
                     ranges.size(), ranges.size() == 1 ? "" : "s");
}

}  // namespace

OperationsSet page_idle_operations() {
  return {"page_idle",
          true,
          probe,
          [](const OperationsContext& context) -> std::unique_ptr<Operations> {
            return std::make_unique<PageIdleOperations>(context);
          },
          nullptr,
          nullptr,
          true};
}

}  // namespace damon_statfs
