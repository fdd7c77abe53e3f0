// SPDX-License-Identifier: GPL-2.0-or-later
//
// The standard error is that of cluster sampling, a cluster being the sampled pages of one word,
// from the differences between clusters next to each other: what a stratified sample does not vary
// by is not counted (Wolter, Introduction to Variance Estimation, chapter 8, estimator v2). That is
// 0 where the share is 0 or 1, as no two clusters differ then. What the sample may have missed is
// told by Wilson's score interval (Probable Inference, JASA 22, 1927), which for one standard
// error, none found of n, goes up to 1/(n + 1). n is the number of clusters: all pages of one may
// be alike.
#include "engine/pages/page_statistics.h"

#include <algorithm>
#include <cmath>

#include "damon_statfs/clock.h"
#include "engine/estimate/stats.h"

namespace damon_statfs {
namespace {

constexpr size_t kNrLimits = MonitoringDetails::kShareLimitsMs.size();

// A word's pages.
struct Cluster {
  std::array<double, kNrLimits> below{};  // idle for less than each limit
  double all = 0;
};

std::vector<Cluster> make_clusters(std::span<const PageState> pages, ExcludedPages excluded,
                                   int64_t now_ns, uint64_t word_bytes) {
  std::vector<Cluster> clusters;
  clusters.reserve(pages.size() / SampleShape{}.pages_per_word + 1);
  uint64_t word_start = 0, word_end = 0;
  for (const PageState& page : pages) {
    if (is_excluded(page.kind, excluded)) continue;
    if (page.addr < word_start || page.addr >= word_end) {
      word_start = page.addr / word_bytes * word_bytes;
      word_end = word_start + word_bytes;
      clusters.emplace_back();
    }
    const int64_t idle_ms = page.idle_ns(now_ns) / kNsPerMs;
    clusters.back().all += 1;
    for (size_t i = 0; i < kNrLimits; ++i) {
      if (idle_ms < MonitoringDetails::kShareLimitsMs[i]) clusters.back().below[i] += 1;
    }
  }
  return clusters;
}

// The variance of a share, 0 to 1, of which `all` pages of these clusters are the sample.
double variance_of(const std::vector<Cluster>& clusters, size_t limit, double share, double all) {
  const auto n = static_cast<double>(clusters.size());
  if (share == 0 || share == 1) return 1 / ((n + 1) * (n + 1));
  if (clusters.size() < 2) return PageStatistics::kUnknown;
  double squares = 0;
  for (size_t i = 1; i < clusters.size(); ++i) {
    const double here = clusters[i].below[limit] - share * clusters[i].all;
    const double before = clusters[i - 1].below[limit] - share * clusters[i - 1].all;
    squares += (here - before) * (here - before);
  }
  return squares / 2 * n / (n - 1) / (all * all);
}

// Sets the share below one of the limits and its standard error, in percent.
void estimate_share(const std::vector<Cluster>& clusters, size_t limit, double sampled_share,
                    double& share_percent, double& error_percent) {
  double below = 0, all = 0;
  for (const Cluster& cluster : clusters) {
    below += cluster.below[limit];
    all += cluster.all;
  }
  share_percent = error_percent = PageStatistics::kUnknown;
  if (all == 0) return;
  const double share = below / all;
  share_percent = 100 * share;
  error_percent = 0;  // of a sample that is all of the memory
  if (sampled_share >= 1) return;
  error_percent = 100 * std::sqrt(variance_of(clusters, limit, share, all) * (1 - sampled_share));
}

double share_of_kind(std::span<const PageState> pages, PageKind kind) {
  const bool known = std::any_of(pages.begin(), pages.end(), [](const PageState& page) {
    return page.kind != PageKind::kUnknown;
  });
  if (!known && !pages.empty()) return PageStatistics::kUnknown;
  const auto of_kind = std::count_if(pages.begin(), pages.end(),
                                     [=](const PageState& page) { return page.kind == kind; });
  return static_cast<double>(of_kind) / static_cast<double>(std::max<size_t>(pages.size(), 1));
}

}  // namespace

PageStatistics make_page_statistics(const PageSample& sample, ExcludedPages excluded,
                                    int64_t now_ns) {
  PageStatistics statistics;
  std::vector<IdleSize> parts;
  parts.reserve(sample.pages().size());
  for (const PageState& page : sample.pages()) {
    if (is_excluded(page.kind, excluded)) continue;
    parts.push_back({page.idle_ns(now_ns) / kNsPerMs, 1});
  }
  statistics.nr_pages = parts.size();
  statistics.memory_idle_ms_percentiles = idle_percentiles(parts);
  statistics.untracked_share = share_of_kind(sample.pages(), PageKind::kUntracked);
  statistics.unmapped_cache_share = share_of_kind(sample.pages(), PageKind::kUnmappedCache);
  const std::vector<Cluster> clusters =
      make_clusters(sample.pages(), excluded, now_ns, sample.word_bytes());
  for (size_t i = 0; i < kNrLimits; ++i) {
    estimate_share(clusters, i, sample.sampled_share(), statistics.share_percent[i],
                   statistics.share_error_percent[i]);
  }
  return statistics;
}

}  // namespace damon_statfs
