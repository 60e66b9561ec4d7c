weir_component(sink LAYER stage
  SOURCES  alone.c alone.h conclude.c conclude.h connection.c connection.h handover.c handover.h
           letters.c letters.h queue.c queue.h show.c show.h sink.c sink.h
  REQUIRES weir::base weir::flow weir::processor)
