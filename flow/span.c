/*
 * span.c - neighbouring slots of a chunk that travel as one letter.
 *
 * The first slot's mail says how many slots follow it.  Two slots are
 * neighbours when their addresses are: slots of different chunks never touch,
 * because a chunk's records follow its slots.
 *
 * Threads: whoever has the messages.
 */
#include "span.h"

void span_add(struct mail_list *list, struct weir_message **last,
              struct weir_message *msg)
{
    msg->mail.count = 1;
    msg->mail.size = msg->record->size;
    if (*last && *last + (*last)->mail.count == msg) {
        (*last)->mail.count++;
        (*last)->mail.size += msg->mail.size;
        list->count++;
        list->size += msg->mail.size;
        return;
    }
    mail_list_add(list, &msg->mail);
    *last = msg;
}

struct weir_message *span_split(struct weir_message *span, uint32_t count)
{
    struct weir_message *rest = span + count;
    size_t size = 0;

    if (count >= span->mail.count)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        size += span[i].record->size;
    rest->mail = (struct mail){.count = span->mail.count - count,
                               .size = span->mail.size - size};
    span->mail.count = count;
    span->mail.size = size;
    return rest;
}

void span_sift(struct mail_list *from,
               bool (*wants)(const struct weir_message *, const void *opaque),
               const void *opaque, struct mail_list *to)
{
    struct weir_message *last_kept = NULL, *last_taken = NULL;
    struct mail_list kept;
    struct mail *mail = mail_list_pop(from);

    mail_list_init(&kept);
    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;

        for (uint32_t i = 0; i < count; i++) {
            if (wants(&span[i], opaque))
                span_add(to, &last_taken, &span[i]);
            else
                span_add(&kept, &last_kept, &span[i]);
        }
        mail = mail_list_pop(from);
    }
    mail_list_join(from, &kept);
}
