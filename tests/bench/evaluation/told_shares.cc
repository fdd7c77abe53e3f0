// SPDX-License-Identifier: GPL-2.0-or-later
//
// The status is one JSON object without objects in it, so that a member is found by its name.
#include "told_shares.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <memory>

#include "damon_statfs/status_ioctl.h"

namespace guest_test {
namespace {

// Empty when the file is not a mount's.
std::string status_json(const std::string& directory) {
  const auto status = std::make_unique<damon_statfs_status>();
  const std::string path = directory + "/" DAMON_STATFS_STATUS_FILE;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool told = file >= 0 && ioctl(file, DAMON_STATFS_GET_STATUS, status.get()) == 0;
  if (file >= 0) close(file);
  return told ? status->json : "";
}

double member(const std::string& json, const std::string& name) {
  const std::string label = '"' + name + "\":";
  const size_t at = json.find(label);
  if (at != std::string::npos) {
    const char* const begin = json.c_str() + at + label.size();
    char* end = nullptr;
    const double number = std::strtod(begin, &end);
    if (end != begin) return number;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::array<ToldShare, 3> told_shares(const std::string& directory) {
  const std::string json = status_json(directory);
  std::array<ToldShare, 3> shares;
  size_t index = 0;
  for (const char* const limit : {"1000", "6000", "60000"}) {
    const std::string name = std::string("idle_below_") + limit + "_ms_";
    shares[index++] = {member(json, name + "percent"), member(json, name + "error_percent")};
  }
  return shares;
}

}  // namespace guest_test
