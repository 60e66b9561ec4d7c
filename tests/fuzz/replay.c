/*
 * replay.c - runs a target once with each file of a folder: the corpus as a
 * test, also where there is no libFuzzer.
 *
 * Threads: one.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

enum { SIZE_MAX_READ = 1 << 20 };

static size_t read_file(const char *path, uint8_t *out)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file)
        return SIZE_MAX;
    size = fread(out, 1, SIZE_MAX_READ, file);
    (void)fclose(file);
    return size;
}

/* An exact copy, so that a read beyond its end is noticed. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (!copy)
        abort();
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1] = {0};
    uint8_t *data = malloc(SIZE_MAX_READ);
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry = folder ? readdir(folder) : NULL;
    unsigned count = 0;

    run(nothing, 0);
    while (data && entry) {
        char path[4096];
        size_t size;

        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        size = entry->d_name[0] == '.' ? SIZE_MAX : read_file(path, data);
        if (size != SIZE_MAX) {
            run(data, size);
            count++;
        }
        entry = readdir(folder);
    }
    if (folder)
        (void)closedir(folder);
    free(data);
    (void)printf("%u files\n", count);
    return count > 0 ? 0 : 1;
}
