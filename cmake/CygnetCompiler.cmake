# Language level, warnings, hardening and sanitizers, for every target alike.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(CYGNET_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, comma separated")

include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

find_program(CYGNET_CCACHE ccache)
if(CYGNET_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${CYGNET_CCACHE})
endif()

# A fifth of the build's time. clang's builds do without, so that each file still has to name the
# headers that it uses.
set(pch_default OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(pch_default ON)
endif()
option(CYGNET_PCH "Precompile the standard library's and other headers" ${pch_default})
if(CYGNET_PCH)
  add_compile_options(-fpch-preprocess)  # for ccache
endif()
# What nearly every file includes. cygnet_precompile(TARGET [REUSE_FROM other | header...]): with
# headers, the target makes them; targets that reuse them must have the same options.
set(CYGNET_PCH_HEADERS <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set>
    <span> <string> <string_view> <utility> <variant> <vector> <fmt/format.h> <fmt/ranges.h>)
function(cygnet_precompile target)
  if(NOT CYGNET_PCH)
    return()
  endif()
  if(ARGV1 STREQUAL "REUSE_FROM")
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

add_compile_options(-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Designated initialisers leave the rest at the defaults written in the struct.
  add_compile_options(-Wno-missing-field-initializers)
  # GCC 12 sees uninitialised members in every optimised std::variant of strings; clang and the
  # sanitizers look for the real ones.
  add_compile_options(-Wno-maybe-uninitialized)
else()
  add_compile_options(-Wno-missing-field-initializers -Wno-missing-designated-field-initializers)
  # libstdc++ 12's own std::stable_sort uses what C++17 deprecated; GCC hides that in its headers.
  add_compile_options(-Wno-deprecated-declarations)
endif()

if(CYGNET_SANITIZE)
  add_compile_options(-fsanitize=${CYGNET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${CYGNET_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The sanitizers' own code confuses GCC's flow analysis; the plain builds keep these warnings.
    add_compile_options(-Wno-stringop-overflow -Wno-array-bounds -Wno-restrict -Wno-nonnull)
  endif()
endif()

# Hardening of the programs people run (scripts/check-hardening holds the binaries to it).
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2")
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection
                      -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
