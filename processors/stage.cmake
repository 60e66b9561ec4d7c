weir_component(processor LAYER stage
  SOURCES  failure.c failure.h processor.c processor.h runner.h runner_thread.c
  REQUIRES weir::base weir::flow)
