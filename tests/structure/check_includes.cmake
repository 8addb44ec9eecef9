# The walls between the rooms: fails when a file includes what its room may not.
#   cmake -DROOT=<source tree> -P check_includes.cmake
cmake_minimum_required(VERSION 3.21)
get_filename_component(ROOT "${ROOT}" ABSOLUTE)
if(NOT IS_DIRECTORY "${ROOT}/core")
  message(FATAL_ERROR "There is no source tree in ${ROOT}. Give it with -DROOT=<source tree>, before -P.")
endif()

# What each room of core/ may include of the others (HACKING.md draws the arrows).
set(base base)
set(checkpoint base checkpoint)
set(jinja base jinja)
set(text base jinja text)
set(policy base policy)
set(run base checkpoint text policy run)
set(kernels kernels)
set(model base checkpoint policy kernels model)
set(decode ${model} decode)
set(stream ${run} kernels model stream)
set(convert ${stream} convert)
# evaluate/ runs experts as decode/ prepares them.
set(evaluate ${stream} decode evaluate)
# profile/ takes times and scores with the code in evaluate/, and times what decode/ does.
set(profile ${evaluate} profile)
# training/ prices the finish with stage 2's tables and judges it by scoring.
set(training ${profile} convert training)
# One opponent learns a mask on what the finish imitates, from prices of stage 2.
set(baselines ${training} baselines)
# A fit to a format solves the equations of convert/, and trains as the finish does.
set(transfer ${training} transfer)
set(commands ${baselines} transfer commands)

# What each room of ui/ may include of the others, as "ui/ROOM/...".
set(ui_settings settings)
set(ui_engine settings engine)
set(ui_models ${ui_engine} models)
set(ui_widgets ${ui_models} widgets)
# plots/ uses the spacing of widgets/.
set(ui_plots ${ui_widgets} plots)
set(ui_panels ${ui_plots} panels)
set(ui_wizard ${ui_plots} wizard)
set(ui_workspace ${ui_plots} workspace)
set(ui_mainwindow ${ui_plots} panels wizard workspace mainwindow)

set(rooms_without_torch base jinja checkpoint text policy run)
set(rooms_with_torch kernels model decode stream convert evaluate profile training baselines transfer commands)

set(qt "<(Q[A-Z][A-Za-z]*|Qt[A-Z][A-Za-z]*/.*|qcustomplot\\.h)>")
set(torch "[<\"](torch|ATen|c10|caffe2)/")
set(violations "")

# includes(FILE OUT): sets OUT to the include lines of a file.
function(includes file out)
  file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*include")
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

# forbid(WHAT PATTERN GLOB...): fails when a file under the globs has an include that matches.
function(forbid what pattern)
  set(globs ${ARGN})
  list(TRANSFORM globs PREPEND "${ROOT}/")
  file(GLOB_RECURSE files RELATIVE "${ROOT}" ${globs})
  foreach(file ${files})
    includes("${file}" lines)
    foreach(line ${lines})
      if(line MATCHES "${pattern}")
        list(APPEND violations "${file}: ${line} (${what})")
      endif()
    endforeach()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

forbid("no Qt in core and the command line" "${qt}" core/*.h core/*.cpp app/cli/*.h app/cli/*.cpp)
forbid("no torch in the studio" "${torch}" ui/*.h ui/*.cpp app/studio/*.h app/studio/*.cpp tests/ui/*.h tests/ui/*.cpp)
foreach(room ${rooms_without_torch})
  forbid("no torch in ladimo_base" "${torch}" core/${room}/*.h core/${room}/*.cpp)
endforeach()
# libtorch 2.x brings an fmt of its own, which the system's spdlog does not fit.
foreach(room ${rooms_with_torch})
  forbid("no spdlog in ladimo_core, use base/log.h" "<spdlog/" core/${room}/*.h core/${room}/*.cpp)
endforeach()
forbid("the studio uses ladimo_base alone" "\"(kernels|model|decode|stream|convert|evaluate|profile|training|baselines|transfer|commands)/"
       ui/*.h ui/*.cpp app/studio/*.cpp)

# guard(HOUSE PREFIX START): fails when a room of a house includes a room that is not in its list, which is named
# PREFIX plus the room's name. START comes before the room in an include line.
function(guard house prefix start)
  file(GLOB rooms RELATIVE "${ROOT}/${house}" "${ROOT}/${house}/*/")
  foreach(room ${rooms})
    if(NOT IS_DIRECTORY "${ROOT}/${house}/${room}")
      continue()
    endif()
    if(NOT DEFINED ${prefix}${room})
      list(APPEND violations "${house}/${room}: this room has no line in check_includes.cmake")
      continue()
    endif()
    file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${house}/${room}/*.h" "${ROOT}/${house}/${room}/*.cpp")
    foreach(file ${files})
      includes("${file}" lines)
      foreach(line ${lines})
        if(line MATCHES "\"${start}([a-z]+)/" AND NOT CMAKE_MATCH_1 IN_LIST ${prefix}${room})
          list(APPEND violations "${file}: ${line} (no arrow from ${room} to ${CMAKE_MATCH_1})")
        endif()
      endforeach()
    endforeach()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

guard(core "" "")
guard(ui ui_ "ui/")

if(violations)
  list(JOIN violations "\n  " text)
  message(FATAL_ERROR "Includes through a wall:\n  ${text}")
endif()
message(STATUS "No include goes through a wall.")
