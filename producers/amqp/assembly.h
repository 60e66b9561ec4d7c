/*
 * assembly.h - frames of one channel become messages.
 */
#ifndef WEIR_PRODUCERS_AMQP_ASSEMBLY_H
#define WEIR_PRODUCERS_AMQP_ASSEMBLY_H

#include <stddef.h>
#include <stdint.h>

#include "delivery.h"
#include "rabbitmq.h"

enum assembly_step { ASSEMBLY_IDLE = 0, ASSEMBLY_HEADER, ASSEMBLY_BODY };

struct assembly {
    const char *queue; /* borrowed */
    size_t max_body;   /* larger ones are read and thrown away */
    enum assembly_step step;
    const amqp_basic_deliver_t *deliver; /* the library's, until the header */
    struct delivery *delivery;           /* being filled; ours */
    uint64_t body_size, missing;
    struct delivery *spare; /* to be used again */
};

/* `assembly` zeroed but for queue and max_body is ready. */
void assembly_finish(struct assembly *assembly);

/*
 * basic.deliver, a header frame, a body frame.  *ret_delivery is a new message
 * when that was its last frame, else NULL; an empty body is complete with its
 * header.  WEIR_RETRY: not what may come now, or out of memory.
 */
WEIR_MUST_USE
enum weir_status assembly_deliver(struct assembly *assembly,
                                  const amqp_basic_deliver_t *deliver,
                                  struct weir_error *err);
WEIR_MUST_USE
enum weir_status assembly_frame(struct assembly *assembly,
                                const amqp_frame_t *frame,
                                struct delivery **ret_delivery,
                                struct weir_error *err);

/* Takes a delivery back when it has been dealt with. */
void assembly_recycle(struct assembly *assembly, struct delivery *delivery);

#endif
