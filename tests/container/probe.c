/*
 * probe.c - a handler that says where it runs, and does what a line tells it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/handler.h>

enum { ANSWER_SIZE = 256 };

/* What the first message of a pipeline with `pause` waits for. */
static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    unsigned *pause_s = malloc(sizeof *pause_s);

    (void)worker;
    if (!pause_s)
        return weir_fail(err, WEIR_RETRY, "no memory");
    *pause_s = (unsigned)weir_settings_int(options, "pause", 0);
    *ret_state = pause_s;
    return WEIR_OK;
}

/* Ends after its parent; says its id on `end`. */
static void grandchild(int end)
{
    const pid_t pid = fork();

    if (pid != 0 && write(end, &pid, sizeof pid) != sizeof pid)
        abort();
    _exit(0);
}

/* An orphan that nobody reaps would go on taking signals. */
static int leave_an_orphan(void)
{
    enum { TRIES = 60000 };
    pid_t between, pid = 0;
    int ends[2];

    if (pipe(ends) != 0)
        return -1;
    between = fork();
    if (between == 0)
        grandchild(ends[1]);
    if (waitpid(between, NULL, 0) != between ||
        read(ends[0], &pid, sizeof pid) != sizeof pid)
        return -1;
    for (int i = 0; i < TRIES; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return 0;
        (void)usleep(1000);
    }
    return -1;
}

static const char *can_write(const char *path)
{
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0)
        return strerror(errno);
    (void)close(fd);
    return "written";
}

static void capabilities(char *out, size_t size)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[ANSWER_SIZE];

    out[0] = '\0';
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "CapEff:", 7) == 0 ||
            strncmp(line, "CapBnd:", 7) == 0)
            (void)snprintf(out + strlen(out), size - strlen(out), "%.16s ",
                           line + 8);
    if (file)
        (void)fclose(file);
}

static _Noreturn void get_stuck(void)
{
    (void)!write(STDOUT_FILENO, "stuck\n", 6);
    for (;;)
        (void)pause();
}

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    const char *line = weir_message_payload(msg).data;
    char answer[ANSWER_SIZE], caps[ANSWER_SIZE];
    unsigned *pause_s = state;

    (void)sleep(*pause_s);
    *pause_s = 0;
    if (strcmp(line, "crash") == 0)
        abort();
    if (strcmp(line, "stuck") == 0)
        get_stuck();
    if (strcmp(line, "bad") == 0)
        return weir_message_reject(msg, "bad");
    if (strcmp(line, "orphan") == 0) {
        (void)snprintf(answer, sizeof answer, "reaped: %d", leave_an_orphan());
    } else {
        capabilities(caps, sizeof caps);
        (void)snprintf(answer, sizeof answer,
                       "user %d:%d capabilities %sroot: %s", (int)getuid(),
                       (int)getgid(), caps, can_write("/etc/probe"));
    }
    return weir_message_set_payload(msg, WEIR_STR(answer));
}

WEIR_HANDLER(probe, .init = init, .handle_message = handle_message,
             .terminate = free);
