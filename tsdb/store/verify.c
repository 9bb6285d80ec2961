#include "tsdb/store/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tsdb/block/block.h"
#include "tsdb/files/clock_mark.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/layout.h"
#include "tsdb/files/manifest.h"
#include "tsdb/files/shard_files.h"
#include "tsdb/store/deletions_file.h"
#include "tsdb/wal/wal.h"
#include "tsdb/wal/wal_segment.h"

struct proof {
    struct disk *disk;
    const struct verify_handler *handler;
    struct verify_report *report;
    struct layout layout;
    uint32_t shard;
    uint32_t covered_epoch;      /* of the shard */
    bool has_deletions;          /* of the shard: their file */
    struct manifest manifest;    /* of the shard, less what is there or a block has replaced */
    char segment[DISK_PATH_MAX]; /* that is being read */
};

static void wrong(struct proof *proof, const char *path, const char *format, ...) PRINTF_LIKE(3, 4);

static void wrong(struct proof *proof, const char *path, const char *format, ...)
{
    struct error text;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text.text, sizeof text.text, format, arguments);
    va_end(arguments);
    proof->report->wrong++;
    proof->handler->wrong(proof->handler->context, path, text.text);
}

static void check_tenant(struct proof *proof, const char *path, struct str name)
{
    struct tenant_id id;
    struct error err;
    if (tenant_id_parse(name, &id, &err) != STATUS_OK)
        wrong(proof, path, "%s", err.text);
    else if (tenant_id_shard(&id, proof->layout.shard_count) != proof->shard)
        wrong(proof, path, "tenant %s belongs to shard %u", id.text,
              tenant_id_shard(&id, proof->layout.shard_count));
}

/* ---- blocks ---- */

static void check_meta(struct proof *proof, const struct block *block, uint64_t sequence)
{
    const struct block_meta *meta = block_meta(block);
    if (meta->sequence != sequence)
        wrong(proof, block_path(block), "block: got sequence %" PRIu64 ", want that of the name",
              meta->sequence);
    if (meta->shard != proof->shard)
        wrong(proof, block_path(block), "block: of shard %u", meta->shard);
}

static void forget_replaced(struct proof *proof, const struct block *block)
{
    for (size_t i = proof->manifest.count; i > 0; i--) {
        uint64_t sequence = proof->manifest.blocks[i - 1].sequence;
        if (block_replaces(block, sequence))
            manifest_remove(&proof->manifest, sequence);
    }
}

static void check_block(struct proof *proof, struct block *block, uint64_t sequence)
{
    struct error err;
    const struct block_meta *meta = block_meta(block);
    check_meta(proof, block, sequence);
    forget_replaced(proof, block);
    for (size_t i = 0; i < block_tenant_count(block); i++)
        check_tenant(proof, block_path(block), block_tenant(block, i));
    if (block_verify(block, &err) != STATUS_OK)
        wrong(proof, block_path(block), "%s", err.text);
    if (meta->covered_epoch > proof->covered_epoch)
        proof->covered_epoch = meta->covered_epoch;
    proof->report->blocks++;
    proof->report->block_series += meta->series_count;
    proof->report->block_samples += meta->sample_count;
}

static enum status verify_block(struct proof *proof, const char *name, struct error *err)
{
    char path[DISK_PATH_MAX];
    uint64_t sequence;
    struct block *block;
    shard_file_path(path, proof->shard, BLOCKS_FOLDER, name);
    if (str_ends_with(str_from(name), STR(BLOCK_FILE_SUFFIX TMP_SUFFIX))) {
        proof->report->unfinished++;
        return STATUS_OK;
    }
    if (!block_name_parse(str_from(name), &sequence)) {
        wrong(proof, path, "not the name of a block");
        return STATUS_OK;
    }
    enum status status = block_open(proof->disk, path, &block, err);
    if (status == STATUS_CORRUPT)
        wrong(proof, path, "%s", err->text);
    if (status == STATUS_CORRUPT || status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    check_block(proof, block, sequence);
    block_release(block);
    return STATUS_OK;
}

/* ---- log ---- */

static void begin_segment(void *context, const struct wal_segment_view *segment)
{
    struct proof *proof = context;
    char folder[DISK_PATH_MAX];
    shard_file_path(folder, proof->shard, WAL_FOLDER, "");
    segment_path(proof->segment, folder, (struct segment_id){segment->epoch, segment->number});
}

static void end_segment(void *context, const struct wal_segment_view *segment)
{
    struct proof *proof = context;
    proof->report->segments++;
    if (segment->damaged_frames > 0)
        wrong(proof, proof->segment, "log: %" PRIu64 " damaged places where data was durable",
              segment->damaged_frames);
}

static enum status check_series(void *context, struct series_ref ref, struct str tenant,
                                struct labels labels, struct error *err)
{
    struct proof *proof = context;
    (void)ref, (void)err;
    check_tenant(proof, proof->segment, tenant);
    for (size_t i = 1; i < labels.count; i++) {
        if (str_compare(labels.ptr[i - 1].name, labels.ptr[i].name) >= 0)
            wrong(proof, proof->segment, "log: labels out of order in series %u", ref.value);
    }
    return STATUS_OK;
}

static void add_log(struct proof *proof, const char *folder, const struct wal_replay_report *log)
{
    proof->report->log_samples += log->samples;
    proof->report->torn_tail_bytes += log->torn_tail_bytes;
    if (log->unknown_series > 0)
        wrong(proof, folder, "log: %" PRIu64 " samples whose series is not declared",
              log->unknown_series);
    if (log->lost_samples > 0)
        wrong(proof, folder, "log: %" PRIu64 " samples that rest on a damaged frame",
              log->lost_samples);
}

static enum status verify_log(struct proof *proof, struct error *err)
{
    char folder[DISK_PATH_MAX];
    shard_file_path(folder, proof->shard, WAL_FOLDER, "");
    const struct wal_observer observer = {
        .context = proof, .segment = begin_segment, .segment_end = end_segment};
    const struct wal_replay_handler handler = {
        .context = proof,
        .observer = &observer,
        .series = check_series,
        .manifest = &proof->manifest,
    };
    struct wal_replay_report log = {0};
    const struct wal_replay_options options = {.disk = proof->disk,
                                               .folder = folder,
                                               .shard = proof->shard,
                                               .covered_epoch = proof->covered_epoch,
                                               .handler = &handler};
    enum status status = wal_replay(&options, &log, err);
    add_log(proof, folder, &log);
    if (status == STATUS_CORRUPT)
        wrong(proof, folder, "%s", err->text);
    return status == STATUS_CORRUPT || status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- shards ---- */

static void check_names(struct proof *proof, const struct shard_files *files)
{
    char path[DISK_PATH_MAX];
    struct segment_id id;
    for (size_t i = 0; i < files->segments.count; i++) {
        shard_file_path(path, proof->shard, WAL_FOLDER, files->segments.names[i]);
        if (!segment_id_parse(str_from(files->segments.names[i]), &id))
            wrong(proof, path, "not the name of a log segment");
    }
    for (size_t i = 0; i < files->quarantine.count; i++) {
        shard_file_path(path, proof->shard, QUARANTINE_FOLDER, files->quarantine.names[i]);
        wrong(proof, path, "damage that was found before: not served");
    }
}

static enum status verify_deletions(struct proof *proof, struct error *err)
{
    char path[DISK_PATH_MAX];
    struct deletions *list;
    bool is_whole;
    shard_file_path(path, proof->shard, DELETIONS_FILE, "");
    enum status status = deletions_load(proof->disk, proof->shard, &list, &is_whole, err);
    if (status == STATUS_CORRUPT)
        wrong(proof, path, "%s", err->text);
    if (status == STATUS_OK && !is_whole)
        wrong(proof, path, "deletions: one of the two copies is damaged");
    proof->has_deletions = status != STATUS_NOT_FOUND;
    for (size_t i = 0; status == STATUS_OK && i < list->count; i++)
        check_tenant(proof, path, tenant_id_str(&list->ptr[i].tenant));
    if (status == STATUS_OK)
        deletions_release(list);
    return status == STATUS_CORRUPT || status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- manifest ---- */

static enum status read_manifest(struct proof *proof, struct error *err)
{
    char path[DISK_PATH_MAX];
    shard_file_path(path, proof->shard, MANIFEST_FILE, "");
    enum status status = manifest_read(proof->disk, proof->shard, &proof->manifest, err);
    if (status == STATUS_CORRUPT || status == STATUS_INVALID)
        wrong(proof, path, "%s", err->text);
    if (status == STATUS_NOT_FOUND && proof->layout.has_manifests)
        wrong(proof, path, "gone, so that nobody can tell what else is");
    return status == STATUS_IO ? status : STATUS_OK;
}

/* What came since the files were listed is there now. */
static bool is_there(struct proof *proof, const char *path)
{
    struct error err;
    struct file *file = NULL;
    enum status status = disk_open(proof->disk, path, &file, &err);
    file_close(file);
    return status == STATUS_OK;
}

static void check_deletions_gone(struct proof *proof, const struct shard_files *files)
{
    char path[DISK_PATH_MAX];
    shard_file_path(path, proof->shard, DELETIONS_FILE, "");
    if (proof->manifest.has_deletions && !proof->has_deletions &&
        !name_list_has(&files->quarantine, DELETIONS_FILE) && !is_there(proof, path))
        wrong(proof, path, "gone: what was deleted is there again where blocks still have it");
}

/* Of the log, what blocks do not cover. */
static void check_segments_gone(struct proof *proof, const struct shard_files *files)
{
    manifest_forget_segments(&proof->manifest, proof->covered_epoch);
    for (size_t i = 0; i < proof->manifest.segment_count; i++) {
        const struct manifest_segment *segment = &proof->manifest.segments[i];
        char name[DISK_NAME_MAX], path[DISK_PATH_MAX];
        segment_name(name, (struct segment_id){segment->epoch, segment->number});
        shard_file_path(path, proof->shard, WAL_FOLDER, name);
        if (!name_list_has(&files->segments, name) && !name_list_has(&files->quarantine, name) &&
            !is_there(proof, path))
            wrong(proof, path, "gone, and with it samples that no block holds");
    }
}

static void forget_present(struct proof *proof, const struct shard_files *files)
{
    for (size_t i = proof->manifest.count; i > 0; i--) {
        char name[DISK_NAME_MAX], path[DISK_PATH_MAX];
        uint64_t sequence = proof->manifest.blocks[i - 1].sequence;
        block_name(name, sequence);
        shard_file_path(path, proof->shard, BLOCKS_FOLDER, name);
        if (name_list_has(&files->blocks, name) || name_list_has(&files->quarantine, name) ||
            is_there(proof, path))
            manifest_remove(&proof->manifest, sequence);
    }
}

static void check_blocks_gone(struct proof *proof)
{
    for (size_t i = 0; i < proof->manifest.count; i++) {
        const struct manifest_block *block = &proof->manifest.blocks[i];
        char name[DISK_NAME_MAX], path[DISK_PATH_MAX];
        block_name(name, block->sequence);
        shard_file_path(path, proof->shard, BLOCKS_FOLDER, name);
        wrong(proof, path, "gone, and with it %" PRIu64 " samples", block->sample_count);
    }
}

static enum status verify_files(struct proof *proof, const struct shard_files *files,
                                struct error *err)
{
    check_names(proof, files);
    TRY(verify_deletions(proof, err));
    TRY(read_manifest(proof, err));
    check_deletions_gone(proof, files);
    forget_present(proof, files);
    for (size_t i = 0; i < files->blocks.count; i++)
        TRY(verify_block(proof, files->blocks.names[i], err));
    check_blocks_gone(proof);
    check_segments_gone(proof, files);
    return verify_log(proof, err);
}

static enum status verify_shard(struct proof *proof, bool *is_missing, struct error *err)
{
    struct shard_files files;
    proof->covered_epoch = 0;
    TRY(shard_files_list(&files, proof->disk, proof->shard, err));
    *is_missing = files.is_missing;
    manifest_init(&proof->manifest);
    enum status status = verify_files(proof, &files, err);
    manifest_deinit(&proof->manifest);
    shard_files_deinit(&files);
    return status;
}

static enum status verify_clock(struct proof *proof, struct error *err)
{
    int64_t now_ms;
    enum status status = clock_mark_read(proof->disk, &now_ms, err);
    if (status == STATUS_CORRUPT || status == STATUS_INVALID)
        wrong(proof, CLOCK_FILE, "%s", err->text);
    return status == STATUS_IO ? status : STATUS_OK;
}

/* All folders are durable before the first write is taken. */
static void check_missing(struct proof *proof, uint32_t missing)
{
    const struct verify_report *report = proof->report;
    if (missing > 0 && report->blocks + report->log_samples > 0)
        wrong(proof, LAYOUT_FILE, "layout: the folders of %u of %u shards are missing", missing,
              report->shards);
}

/* When the folders have to say it the file is wrong; STATUS_CORRUPT: they do not either. */
static enum status find_layout(struct proof *proof, struct error *err)
{
    enum status status = layout_read(proof->disk, &proof->layout, err);
    if (status != STATUS_CORRUPT && status != STATUS_NOT_FOUND)
        return status;
    struct error why = *err;
    status = layout_find(proof->disk, &proof->layout, err);
    if (status == STATUS_OK || status == STATUS_CORRUPT)
        wrong(proof, LAYOUT_FILE, "%s", why.text);
    return status;
}

enum status store_verify(struct disk *disk, const struct verify_handler *handler,
                         struct verify_report *report, struct error *err)
{
    *report = (struct verify_report){0};
    struct proof proof = {.disk = disk, .handler = handler, .report = report};
    enum status status = find_layout(&proof, err);
    if (status == STATUS_CORRUPT)
        return STATUS_OK;
    TRY(status);
    report->shards = proof.layout.shard_count;
    uint32_t missing = 0;
    for (; proof.shard < proof.layout.shard_count; proof.shard++) {
        bool is_missing = false;
        TRY(verify_shard(&proof, &is_missing, err));
        missing += is_missing;
    }
    check_missing(&proof, missing);
    return verify_clock(&proof, err);
}
