// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's files and what else uses the idle flags. A bit of the bitmap reads 0 for "accessed"
// and for "cannot be tracked" alike; what is made of that is in page_idle_checks.
#include "engine/page_idle/ops_page_idle.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <vector>

#include "engine/base/kernel_files.h"
#include "engine/base/memory_ranges.h"
#include "engine/base/word_file.h"
#include "engine/page_idle/idle_flag_users.h"
#include "engine/page_idle/page_idle_checks.h"

namespace damon_statfs {
namespace {

constexpr const char* kBitmap = "/sys/kernel/mm/page_idle/bitmap";

// Both are open between open() and close() of the set.
struct WordFiles {
  std::unique_ptr<WordFile> bitmap;
  std::unique_ptr<WordFile> kpageflags;
};

Result<WordFiles> open_files(const KernelFiles& files) {
  const auto open = [&](const char* path, WordAccess access, const char* option) {
    return files.open_words(path, access, fmt::format("the kernel is built without {}", option));
  };
  DAMON_STATFS_TRY(bitmap, open(kBitmap, WordAccess::kReadAndWrite, "CONFIG_IDLE_PAGE_TRACKING"));
  DAMON_STATFS_TRY(kpageflags,
                   open("/proc/kpageflags", WordAccess::kRead, "CONFIG_PROC_PAGE_MONITOR"));
  return WordFiles{std::move(bitmap), std::move(kpageflags)};
}

class PageIdleOperations final : public PageChecks {
 public:
  PageIdleOperations(const OperationsContext& context, std::shared_ptr<const KernelFiles> files)
      : context_(context), files_(std::move(files)) {}

  Result<std::vector<AddressRange>> open() override {
    DAMON_STATFS_TRY(words, open_files(*files_));
    DAMON_STATFS_TRY(ranges, monitored_ranges(context_, *files_));
    BOOST_OUTCOME_TRYV(refuse_running_kdamonds(*files_));
    DAMON_STATFS_TRY(lock, lock_idle_flags(context_.rootfs));
    log_left_out(context_, ranges);
    words_ = std::move(words);
    checks_.emplace(*words_.bitmap, *words_.kpageflags, *context_.clock,
                    [this](const WordFile& file, uint64_t pfn) { drop_sample(file, pfn); });
    lock_ = std::move(lock);
    return std::move(ranges);
  }

  Result<void> check_pages(std::span<CheckedPage* const> pages) override {
    return checks_->check(pages);
  }
  Result<void> mark_pages(std::span<CheckedPage* const> pages) override {
    return checks_->mark(pages);
  }

  OperationsFacts facts() const override { return {-1, nr_dropped_}; }

  Result<std::vector<AddressRange>> update() override {
    const Result<uint64_t> inode = files_->inode(kBitmap);
    if (failed_with(inode, ENOENT) || failed_with(inode, ENOTDIR)) {
      return failure(ENODEV, fmt::format("{}: is gone", files_->name_of(kBitmap)));
    }
    if (!inode) return inode.as_failure();
    const Result<void> alone = refuse_running_kdamonds(*files_);
    if (!alone && !warned_of_kdamond_) {
      context_.log(LogLevel::kWarning,
                   fmt::format("{}; values are unreliable until {}", alone.error().context,
                               failed_with(alone, EBUSY) ? "it stops" : "that is known"));
    }
    warned_of_kdamond_ = !alone;
    return monitored_ranges(context_, *files_);
  }

  void close() noexcept override {
    checks_.reset();
    words_ = WordFiles();
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
  const std::shared_ptr<const KernelFiles> files_;
  WordFiles words_;
  std::optional<PageIdleChecks> checks_;  // over words_, while they are open
  UniqueFd lock_;
  uint64_t nr_dropped_ = 0;
  bool warned_of_kdamond_ = false;
};

Result<std::string> probe(const OperationsContext& context, const KernelFiles& files) {
  BOOST_OUTCOME_TRYV(open_files(files));
  DAMON_STATFS_TRY(ranges, monitored_ranges(context, files));
  BOOST_OUTCOME_TRYV(refuse_running_kdamonds(files));
  BOOST_OUTCOME_TRYV(refuse_locked_idle_flags(context.rootfs));
  return fmt::format("{}, {} MiB in {} range{}", files.name_of(kBitmap), total_bytes(ranges) >> 20,
                     ranges.size(), ranges.size() == 1 ? "" : "s");
}

}  // namespace

OperationsSet page_idle_operations() {
  OperationsSet set;
  set.name = "page_idle";
  set.probe = [](const OperationsContext& context) {
    return probe(context, RootedKernelFiles(context.rootfs));
  };
  set.add_factory<PageChecks>([](const OperationsContext& context) -> std::unique_ptr<PageChecks> {
    return std::make_unique<PageIdleOperations>(
        context, std::make_shared<RootedKernelFiles>(context.rootfs));
  });
  return set;
}

}  // namespace damon_statfs
