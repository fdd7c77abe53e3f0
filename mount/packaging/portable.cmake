# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the program links to, as variables. Debian 12 and 13 have different SONAMEs of libfuse3, spdlog
# and fmt, so a package for both (DAMON_STATFS_PORTABLE) takes these three into the program itself.
if(DAMON_STATFS_PORTABLE)
  find_library(DAMON_STATFS_FUSE_ARCHIVE libfuse3.a REQUIRED)
  add_library(damon_fuse_archive INTERFACE)
  target_include_directories(damon_fuse_archive SYSTEM INTERFACE ${FUSE3_INCLUDE_DIRS})
  target_compile_options(damon_fuse_archive INTERFACE ${FUSE3_CFLAGS_OTHER})
  target_link_libraries(damon_fuse_archive INTERFACE ${DAMON_STATFS_FUSE_ARCHIVE} Threads::Threads
                                                     ${CMAKE_DL_LIBS})
  add_library(damon_fmt_archive STATIC mount/packaging/fmt_archive.cc)
  target_include_directories(
    damon_fmt_archive SYSTEM
    PUBLIC $<TARGET_PROPERTY:fmt::fmt-header-only,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_features(damon_fmt_archive PUBLIC cxx_std_20)
  target_compile_options(damon_fmt_archive PRIVATE -O1 -fkeep-inline-functions)
  add_library(damon_spdlog_headers INTERFACE)
  target_compile_definitions(damon_spdlog_headers INTERFACE SPDLOG_FMT_EXTERNAL)
  target_include_directories(
    damon_spdlog_headers SYSTEM
    INTERFACE $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(damon_spdlog_headers INTERFACE damon_fmt_archive Threads::Threads)
  set(DAMON_STATFS_FUSE damon_fuse_archive)
  set(DAMON_STATFS_FMT damon_fmt_archive)
  set(DAMON_STATFS_SPDLOG damon_spdlog_headers)
else()
  set(DAMON_STATFS_FUSE PkgConfig::FUSE3)
  set(DAMON_STATFS_FMT fmt::fmt)
  set(DAMON_STATFS_SPDLOG spdlog::spdlog)
endif()
