# With ThreadSanitizer every executable carries tests/support/tsan_c11.c (which
# says why), and exports it, so that the client libraries find it first.

# weir_tsan_executables(<folder>): all that were defined in it and below.
function(weir_tsan_executables folder)
  if(NOT TARGET weir_tsan_c11)
    add_library(weir_tsan_c11 OBJECT ${PROJECT_SOURCE_DIR}/tests/support/tsan_c11.c)
    target_compile_definitions(weir_tsan_c11 PRIVATE _GNU_SOURCE)
  endif()
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:weir_tsan_c11>)
      target_link_options(${target} PRIVATE
        "LINKER:--export-dynamic-symbol=thrd_*"
        "LINKER:--export-dynamic-symbol=mtx_*"
        "LINKER:--export-dynamic-symbol=cnd_*")
    endif()
  endforeach()
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder IN LISTS subfolders)
    weir_tsan_executables(${subfolder})
  endforeach()
endfunction()
