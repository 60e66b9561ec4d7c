/*
 * top.c - weir top: a running weir, live, in a terminal.
 *
 * It asks once before it takes the terminal, so that what is wrong then is said
 * as every command says it.  Later trouble is shown in the first line, and it
 * goes on asking: the one that is watched may come back.
 *
 * Threads: none.
 */
#include <locale.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "arguments.h"
#include "ask.h"
#include "clock.h"
#include "top_view.h"
#include "verb.h"

struct top_values {
    struct ask_options asking;
    int64_t interval_us;
};

static const struct argument top_options[] = {
    ASK_OPTION_ADDRESS(struct top_values),
    ASK_OPTION_CA(struct top_values),
    {"--interval", "DURATION", ARGUMENT_DURATION,
     offsetof(struct top_values, interval_us), "between two looks (1s)"},
    {0},
};

struct top {
    struct ask *ask;
    int64_t interval_us;
    struct top_before before;
    char *text; /* what was seen last, or NULL */
    struct weir_error err;
    bool is_failing;
};

/* NULL: `err` says why. */
static json_t *fetch(struct top *top, const char *path)
{
    struct ask_reply reply = {.status = 0};
    json_t *page = NULL;

    if (ask(top->ask, path, &reply, &top->err) != WEIR_OK)
        return NULL;
    if (reply.status == 200)
        page = json_loads(reply.body, 0, NULL);
    if (!page)
        (void)weir_fail(&top->err, WEIR_RETRY,
                        "%s answers %d to %s: it is no weir, or an older one",
                        ask_address(top->ask), reply.status, path);
    return page;
}

static bool look(struct top *top)
{
    json_t *page = fetch(top, "/api/v1/explain");
    json_t *ledger = page ? fetch(top, "/api/v1/ledger") : NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out;

    top->is_failing = !ledger;
    out = ledger ? open_memstream(&text, &size) : NULL;
    if (out) {
        top_view(page, ledger, clock_now_us(), &top->before, out);
        (void)fclose(out);
        free(top->text);
        top->text = text;
    }
    json_decref(page);
    json_decref(ledger);
    return !top->is_failing;
}

static void draw(const struct top *top)
{
    const char *line = top->text ? top->text : "";
    int row = 1;

    (void)erase();
    (void)attron(A_REVERSE);
    (void)mvprintw(0, 0, "weir top  %s  q quits  %.200s", ask_address(top->ask),
                   top->is_failing ? top->err.text : "");
    (void)attroff(A_REVERSE);
    while (*line && row < LINES) {
        const size_t size = strcspn(line, "\n");

        (void)mvaddnstr(row++, 0, line, size < (size_t)COLS ? (int)size : COLS);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    (void)refresh();
}

/* False: to be ended. */
static bool wait_for_key(const struct top *top)
{
    int key;

    timeout((int)(top->interval_us / 1000));
    key = getch();
    return key != 'q' && key != 'Q' && key != 27;
}

static int show(struct top *top)
{
    SCREEN *screen = newterm(NULL, stdout, stdin);

    if (!screen) {
        (void)fprintf(stderr, "weir top: this terminal ($TERM) is not known: "
                              "`weir explain` needs none\n");
        return VERB_EXIT_UNAVAILABLE;
    }
    (void)cbreak();
    (void)noecho();
    (void)curs_set(0);
    draw(top);
    while (wait_for_key(top)) {
        (void)look(top);
        draw(top);
    }
    (void)endwin();
    delscreen(screen);
    return VERB_EXIT_OK;
}

static int top_run(const struct verb *verb, const struct call *call)
{
    struct top_values values = {.asking.timeout_us = 5 * CLOCK_SECOND_US,
                                .interval_us = CLOCK_SECOND_US};
    struct argument_texts operands;
    struct top top = {.text = NULL};
    int code = VERB_EXIT_UNAVAILABLE;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return usage_error(verb, "needs a terminal; `weir explain` doesn't");
    if (ask_open(&values.asking, &top.ask, &top.err) != WEIR_OK)
        return usage_error(verb, "%s", top.err.text);
    top.interval_us = values.interval_us;
    (void)setlocale(LC_CTYPE, "");
    if (look(&top))
        code = show(&top);
    else
        (void)fprintf(stderr, "weir top: %s\n", top.err.text);
    free(top.text);
    ask_close(top.ask);
    return code;
}

const struct verb verb_top = {
    .name = "top",
    .operands = "",
    .summary = "watches a running weir in a terminal",
    .text = "Rates, partitions and queues with their lag and what holds them, "
            "workers,\nmailboxes, and what failed last.  Exit code 69: nobody "
            "answers.  A weir answers\nwhere its topology has `admin:`, or "
            "where WEIR_ADMIN is set.\n",
    .example = "  weir top\n"
               "  weir top --address 127.0.0.1:9999 --interval 200ms\n",
    .options = top_options,
    .run = top_run,
};
