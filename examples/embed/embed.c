/*
 * embed.c - a program with a pipeline inside.
 *
 *     main            ledger every second, then drain, join, destroy
 *     pipeline        weir_pipeline_run() on a thread of its own
 *     sink workers    handle_batch(), each with its own state
 *
 * Threads: as above; the state of a worker is touched by that worker only.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/pipeline.h>

static const char topology[] =
    "name: embed\n"
    "producer:\n"
    "  generator: { rate: 10000, size: 100B }\n"
    "processors:\n"
    "  handler: linked\n"
    "batchers:\n"
    "  default: { batch_size: 500, batch_timeout: 100ms, concurrency: 2 }\n"
    "failure: { then: drop }\n";

/* What one worker has seen. */
struct tally {
    struct weir_worker worker;
    unsigned long batches, messages, bytes;
};

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    struct tally *tally = calloc(1, sizeof *tally);

    (void)options;
    if (!tally)
        return weir_fail(err, WEIR_FATAL, "no memory");
    tally->worker = *worker;
    *ret_state = tally;
    return WEIR_OK;
}

static enum weir_status handle_batch(struct weir_batch *batch, void *state)
{
    struct tally *tally = state;
    const size_t count = weir_batch_count(batch);

    for (size_t i = 0; i < count; i++)
        tally->bytes += weir_message_payload(weir_batch_message(batch, i)).size;
    tally->messages += count;
    tally->batches++;
    return WEIR_OK; /* all of them are delivered */
}

static void terminate(void *state)
{
    struct tally *tally = state;

    if (tally->worker.batcher)
        printf("%s %u of %u: %lu messages in %lu batches, %lu bytes\n",
               tally->worker.batcher, tally->worker.index + 1,
               tally->worker.count, tally->messages, tally->batches,
               tally->bytes);
    free(tally);
}

static const struct weir_handler handler = {
    .abi_version = WEIR_ABI_VERSION,
    .struct_size = sizeof(struct weir_handler),
    .name = "tally",
    .init = init,
    .handle_batch = handle_batch,
    .terminate = terminate,
};

static void print_log(void *opaque, enum weir_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    (void)fprintf(stderr, "embed: %s\n", line);
}

struct job {
    struct weir_pipeline *pipeline;
    int code;
};

static void *run(void *opaque)
{
    struct job *job = opaque;

    job->code = weir_pipeline_run(job->pipeline);
    return NULL;
}

static void print_ledger(const struct weir_pipeline *pipeline)
{
    struct weir_ledger ledger;

    weir_pipeline_ledger(pipeline, &ledger);
    printf("received %llu, done %llu, in flight %llu\n",
           (unsigned long long)ledger.received, (unsigned long long)ledger.done,
           (unsigned long long)ledger.in_flight);
}

int main(int argc, char **argv)
{
    const struct weir_pipeline_config config = {.topology = topology,
                                                .handler = &handler};
    const int seconds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
    struct job job = {.pipeline = NULL};
    struct weir_error err;
    pthread_t thread;

    weir_set_log(print_log, NULL);
    if (weir_pipeline_create(&config, &job.pipeline, &err) != WEIR_OK) {
        (void)fprintf(stderr, "embed: %s\n", err.text);
        return 1;
    }
    if (pthread_create(&thread, NULL, run, &job) != 0)
        return 1;
    for (int i = 0; i < seconds; i++) {
        (void)sleep(1);
        print_ledger(job.pipeline);
    }
    weir_pipeline_drain(job.pipeline);
    (void)pthread_join(thread, NULL);
    print_ledger(job.pipeline);
    if (weir_pipeline_destroy(job.pipeline) != WEIR_OK)
        return 1; /* a thread is stuck: leave without touching anything */
    return job.code;
}
