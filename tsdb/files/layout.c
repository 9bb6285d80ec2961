#include "tsdb/files/layout.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

static const char magic[8] = {'C', 'R', 'O', 'F', 'T', 'D', 'I', 'R'};

void layout_encode(struct buffer *out, const struct layout *layout)
{
    size_t start = out->len;
    buffer_append(out, magic, sizeof magic);
    write_u32(out, LAYOUT_VERSION);
    write_u32(out, layout->shard_count);
    write_u32(out, layout->has_manifests);
    write_u32(out, crc32c((struct bytes){out->ptr + start, out->len - start}));
}

enum status layout_decode(struct bytes data, struct layout *out, struct error *err)
{
    struct reader r = reader_of(data);
    struct bytes got_magic = reader_bytes(&r, sizeof magic);
    uint32_t version = reader_u32(&r);
    uint32_t shard_count = reader_u32(&r);
    uint32_t has_manifests = reader_u32(&r);
    uint32_t crc = reader_u32(&r);
    if (r.is_broken || reader_left(&r) != 0)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": got %zu bytes, want %d", data.len,
                         LAYOUT_SIZE_BYTES);
    if (memcmp(got_magic.ptr, magic, sizeof magic) != 0)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": not a Croft layout file");
    if (crc != crc32c((struct bytes){data.ptr, data.len - sizeof crc}))
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": checksum does not match");
    if (version != LAYOUT_VERSION)
        return error_set(err, STATUS_INVALID, LAYOUT_FILE ": got version %u, want %d", version,
                         LAYOUT_VERSION);
    if (shard_count == 0 || shard_count > LAYOUT_SHARDS_MAX)
        return error_set(err, STATUS_CORRUPT, LAYOUT_FILE ": got %u shards, want 1 to %d",
                         shard_count, LAYOUT_SHARDS_MAX);
    *out = (struct layout){.shard_count = shard_count, .has_manifests = has_manifests == 1};
    return STATUS_OK;
}

static enum status read_file(struct file *file, struct layout *out, struct error *err)
{
    /* one byte more, so that a longer file is noticed */
    uint8_t data[LAYOUT_SIZE_BYTES + 1];
    size_t len;
    TRY(file_read(file, 0, data, sizeof data, &len, err));
    return layout_decode((struct bytes){data, len}, out, err);
}

enum status layout_read(struct disk *disk, struct layout *out, struct error *err)
{
    struct file *file;
    TRY(disk_open(disk, LAYOUT_FILE, &file, err));
    enum status status = read_file(file, out, err);
    file_close(file);
    return status;
}

/* ---- from the folders of the shards ---- */

static bool is_shard_folder(const char *name, uint32_t number)
{
    char want[DISK_NAME_MAX];
    snprintf(want, sizeof want, SHARD_FOLDER_FORMAT, number);
    return strcmp(name, want) == 0;
}

static enum status check_shard(struct disk *disk, uint32_t number, struct error *err)
{
    struct shard_files files;
    TRY(shard_files_list(&files, disk, number, err));
    bool is_missing = files.is_missing;
    shard_files_deinit(&files);
    return is_missing ? error_set(err, STATUS_CORRUPT, SHARD_FOLDER_FORMAT " is not whole", number)
                      : STATUS_OK;
}

/* Names are sorted, so the folders come in order; one that is missing leaves
   those behind it over. */
static enum status count_shards(const struct name_list *names, uint32_t *count, struct error *err)
{
    size_t folders = 0;
    *count = 0;
    for (size_t i = 0; i < names->count; i++) {
        folders += str_starts_with(str_from(names->names[i]), STR(SHARD_FOLDER_PREFIX));
        *count += *count < LAYOUT_SHARDS_MAX && is_shard_folder(names->names[i], *count);
    }
    if (folders == 0)
        return error_set(err, STATUS_NOT_FOUND, "there are no folders of shards");
    if (*count == folders)
        return STATUS_OK;
    return error_set(err, STATUS_CORRUPT, "of %zu folders of shards %u are numbered from 0 on",
                     folders, *count);
}

static enum status derive(struct disk *disk, struct layout *out, struct error *err)
{
    struct name_list names;
    TRY(disk_list(disk, "", &names, err));
    *out = (struct layout){0};
    enum status status = count_shards(&names, &out->shard_count, err);
    name_list_deinit(&names);
    for (uint32_t i = 0; status == STATUS_OK && i < out->shard_count; i++)
        status = check_shard(disk, i, err);
    return status;
}

/* What the file says, or the folders; then `why`, which is empty else, says why not the file. */
static enum status find(struct disk *disk, struct layout *out, struct error *why, struct error *err)
{
    enum status status = layout_read(disk, out, why);
    if (status != STATUS_NOT_FOUND && status != STATUS_CORRUPT)
        return status == STATUS_OK ? status : error_set(err, status, "%s", why->text);
    struct error unclear;
    enum status derived = derive(disk, out, &unclear);
    if (derived == STATUS_OK)
        return STATUS_OK;
    if (derived == STATUS_IO)
        return error_set(err, derived, "%s", unclear.text);
    if (derived == STATUS_NOT_FOUND && status == STATUS_NOT_FOUND)
        return error_set(err, status, "%s", why->text);
    return error_set(
        err, STATUS_CORRUPT,
        "%s; and %s: put the file and all folders back from a backup, or move them away "
        "to begin anew",
        why->text, unclear.text);
}

enum status layout_find(struct disk *disk, struct layout *out, struct error *err)
{
    struct error why = {0};
    return find(disk, out, &why, err);
}

static enum status put_aside(struct disk *disk, struct error *err)
{
    enum status status = disk_rename(disk, LAYOUT_FILE, LAYOUT_FILE DAMAGED_SUFFIX, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status layout_open(struct disk *disk, const struct layout *fresh, struct layout *out,
                        struct error *err)
{
    struct error why = {0};
    enum status status = find(disk, out, &why, err);
    if (status == STATUS_NOT_FOUND) {
        *out = *fresh;
        return layout_write(disk, fresh, err);
    }
    if (status != STATUS_OK || why.text[0] == '\0')
        return status;
    log_error("%s; written anew for the %u folders of shards that are there", why.text,
              out->shard_count);
    TRY(put_aside(disk, err));
    return layout_write(disk, out, err);
}

enum status layout_write(struct disk *disk, const struct layout *layout, struct error *err)
{
    struct buffer data;
    buffer_init(&data, LAYOUT_SIZE_BYTES);
    layout_encode(&data, layout);
    enum status status = whole_file_replace(disk, "", LAYOUT_FILE, buffer_bytes(&data), err);
    buffer_deinit(&data);
    return status;
}
