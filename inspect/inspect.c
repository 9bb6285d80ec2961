#include "inspect/inspect.h"

#include <inttypes.h>

#include "base/buffer.h"
#include "base/command_line.h"
#include "base/number.h"
#include "inspect/snapshot.h"
#include "inspect/topic.h"
#include "tsdb/files/layout.h"
#include "tsdb/store/verify.h"

enum { FOUND_MAX_BYTES = 64 << 20 };

static const struct {
    const char *name;
    enum status (*show)(struct topic *topic, struct error *err);
} topics[] = {
    {"", show_overview},   {"log", show_log},         {"blocks", show_blocks},
    {"index", show_index}, {"tenants", show_tenants}, {"sizes", show_sizes},
};

enum status inspect_print(const struct inspection *inspection, struct str name, uint64_t *wrong,
                          struct error *err)
{
    struct layout layout;
    *wrong = 0;
    TRY(layout_find(inspection->disk, &layout, err));
    if (inspection->has_shard && inspection->shard >= layout.shard_count)
        return error_set(err, STATUS_INVALID, "shard: got %u, want less than %u", inspection->shard,
                         layout.shard_count);
    struct topic topic = {.inspection = inspection, .shard_count = layout.shard_count};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (!str_eq(name, str_from(topics[i].name)))
            continue;
        enum status status = topics[i].show(&topic, err);
        *wrong = topic.wrong;
        return status;
    }
    return error_set(err, STATUS_INVALID, "inspect: no topic \"%.*s\"", STR_ARG(name));
}

/* ---- verify ---- */

static void note_wrong(void *context, const char *path, const char *text)
{
    buffer_append_format(context, "%s: %s\n", path, text);
}

static enum status verify_once(struct disk *disk, struct buffer *found,
                               struct verify_report *report, bool *is_intact, struct error *err)
{
    struct snapshot snapshot;
    const struct verify_handler handler = {.context = found, .wrong = note_wrong};
    buffer_reset(found);
    TRY(snapshot_take(&snapshot, disk, err));
    enum status status = store_verify(disk, &handler, report, err);
    if (status == STATUS_OK)
        status = snapshot_check(&snapshot, disk, is_intact, err);
    snapshot_deinit(&snapshot);
    return status;
}

static void print_report(FILE *out, const struct buffer *found, const struct verify_report *report)
{
    fprintf(out, "%.*s", STR_ARG(buffer_str(found)));
    fprintf(out,
            "%u shards: %" PRIu64 " blocks with %" PRIu64 " series and %" PRIu64
            " samples, %" PRIu64 " log segments with %" PRIu64 " samples\n",
            report->shards, report->blocks, report->block_series, report->block_samples,
            report->segments, report->log_samples);
    if (report->torn_tail_bytes > 0)
        fprintf(out, "torn tail of %" PRIu64 " bytes: normal after a crash\n",
                report->torn_tail_bytes);
    if (report->unfinished > 0)
        fprintf(out, "%" PRIu64 " unfinished blocks: normal after a crash\n", report->unfinished);
    if (report->wrong == 0)
        fprintf(out, "all is well\n");
    else
        fprintf(out, "%" PRIu64 " wrong\n", report->wrong);
}

enum status inspect_verify(struct disk *disk, FILE *out, uint64_t *wrong, struct error *err)
{
    struct verify_report report = {0};
    struct buffer found;
    bool is_intact = false;
    enum status status = STATUS_OK;
    buffer_init(&found, FOUND_MAX_BYTES);
    for (int i = 0; i < SNAPSHOT_TRIES_MAX && !is_intact && status == STATUS_OK; i++)
        status = verify_once(disk, &found, &report, &is_intact, err);
    if (status == STATUS_OK && !is_intact)
        status = error_set(err, STATUS_UNAVAILABLE, "verify: " SNAPSHOT_MOVES);
    if (status == STATUS_OK)
        print_report(out, &found, &report);
    *wrong = report.wrong;
    buffer_deinit(&found);
    return status;
}

/* ---- the command ---- */

static const char usage[] =
    "usage: croft inspect --data-dir FOLDER [--shard N] [--tenant ID] [TOPIC]\n"
    "       croft inspect --data-dir FOLDER --verify\n"
    "\n"
    "Prints what the files hold; a server may run meanwhile. Without a topic: an overview.\n"
    "\n"
    "  log                 segments, frames and records of the log\n"
    "  blocks              blocks and their sections\n"
    "  index               labels, postings and series of each tenant in each block\n"
    "  tenants             series, samples and bytes of each tenant\n"
    "  sizes               bytes per sample by encoding, tenant and metric\n"
    "\n"
    "  --data-dir FOLDER   where the data lives (default ./data)\n"
    "  --shard N           this shard only\n"
    "  --tenant ID         this tenant only\n"
    "  --verify            prove every checksum and invariant; exit status 1 with a list of what "
    "is wrong\n"
    "  --help              this text\n";

struct inspect_flags {
    struct str data_dir, shard, tenant, topic;
    bool is_verify, wants_help;
};

static enum status parse_flags(struct inspect_flags *flags, struct inspection *inspection,
                               int count, char *const *args, struct error *err)
{
    const struct flag_row rows[] = {
        {.name = "data-dir", .value = &flags->data_dir},
        {.name = "shard", .value = &flags->shard},
        {.name = "tenant", .value = &flags->tenant},
        {.name = "verify", .is_on = &flags->is_verify},
        {.name = "help", .is_on = &flags->wants_help},
    };
    struct command_line line = {.flags = rows,
                                .flag_count = sizeof rows / sizeof *rows,
                                .plain = &flags->topic,
                                .plain_max = 1};
    uint64_t shard = 0;
    TRY(command_line_parse(&line, count, args, err));
    inspection->tenant = flags->tenant;
    inspection->has_shard = flags->shard.len > 0;
    if (inspection->has_shard && (!parse_u64(flags->shard, &shard) || shard > UINT32_MAX))
        return error_set(err, STATUS_INVALID, "--shard: not a number");
    inspection->shard = (uint32_t)shard;
    return STATUS_OK;
}

static enum status run(const struct inspect_flags *flags, struct inspection *inspection,
                       uint64_t *wrong, struct error *err)
{
    /* an argument is NUL-terminated to its end */
    TRY(disk_open_read_only(flags->data_dir.ptr, &inspection->disk, err));
    enum status status = flags->is_verify
                             ? inspect_verify(inspection->disk, inspection->out, wrong, err)
                             : inspect_print(inspection, flags->topic, wrong, err);
    disk_close(inspection->disk);
    return status;
}

int inspect_main(int count, char *const *args)
{
    struct error err;
    uint64_t wrong = 0;
    struct inspect_flags flags = {.data_dir = STR("./data")};
    struct inspection inspection = {.out = stdout};
    if (parse_flags(&flags, &inspection, count, args, &err) != STATUS_OK) {
        fprintf(stderr, "croft: %s\n%s", err.text, usage);
        return 2;
    }
    if (flags.wants_help) {
        fputs(usage, stdout);
        return 0;
    }
    if (run(&flags, &inspection, &wrong, &err) != STATUS_OK) {
        fprintf(stderr, "croft: %s\n", err.text);
        return 1;
    }
    return wrong > 0;
}
