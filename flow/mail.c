/*
 * mail.c - what moves between stages: an intrusive, singly linked letter.
 */
#include "mail.h"

void mail_list_init(struct mail_list *list)
{
    *list = (struct mail_list){.tail = &list->head};
}

void mail_list_add(struct mail_list *list, struct mail *mail)
{
    mail->next = NULL;
    *list->tail = mail;
    list->tail = &mail->next;
    list->count += mail->count;
    list->size += mail->size;
}

void mail_list_push(struct mail_list *list, struct mail *mail)
{
    mail->next = list->head;
    if (!list->head)
        list->tail = &mail->next;
    list->head = mail;
    list->count += mail->count;
    list->size += mail->size;
}

void mail_list_join(struct mail_list *list, struct mail_list *from)
{
    if (!from->head)
        return;
    *list->tail = from->head;
    list->tail = from->tail;
    list->count += from->count;
    list->size += from->size;
    mail_list_init(from);
}

struct mail *mail_list_pop(struct mail_list *list)
{
    struct mail *mail = list->head;

    if (!mail)
        return NULL;
    list->head = mail->next;
    if (!list->head)
        list->tail = &list->head;
    list->count -= mail->count;
    list->size -= mail->size;
    mail->next = NULL;
    return mail;
}
