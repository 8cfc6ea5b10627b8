# Fails when an object compiled for one instruction set defines a weak symbol outside that set's namespace: the
# linker keeps one copy of each weak symbol, and it might be one that this machine cannot run.
# Called with -DNM=<nm> -DISA=<name> -DOBJECTS=<files joined by |>.
string(REPLACE "|" ";" objects "${OBJECTS}")
string(LENGTH "${ISA}" length)
set(mark "${length}${ISA}")  # as it stands in mangled names
foreach(object IN LISTS objects)
  execute_process(COMMAND ${NM} ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+ [WVu] [^\n]+" weak "${symbols}")
  foreach(symbol IN LISTS weak)
    if(NOT symbol MATCHES "${mark}")
      message(SEND_ERROR "${object}: ${symbol}")
    endif()
  endforeach()
endforeach()
