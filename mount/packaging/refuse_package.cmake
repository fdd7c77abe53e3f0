# SPDX-License-Identifier: GPL-2.0-or-later
#
# Read by cpack before it does anything, where the build is not portable.
if(CPACK_GENERATOR STREQUAL "DEB")
  message(FATAL_ERROR "A package of this build would fit one release only. This makes one for all:\n"
                      "  cmake --preset package && cmake --build --preset package && cpack --preset package\n")
endif()
