# weir_embed(<file.c> <name> <file>...)
# Writes a source with `const unsigned char <name>[]` and `const size_t <name>_size` for each
# file, and again when one of them has changed.
function(weir_embed source)
  set(text "/* Made by cmake/WeirEmbed.cmake. */\n#include <stddef.h>\n\n")
  set(rest ${ARGN})
  while(rest)
    list(POP_FRONT rest name file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(............................................................)" "\\1\n"
           bytes "${bytes}")
    string(APPEND text "extern const unsigned char ${name}[];\nextern const size_t ${name}_size;\n"
      "const unsigned char ${name}[] = {\n${bytes}\n};\n"
      "const size_t ${name}_size = sizeof ${name};\n")
  endwhile()
  set(before "")
  if(EXISTS ${source})
    file(READ ${source} before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE ${source} "${text}")
  endif()
endfunction()
