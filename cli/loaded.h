/*
 * loaded.h - a topology and its handler, ready to be run or looked at.
 */
#ifndef WEIR_CLI_LOADED_H
#define WEIR_CLI_LOADED_H

#include "arguments.h"
#include "plugin.h"
#include "topology.h"

struct loaded_request {
    const char *file;
    const char *text;             /* NULL: `file` is read */
    const char *const *overrides; /* NULL ends; may be NULL */
    bool until_end;
    const struct weir_handler *linked; /* or NULL */
};

struct loaded {
    struct topology *topology;
    const struct weir_handler *handler;
    struct plugin *plugin; /* NULL: built in or linked */
    struct topology_errors errors;
};

/*
 * WEIR_REJECT: `ret_loaded->errors` has every error of the topology; when it
 * has none, `err` says what is wrong with the plugin.  loaded_close() in
 * either case.
 */
WEIR_MUST_USE
enum weir_status loaded_open(const struct loaded_request *request,
                             struct loaded *ret_loaded, struct weir_error *err);
void loaded_close(struct loaded *loaded);

/* Calls `line` for each warning and error, in the order of the file. */
typedef void (*loaded_line_fn)(void *opaque, bool is_warning, const char *line);
void loaded_each_error(const struct loaded *loaded, loaded_line_fn line,
                       void *opaque);

/* The same, as log lines. */
void loaded_log_errors(const struct loaded *loaded);

/* Into `err`, in place of "it is refused": the first error of the topology, if
 * it has one.  Returns `status`. */
enum weir_status loaded_first_error(const struct loaded *loaded,
                                    enum weir_status status,
                                    struct weir_error *err);

/* As loaded_open(); a process that holds secrets leaves no core file then. */
WEIR_MUST_USE
enum weir_status loaded_open_guarded(const struct loaded_request *request,
                                     struct loaded *ret_loaded,
                                     struct weir_error *err);

/* Loads, and says on standard error what is wrong. */
WEIR_MUST_USE
enum weir_status loaded_open_or_say(const struct loaded_request *request,
                                    struct loaded *ret_loaded);

/* What a verb's options say of the topology that it loads. */
struct loaded_options {
    struct argument_texts overrides;
    bool until_end;
};

/* The row for --set; `values` has a loaded_options of the name `topology`. */
#define LOADED_SET_OPTION(values)                                              \
    {                                                                          \
        "--set", "PATH=VALUE", ARGUMENT_TEXTS,                                 \
            offsetof(values, topology.overrides),                              \
            "replaces one value of the file; may be repeated"                  \
    }

struct loaded_request loaded_request(const struct call *call, const char *file,
                                     const struct loaded_options *options);

/*
 * Reads the file of `request` once more, while what it said at first runs.
 * It is checked with the handler that runs, unless it names another one, since
 * no plugin is loaded.  WEIR_REJECT: `err` has the first error; of several each
 * was logged.
 */
WEIR_MUST_USE
enum weir_status loaded_read_again(const struct loaded *loaded,
                                   const struct loaded_request *request,
                                   struct topology **ret_next,
                                   struct weir_error *err);

/* The same for a verb whose operand is `file`. */
WEIR_MUST_USE
enum weir_status loaded_open_file(const struct call *call, const char *file,
                                  const struct loaded_options *options,
                                  struct loaded *ret_loaded);

#endif
