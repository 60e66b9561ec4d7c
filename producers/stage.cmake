weir_component(producer LAYER stage
  SOURCES  producer.c producer.h
  REQUIRES weir::base weir::flow)
