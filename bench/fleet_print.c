/*
 * fleet_print: what croft_load sends, as text: to compare with what a server answers.
 *
 *     croft_fleet SERIES SCRAPES START_MS INTERVAL_MS EVERY
 *
 * Prints every EVERYth series as one line of JSON: its labels, the times and the values of all
 * scrapes. Values have 17 digits, so that they read back to the same bits.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/number.h"
#include "bench/fleet.h"

enum { ARGUMENTS = 5, LABELS_MAX_BYTES = 4096 };

static void print_series(struct fleet *fleet, size_t index, const uint64_t *arguments)
{
    uint64_t scrapes = arguments[1], start_ms = arguments[2], interval_ms = arguments[3];
    struct buffer labels;
    struct fleet_sample *samples = mem_alloc(scrapes * sizeof *samples);
    for (uint64_t i = 0; i < scrapes; i++)
        samples[i] = fleet_next_sample(fleet, index, (int64_t)(start_ms + i * interval_ms));
    buffer_init(&labels, LABELS_MAX_BYTES);
    fleet_append_labels(fleet, index, &labels);
    printf("{\"labels\":[%.*s],\"timestamps\":[", STR_ARG(buffer_str(&labels)));
    for (uint64_t i = 0; i < scrapes; i++)
        printf("%s%" PRId64, i == 0 ? "" : ",", samples[i].ts_ms);
    printf("],\"values\":[");
    for (uint64_t i = 0; i < scrapes; i++)
        printf("%s%.17g", i == 0 ? "" : ",", samples[i].value);
    printf("]}\n");
    buffer_deinit(&labels);
    mem_free(samples);
}

int main(int argc, char **argv)
{
    uint64_t arguments[ARGUMENTS];
    for (int i = 0; i < ARGUMENTS; i++) {
        if (argc != ARGUMENTS + 1 || !parse_u64(str_from(argv[i + 1]), &arguments[i])) {
            fprintf(stderr, "usage: croft_fleet SERIES SCRAPES START_MS INTERVAL_MS EVERY\n");
            return 2;
        }
    }
    struct fleet fleet;
    fleet_init(&fleet, arguments[0]);
    for (size_t index = 0; index < fleet.count; index += arguments[4])
        print_series(&fleet, index, arguments);
    fleet_deinit(&fleet);
    return 0;
}
