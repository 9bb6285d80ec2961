/*
 * Writing a block: samples go to the disk as they come, in pieces; only the index of the tenant
 * under way is in memory, with what timeline_set keeps of its timelines, and 64 bytes and the id of
 * each tenant before it.
 *
 * A timeline stands before the run of the first series that has it.
 */
#include "tsdb/block/block.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/block/block_frame.h"
#include "tsdb/block/block_index_writer.h"
#include "tsdb/block/block_run.h"
#include "tsdb/files/filenames.h"
#include "tsdb/block/timeline_set.h"

enum { WRITE_BYTES = 1 << 20 };

struct block_writer {
    struct disk *disk;
    struct file *file; /* NULL once it is closed */
    char folder[DISK_PATH_MAX];
    char path[DISK_PATH_MAX];
    char tmp_path[DISK_PATH_MAX];
    struct block_meta meta;
    bool has_failed;     /* the file has a hole: only abort may follow */
    uint64_t offset;     /* in the file, of what is appended next to `out` */
    struct buffer out;   /* not written yet */
    struct buffer piece; /* the timeline or run of one series */
    struct buffer chunks;

    /* the directory so far */
    struct buffer entries;
    struct buffer ids;
    uint32_t tenant_count;
    uint64_t replaced[BLOCK_REPLACED_MAX];
    uint32_t replaced_count;

    /* the tenant under way */
    bool has_tenant;
    struct tenant_id tenant;
    struct block_entry entry;
    struct index_writer *index;
    struct timeline_set timelines;
};

/* ---- opening and ending ---- */

static void name_files(struct block_writer *writer, const char *folder, uint64_t sequence)
{
    char name[DISK_NAME_MAX];
    snprintf(name, sizeof name, BLOCK_FILE_FORMAT, (unsigned long long)sequence);
    int len = snprintf(writer->folder, DISK_PATH_MAX, "%s", folder);
    CHECK(len < DISK_PATH_MAX);
    len = snprintf(writer->tmp_path, DISK_PATH_MAX, "%s/%s%s", folder, name, TMP_SUFFIX);
    CHECK(len < DISK_PATH_MAX);
    len = snprintf(writer->path, DISK_PATH_MAX, "%s/%s", folder, name);
    CHECK(len < DISK_PATH_MAX);
}

static void writer_free(struct block_writer *writer)
{
    file_close(writer->file);
    index_writer_free(writer->index);
    buffer_deinit(&writer->out);
    timeline_set_deinit(&writer->timelines);
    buffer_deinit(&writer->piece);
    buffer_deinit(&writer->chunks);
    buffer_deinit(&writer->entries);
    buffer_deinit(&writer->ids);
    mem_free(writer);
}

static void unlink_if_possible(struct disk *disk, const char *path)
{
    struct error ignored;
    enum status status = disk_unlink(disk, path, &ignored);
    (void)status; /* a file that stays has the .tmp suffix, or is a whole block */
}

enum status block_writer_open(struct disk *disk, const char *folder, const struct block_meta *meta,
                              struct block_writer **out, struct error *err)
{
    struct block_writer *writer = mem_alloc_zeroed(1, sizeof *writer);
    writer->disk = disk;
    writer->meta = (struct block_meta){.shard = meta->shard,
                                       .sequence = meta->sequence,
                                       .rank = meta->level == 0 ? meta->sequence : meta->rank,
                                       .min_ts_ms = INT64_MAX,
                                       .max_ts_ms = INT64_MIN,
                                       .level = meta->level,
                                       .covered_epoch = meta->covered_epoch};
    name_files(writer, folder, meta->sequence);
    buffer_init(&writer->out, SIZE_MAX);
    timeline_set_init(&writer->timelines);
    buffer_init(&writer->piece, UINT32_MAX);
    buffer_init(&writer->chunks, UINT32_MAX);
    buffer_init(&writer->entries, UINT32_MAX);
    buffer_init(&writer->ids, UINT32_MAX);
    unlink_if_possible(disk, writer->tmp_path);
    enum status status = disk_create(disk, writer->tmp_path, &writer->file, err);
    if (status != STATUS_OK) {
        writer_free(writer);
        return status;
    }
    block_header_encode(&writer->out, &writer->meta);
    writer->offset = BLOCK_HEADER_BYTES;
    *out = writer;
    return STATUS_OK;
}

void block_writer_abort(struct block_writer *writer)
{
    if (writer == NULL)
        return;
    unlink_if_possible(writer->disk, writer->tmp_path);
    writer_free(writer);
}

/* ---- sections ---- */

static enum status write_out(struct block_writer *writer, struct error *err)
{
    CHECK(!writer->has_failed);
    enum status status = file_append(writer->file, buffer_bytes(&writer->out), err);
    writer->has_failed = status != STATUS_OK;
    buffer_reset(&writer->out);
    return status;
}

/* Appends a section; `*sum` is its checksum. */
static enum status append(struct block_writer *writer, struct bytes section, uint32_t *sum,
                          struct error *err)
{
    *sum = block_sum(&writer->meta, writer->offset, section);
    buffer_append(&writer->out, section.ptr, section.len);
    writer->offset += section.len;
    return writer->out.len < WRITE_BYTES ? STATUS_OK : write_out(writer, err);
}

/* ---- tenants ---- */

static enum status write_index(struct block_writer *writer, struct error *err)
{
    struct buffer section;
    buffer_init(&section, SIZE_MAX);
    enum status status = index_writer_encode(writer->index, &section, err);
    writer->entry.index_offset = writer->offset;
    writer->entry.index_len = section.len;
    if (status == STATUS_OK)
        status = append(writer, buffer_bytes(&section), &writer->entry.index_sum, err);
    buffer_deinit(&section);
    return status;
}

static void count_tenant(struct block_writer *writer)
{
    struct block_meta *meta = &writer->meta;
    const struct block_entry *entry = &writer->entry;
    meta->series_count += entry->series_count;
    meta->sample_count += entry->sample_count;
    if (entry->min_ts_ms < meta->min_ts_ms)
        meta->min_ts_ms = entry->min_ts_ms;
    if (entry->max_ts_ms > meta->max_ts_ms)
        meta->max_ts_ms = entry->max_ts_ms;
}

/* A tenant without series leaves no trace. */
static enum status end_tenant(struct block_writer *writer, struct error *err)
{
    if (!writer->has_tenant || writer->entry.series_count == 0)
        return STATUS_OK;
    TRY(write_index(writer, err));
    writer->entry.id_offset = (uint32_t)writer->ids.len;
    writer->entry.id_len = writer->tenant.len;
    buffer_append_str(&writer->ids, tenant_id_str(&writer->tenant));
    block_entry_encode(&writer->entries, &writer->entry);
    writer->tenant_count++;
    count_tenant(writer);
    return STATUS_OK;
}

enum status block_writer_tenant(struct block_writer *writer, const struct tenant_id *id,
                                struct error *err)
{
    if (writer->has_tenant)
        CHECK(str_compare(tenant_id_str(&writer->tenant), tenant_id_str(id)) < 0);
    TRY(end_tenant(writer, err));
    index_writer_free(writer->index);
    writer->index = index_writer_new();
    timeline_set_reset(&writer->timelines);
    writer->has_tenant = true;
    writer->tenant = *id;
    writer->entry = (struct block_entry){
        .runs_offset = writer->offset, .min_ts_ms = INT64_MAX, .max_ts_ms = INT64_MIN};
    return STATUS_OK;
}

/* ---- series ---- */

static void count_series(struct block_entry *entry, const struct columns *samples)
{
    int64_t min_ts_ms = samples->ts_ms[0], max_ts_ms = samples->ts_ms[samples->count - 1];
    entry->series_count++;
    entry->sample_count += samples->count;
    if (min_ts_ms < entry->min_ts_ms)
        entry->min_ts_ms = min_ts_ms;
    if (max_ts_ms > entry->max_ts_ms)
        entry->max_ts_ms = max_ts_ms;
}

static enum status too_many(size_t samples, struct error *err)
{
    return error_set(err, STATUS_LIMIT, "block: a series has too many samples: %zu", samples);
}

static enum status add_timeline(struct block_writer *writer, const struct columns *samples,
                                uint32_t *number, struct error *err)
{
    if (!timeline_encode(&writer->piece, &writer->chunks, samples->ts_ms, samples->count))
        return too_many(samples->count, err);
    struct block_timeline timeline = {.offset = writer->offset - writer->entry.runs_offset,
                                      .len = (uint32_t)writer->piece.len,
                                      .min_ts_ms = samples->ts_ms[0],
                                      .max_ts_ms = samples->ts_ms[samples->count - 1]};
    TRY(append(writer, buffer_bytes(&writer->piece), &timeline.sum, err));
    *number = index_writer_add_timeline(writer->index, &timeline);
    timeline_set_add(&writer->timelines, samples->ts_ms, samples->count,
                     buffer_bytes(&writer->piece), *number);
    return STATUS_OK;
}

enum status block_writer_series(struct block_writer *writer, struct labels labels,
                                const struct columns *samples, struct error *err)
{
    CHECK(writer->has_tenant);
    CHECK(samples->count > 0);
    struct block_place place;
    if (!timeline_set_find(&writer->timelines, samples->ts_ms, samples->count, &place.timeline))
        TRY(add_timeline(writer, samples, &place.timeline, err));
    if (!run_encode(&writer->piece, &writer->chunks, samples->values, samples->count))
        return too_many(samples->count, err);
    place.run_offset = writer->offset - writer->entry.runs_offset;
    place.run_len = writer->piece.len;
    TRY(append(writer, buffer_bytes(&writer->piece), &place.run_sum, err));
    index_writer_add(writer->index, labels, &place);
    count_series(&writer->entry, samples);
    return STATUS_OK;
}

/* ---- finishing ---- */

uint64_t block_writer_sequence(const struct block_writer *writer)
{
    return writer->meta.sequence;
}

size_t block_writer_memory_bytes(const struct block_writer *writer)
{
    CHECK(writer->index != NULL);
    return index_writer_memory_bytes(writer->index);
}

void block_writer_replaces(struct block_writer *writer, uint64_t sequence)
{
    CHECK(writer->replaced_count < BLOCK_REPLACED_MAX);
    if (writer->replaced_count > 0)
        CHECK(writer->replaced[writer->replaced_count - 1] < sequence);
    writer->replaced[writer->replaced_count++] = sequence;
}

static enum status write_directory(struct block_writer *writer, struct error *err)
{
    for (uint32_t i = 0; i < writer->replaced_count; i++)
        write_u64(&writer->entries, writer->replaced[i]);
    struct block_footer footer = {.directory_offset = writer->offset,
                                  .directory_len = writer->entries.len + writer->ids.len,
                                  .tenant_count = writer->tenant_count,
                                  .replaced_count = writer->replaced_count,
                                  .meta = writer->meta};
    if (writer->entries.is_overflown || writer->ids.is_overflown)
        return error_set(err, STATUS_LIMIT, "block: too many tenants");
    buffer_append(&writer->entries, writer->ids.ptr, writer->ids.len);
    TRY(append(writer, buffer_bytes(&writer->entries), &footer.directory_sum, err));
    footer.file_len = writer->offset + BLOCK_FOOTER_BYTES;
    block_footer_encode(&writer->out, &footer);
    return write_out(writer, err);
}

static enum status write_rest(struct block_writer *writer, struct error *err)
{
    TRY(end_tenant(writer, err));
    TRY(write_directory(writer, err));
    TRY(file_sync(writer->file, err));
    file_close(writer->file);
    writer->file = NULL;
    return disk_rename(writer->disk, writer->tmp_path, writer->path, err);
}

enum status block_writer_finish(struct block_writer *writer, char *path, struct error *err)
{
    enum status status = write_rest(writer, err);
    if (status != STATUS_OK) {
        block_writer_abort(writer);
        return status;
    }
    status = disk_sync_dir(writer->disk, writer->folder, err);
    if (status != STATUS_OK)
        unlink_if_possible(writer->disk, writer->path);
    memcpy(path, writer->path, DISK_PATH_MAX);
    writer_free(writer);
    return status;
}
