// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text for --help: how it is called, every option with syntax and default, exit statuses, an
// example.
#include "mount/usage.h"

#include <fmt/format.h>

#include "damon_statfs/version.h"
#include "mount/option_table.h"

namespace damon_statfs {
namespace {

constexpr char kCalls[] =
    R"(usage: damon-statfs [-f] [-d] [-o OPT[,OPT...]] [SOURCE] MOUNTPOINT
       damon-statfs --probe[=json] [-o OPT[,OPT...]]
       damon-statfs --status[=json] MOUNTPOINT
       damon-statfs --help | --version

Shows how hot and how cold this machine's memory is, in the files of
/sys/module/damon_stat/parameters, at MOUNTPOINT. SOURCE is any word.

  -f               stay in the foreground, log to standard error
  -d               the same, and log every FUSE request and aggregation
  --probe          tell which operations sets are usable on this machine;
                   --probe=json: the same for scripts
  --status         tell how the daemon of a mount is doing;
                   --status=json: the same for scripts
  -h, --help       print this text
  -V, --version    print the version
)";

constexpr char kEnd[] = R"(
The generic words of fstab, such as ro, nofail and x-*, are taken, too.

exit status:
   0  all is well; a mount was ended
   1  a wrong word, --status of what is no such mount, or output that could
      not be written
   3  the connection to a mount was aborted
  32  not mounted, with enabled=Y not started; --status: no answer

example:
  damon-statfs -o enabled=Y,max_cpu=0.5 /run/damon_stat

damon-statfs(8) has the details.
)";

const char* standard_of(const Option& option) {
  if (std::string_view(option.name) != "enabled") return option.standard;
  return kEnabledDefault ? "Y" : "N";
}

std::string option_text(const Option& option) {
  std::string text = fmt::format("  {}={}", option.name, option.syntax);
  if (const char* const standard = standard_of(option)) text += fmt::format("  [{}]", standard);
  text += "\n       ";
  for (const char* rest = option.help; *rest != '\0'; ++rest) {
    text += *rest == '\n' ? std::string("\n       ") : std::string(1, *rest);
  }
  return text + "\n";
}

}  // namespace

std::string usage() {
  std::string text = kCalls;
  text += "\noptions for -o, with their [defaults]:\n";
  for (const Option& option : all_options()) text += option_text(option);
  return text + kEnd;
}

}  // namespace damon_statfs
