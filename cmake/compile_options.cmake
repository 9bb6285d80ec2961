# Options and warnings of every target; which build gets which sanitizer is in CMakePresets.json.

option(CROFT_TESTS "Build the tests" ON)
option(CROFT_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(CROFT_WERROR "Warnings are errors; off where a user builds with a compiler we have not seen" ON)
set(CROFT_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wvla -fno-omit-frame-pointer)
add_compile_options("$<$<COMPILE_LANGUAGE:C>:-Wconversion;-Wstrict-prototypes;-Wmissing-prototypes>")
if(CROFT_WERROR)
  add_compile_options(-Werror)
endif()
# Hardening: see docs/operations.md, "The binary".
add_compile_options(-fstack-protector-strong -fPIE)
add_link_options(-pie -Wl,-z,relro,-z,now)

if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  add_compile_options("$<$<COMPILE_LANGUAGE:C>:-Wthread-safety>")
endif()
if(CROFT_FUZZ)
  # the fuzzer sees which branches of the code under test were taken
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(CROFT_SANITIZE)
  # gcc loses track of what a failed call leaves unset once sanitizers have changed the code
  add_compile_options($<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_compile_options(-fsanitize=${CROFT_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CROFT_SANITIZE})
else()
  add_compile_options("$<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>")
endif()
