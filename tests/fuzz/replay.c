/*
 * replay: runs a fuzz target over the files of its corpus, in every build, and over no bytes that
 * lie nowhere, as a buffer that never held one has them. Each input lies in memory of its size, so
 * that a read behind its end is seen.
 *
 * Use: replay_NOUN FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/check.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_LEN_MAX = 4096, INPUT_MAX_BYTES = 1 << 20 };

static void read_input(const char *path, struct buffer *input)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    uint8_t *to = buffer_reserve(input, INPUT_MAX_BYTES);
    input->len = fread(to, 1, INPUT_MAX_BYTES, file);
    CHECK(ferror(file) == 0);
    fclose(file);
}

static void run(struct bytes input)
{
    uint8_t *exact = input.len == 0 ? NULL : mem_alloc(input.len);
    if (input.len > 0)
        memcpy(exact, input.ptr, input.len);
    LLVMFuzzerTestOneInput(exact, input.len);
    mem_free(exact);
}

static void replay(const char *folder, const char *name)
{
    char path[PATH_LEN_MAX];
    struct buffer input;
    buffer_init(&input, INPUT_MAX_BYTES);
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK(len > 0 && (size_t)len < sizeof path);
    read_input(path, &input);
    run(buffer_bytes(&input));
    buffer_deinit(&input);
}

int main(int argument_count, char **arguments)
{
    size_t count = 0;
    DIR *folder = argument_count == 2 ? opendir(arguments[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "replay: want the folder of a corpus\n");
        return 1;
    }
    run((struct bytes){NULL, 0});
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        replay(arguments[1], entry->d_name);
        count++;
    }
    closedir(folder);
    printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
