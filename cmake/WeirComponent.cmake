# Which layer may include the private headers of which.  Everyone may include
# include/weir/.  The build stops when a REQUIRES line points the wrong way.
set(WEIR_LAYER_base      base)
set(WEIR_LAYER_client    client base)
set(WEIR_LAYER_connector connector client base)
set(WEIR_LAYER_flow      flow base)
set(WEIR_LAYER_stage     stage flow base)
set(WEIR_LAYER_config    config base)
set(WEIR_LAYER_pipeline  pipeline stage flow config base)
set(WEIR_LAYER_telemetry telemetry client pipeline config base)
set(WEIR_LAYER_admin     admin telemetry pipeline config base)
set(WEIR_LAYER_app       app admin telemetry pipeline stage flow config connector client base)

# weir_component(<name> LAYER <layer> SOURCES <file>... [REQUIRES <target>...])
function(weir_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LAYER" "SOURCES;REQUIRES")
  add_library(weir_${name} STATIC ${arg_SOURCES})
  add_library(weir::${name} ALIAS weir_${name})
  set_target_properties(weir_${name} PROPERTIES
    WEIR_LAYER ${arg_LAYER} WEIR_FOLDER ${CMAKE_CURRENT_SOURCE_DIR})
  target_include_directories(weir_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(weir_${name}
    PUBLIC weir::api PRIVATE weir::build ${arg_REQUIRES})
  foreach(target IN LISTS arg_REQUIRES)
    weir_check_layer(${name} ${arg_LAYER} ${target})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY WEIR_COMPONENTS weir_${name})
endfunction()

function(weir_check_layer name layer target)
  if(NOT target MATCHES "^weir::")
    return()
  endif()
  get_target_property(real ${target} ALIASED_TARGET)
  get_target_property(below ${real} WEIR_LAYER)
  if(NOT below IN_LIST WEIR_LAYER_${layer})
    message(FATAL_ERROR "${name} (${layer}) must not use ${target} (${below})")
  endif()
  get_target_property(folder ${real} WEIR_FOLDER)
  if(layer STREQUAL "connector" AND below STREQUAL "connector"
     AND NOT folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    message(FATAL_ERROR "${name} must not use another connector: ${target}")
  endif()
endfunction()

# weir_test_needs(<name>... [COST <seconds>] [SLOTS <count>] [ALONE])
# What CTest must know to run tests beside others; tests/README.md says when.
function(weir_test_needs)
  cmake_parse_arguments(PARSE_ARGV 0 arg "ALONE" "COST;SLOTS" "")
  set(properties)
  if(arg_COST)
    list(APPEND properties COST ${arg_COST})
  endif()
  if(arg_SLOTS)
    list(APPEND properties PROCESSORS ${arg_SLOTS})
  endif()
  if(arg_ALONE)
    list(APPEND properties RUN_SERIAL ON)
  endif()
  set_tests_properties(${arg_UNPARSED_ARGUMENTS} PROPERTIES ${properties})
endfunction()

# weir_test(<name> SOURCES <file>... REQUIRES <target>... [LABEL <label>]
#           [TIMEOUT <seconds>] [WRAP <symbol>...])
# One cmocka executable.  REQUIRES gives the headers; what those components call
# in turn is found among all components.  LABEL is unit unless said otherwise.
function(weir_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;REQUIRES;WRAP")
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120) # under a second where nothing else runs
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${name}_test
    PRIVATE weir::build weir::api weir_test_chosen ${arg_REQUIRES} weir::everything
            PkgConfig::CMOCKA)
  foreach(symbol IN LISTS arg_WRAP)
    target_link_options(${name}_test PRIVATE -Wl,--wrap=${symbol})
  endforeach()
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
    FIXTURES_REQUIRED outputs)
endfunction()
