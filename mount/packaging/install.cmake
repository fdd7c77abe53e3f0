# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is installed beside the program. Nothing here needs root: all of it goes below the prefix.
set(DAMON_STATFS_UNIT_DIR lib/systemd/system CACHE STRING "Where systemd's units go, below the prefix")
set(DAMON_STATFS_DOC_DIR ${CMAKE_INSTALL_DATAROOTDIR}/doc/damon-statfs)

# At install time, because --prefix decides only then where the program is that the unit starts.
install(CODE "
  get_filename_component(CMAKE_INSTALL_FULL_BINDIR
                         \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\" ABSOLUTE)
  configure_file(\"${PROJECT_SOURCE_DIR}/mount/systemd/damon-statfs.service.in\"
                 \"${PROJECT_BINARY_DIR}/damon-statfs.service\" @ONLY)")
install(FILES ${PROJECT_BINARY_DIR}/damon-statfs.service DESTINATION ${DAMON_STATFS_UNIT_DIR})
install(FILES mount/systemd/run-damon_stat.mount mount/systemd/fstab.example
        DESTINATION ${DAMON_STATFS_DOC_DIR}/examples)

# The manual, also under the name of the mount helper.
file(CREATE_LINK damon-statfs.8.gz ${PROJECT_BINARY_DIR}/mount.damon-statfs.8.gz SYMBOLIC)
install(CODE "
  execute_process(COMMAND gzip -9nc \"${PROJECT_SOURCE_DIR}/mount/man/damon-statfs.8\"
                  OUTPUT_FILE \"${PROJECT_BINARY_DIR}/damon-statfs.8.gz\" COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${PROJECT_BINARY_DIR}/damon-statfs.8.gz ${PROJECT_BINARY_DIR}/mount.damon-statfs.8.gz
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES mount/completion/damon-statfs
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
