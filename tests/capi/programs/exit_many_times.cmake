# Runs PROGRAM LIBRARY WAY twenty times: how a process ends is a race.
foreach(RUN RANGE 1 20)
  execute_process(COMMAND ${PROGRAM} ${LIBRARY} ${WAY} RESULT_VARIABLE STATUS OUTPUT_VARIABLE OUTPUT ERROR_VARIABLE OUTPUT TIMEOUT 60)
  if(NOT STATUS EQUAL 0)
    message(FATAL_ERROR "run ${RUN} ended with ${STATUS}\n${OUTPUT}")
  endif()
endforeach()
