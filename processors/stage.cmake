weir_component(processor LAYER stage
  SOURCES  failure.c failure.h journal.c journal.h journal_image.c journal_image.h processor.c processor.h runner.h
           runner_journal.c runner_journal.h runner_thread.c
  REQUIRES weir::base weir::flow)
