# SPDX-License-Identifier: GPL-2.0-or-later
#
# `cpack --preset package` makes the Debian package. Built on Debian 12, it installs on Debian 12 and 13 and Ubuntu
# 24.04. Any other build would make one of the same name that fits a single release, so cpack refuses it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME damon-statfs)
set(CPACK_PACKAGE_CONTACT "damon-statfs maintainers <maintainers@damon-statfs.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "hot and cold memory of a machine as files (DAMON_STAT with FUSE)")
set(CPACK_PACKAGE_DESCRIPTION
    "damon-statfs mounts a directory with the files of DAMON_STAT, which Linux
has since 6.17: how much memory is accessed, and how long the rest has been
idle. Older kernels, and those without DAMON_STAT, get the same files from
the kernel's DAMON, from idle page tracking or from a simulation.
.
A line in fstab, or a systemd service that is not enabled by default, mounts
it.")
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON) # the unit names the program below /usr, not below a build tree
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
                                                GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "fuse3, mount")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/mount/packaging/postinst
                                       ${PROJECT_SOURCE_DIR}/mount/packaging/prerm
                                       ${PROJECT_SOURCE_DIR}/mount/packaging/postrm)

# What Debian wants to find in share/doc, as part of the package only.
string(TIMESTAMP DAMON_STATFS_BUILD_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(CONFIGURE OUTPUT changelog.Debian @ONLY CONTENT
"damon-statfs (@PROJECT_VERSION@-@CPACK_DEBIAN_PACKAGE_RELEASE@) unstable; urgency=medium

  * Built from upstream's own source tree; changelog.gz says what has changed.

 -- @CPACK_PACKAGE_CONTACT@  @DAMON_STATFS_BUILD_DATE@
")
if(NOT DAMON_STATFS_PORTABLE)
  set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/mount/packaging/refuse_package.cmake)
endif()
set(CPACK_INSTALL_SCRIPTS ${PROJECT_BINARY_DIR}/package_files.cmake)
configure_file(mount/packaging/package_files.cmake.in package_files.cmake @ONLY)
include(CPack)
