/*
 * load_support.c - loads a topology's text and says what was wrong with it.
 */
#include "load_support.h"

#include <string.h>

#include "test.h"

void load_with(struct loaded *loaded, const struct topology_source *source)
{
    size_t used = 0;

    *loaded = (struct loaded){0};
    loaded->status = topology_load(source, &fake_connectors, &loaded->topology,
                                   &loaded->errors);
    for (size_t i = 0; i < loaded->errors.count; i++) {
        used += (size_t)topology_error_format(&loaded->errors.list[i],
                                              loaded->text + used,
                                              sizeof loaded->text - used);
        if (used + 2 >= sizeof loaded->text)
            break;
        loaded->text[used++] = '\n';
        loaded->text[used] = '\0';
    }
    assert_true((loaded->status == WEIR_OK) == (loaded->topology != NULL));
}

void load_text(struct loaded *loaded, const char *text)
{
    load_with(loaded,
              &(struct topology_source){.file = "/conf/t.yaml", .text = text});
}

void loaded_finish(struct loaded *loaded)
{
    topology_destroy(loaded->topology);
    topology_errors_finish(&loaded->errors);
}

void assert_refused(const char *text, const char *errors)
{
    struct loaded loaded;

    load_text(&loaded, text);
    assert_string_equal(loaded.text, errors);
    assert_int_equal(loaded.status, WEIR_REJECT);
    loaded_finish(&loaded);
}

void assert_accepted(const char *text)
{
    struct loaded loaded;

    load_text(&loaded, text);
    assert_string_equal(loaded.text, "");
    assert_int_equal(loaded.status, WEIR_OK);
    loaded_finish(&loaded);
}

void assert_mentions(const char *text, const char *part)
{
    struct loaded loaded;

    load_text(&loaded, text);
    if (!strstr(loaded.text, part))
        fail_msg("no `%s` in:\n%s", part, loaded.text);
    loaded_finish(&loaded);
}
