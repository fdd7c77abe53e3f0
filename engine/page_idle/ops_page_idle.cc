// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's files and what else uses the idle flags. A bit of the bitmap reads 0 for "accessed"
// and for "cannot be tracked" alike; what is made of that is in page_idle_checks.
#include "engine/page_idle/ops_page_idle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "damon_statfs/errno_failure.h"
#include "engine/base/kernel_files.h"
#include "engine/base/memory_ranges.h"
#include "engine/base/word_file.h"
#include "engine/page_idle/idle_flag_users.h"
#include "engine/page_idle/page_idle_checks.h"

namespace damon_statfs {
namespace {

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

class PageIdleOperations final : public PageChecks {
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

  Result<void> check_pages(std::span<CheckedPage* const> pages) override {
    return checks_.check(pages);
  }
  Result<void> mark_pages(std::span<CheckedPage* const> pages) override {
    return checks_.mark(pages);
  }

  OperationsFacts facts() const override { return {-1, nr_dropped_}; }

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
    if (nr_dropped_ == 0) return;
    log_quietly(context_.log, LogLevel::kInfo,
                [&] { return fmt::format("page_idle: dropped {} samples", nr_dropped_); });
  }

 private:
  void drop_sample(const WordFile& file, uint64_t pfn) {
    if (nr_dropped_++ > 0) return;
    context_.log(
        LogLevel::kWarning,
        fmt::format("{}: no usable answer for page frame {:#x}; its sample is dropped, and "
                    "further ones without a message",
                    file.path(), pfn));
  }

  const OperationsContext& context_;
  Files files_;
  UniqueFd lock_;
  PageIdleChecks checks_{files_.bitmap, files_.kpageflags, *context_.clock,
                         [this](const WordFile& file, uint64_t pfn) { drop_sample(file, pfn); }};
  uint64_t nr_dropped_ = 0;
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
  OperationsSet set;
  set.name = "page_idle";
  set.probe = probe;
  set.create = [](const OperationsContext& context) -> std::unique_ptr<PageChecks> {
    return std::make_unique<PageIdleOperations>(context);
  };
  return set;
}

}  // namespace damon_statfs
