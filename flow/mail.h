/*
 * mail.h - what moves between stages: an intrusive, singly linked letter.
 *
 * Embedded first in what it carries (a run of message slots, a batch), so that
 * sending allocates nothing.
 */
#ifndef WEIR_FLOW_MAIL_H
#define WEIR_FLOW_MAIL_H

#include <stddef.h>
#include <stdint.h>

struct mail {
    struct mail *next;
    uint32_t count; /* messages */
    size_t size;    /* bytes of their records */
};

/* A list under construction; zeroed by mail_list_init(). */
struct mail_list {
    struct mail *head, **tail;
    uint32_t count;
    size_t size;
};

void mail_list_init(struct mail_list *list);
void mail_list_add(struct mail_list *list, struct mail *mail);
void mail_list_push(struct mail_list *list, struct mail *mail); /* in front */
/* Appends all of `from`, which is empty afterwards. */
void mail_list_join(struct mail_list *list, struct mail_list *from);
struct mail *mail_list_pop(struct mail_list *list); /* NULL: empty */

#endif
