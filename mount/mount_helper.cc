// SPDX-License-Identifier: GPL-2.0-or-later
//
// getopt(3) knows the order in which mount(8) puts words and flags. What SOURCE, DIR and the words
// of -o mean is left to options.cc.
#include "mount/mount_helper.h"

#include <fmt/format.h>
#include <getopt.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace damon_statfs {
namespace {

Result<void> check_namespace(const char* name) {
  struct stat wanted {};
  struct stat ours {};
  if (stat(name, &wanted) != 0) {
    return failure(EINVAL, fmt::format("-N {}: {}", name, std::strerror(errno)));
  }
  const bool known = stat("/proc/self/ns/mnt", &ours) == 0;
  if (known && wanted.st_dev == ours.st_dev && wanted.st_ino == ours.st_ino) {
    return outcome::success();
  }
  return failure(EINVAL,
                 fmt::format("-N {}: the mount would be in another mount namespace than its "
                             "daemon; use: nsenter --mount={} mount ...",
                             name, name));
}

}  // namespace

bool is_mount_helper(std::string_view program) {
  const size_t slash = program.rfind('/');
  return program.substr(slash == std::string_view::npos ? 0 : slash + 1).starts_with("mount.");
}

Result<HelperCall> parse_helper_call(int argc, char** argv) {
  HelperCall call;
  call.arguments.emplace_back(argv[0]);
  optind = 0;  // from the start, whatever has used getopt() before
  opterr = 0;
  for (int flag; (flag = getopt(argc, argv, "sfnvN:o:t:")) != -1;) {
    switch (flag) {
      case 's':
        call.sloppy = true;
        break;
      case 'f':
        call.fake = true;
        break;
      case 'N': {
        BOOST_OUTCOME_TRYV(check_namespace(optarg));
        break;
      }
      case 'o':
        call.arguments.insert(call.arguments.end(), {"-o", optarg});
        break;
      case '?':
        return failure(EINVAL, fmt::format("-{:c}: not a flag of a mount helper", optopt));
      default:  // -n, -v, -t: there is no mtab, nothing more to tell, and one type
        break;
    }
  }
  call.arguments.emplace_back("--");
  call.arguments.insert(call.arguments.end(), argv + optind, argv + argc);
  return call;
}

}  // namespace damon_statfs
