# Fails when a program is linked, directly or through another library, with torch.
#   cmake -DPROGRAM=<binary> -P check_links.cmake
cmake_minimum_required(VERSION 3.21)

execute_process(COMMAND ldd ${PROGRAM} OUTPUT_VARIABLE libraries RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT libraries MATCHES "libc\\.so")
  message(FATAL_ERROR "ldd cannot read ${PROGRAM}")
endif()
if(libraries MATCHES "[^\n]*lib(torch|c10|ATen|caffe2)[^\n]*")
  message(FATAL_ERROR "${PROGRAM} is linked with torch: ${CMAKE_MATCH_0}")
endif()
message(STATUS "${PROGRAM} links no torch.")
