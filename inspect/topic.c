#include "inspect/topic.h"

#include "tsdb/files/filenames.h"

bool topic_covers_shard(const struct topic *topic, uint32_t shard)
{
    return !topic->inspection->has_shard || topic->inspection->shard == shard;
}

bool topic_covers_tenant(const struct topic *topic, struct str tenant)
{
    struct str wanted = topic->inspection->tenant;
    return wanted.len == 0 || str_eq(wanted, tenant);
}

enum status topic_pass_damage(struct topic *topic, enum status status, struct error *err)
{
    if (status == STATUS_CORRUPT) {
        topic->wrong++;
        fprintf(topic_out(topic), "damaged: %s\n", err->text);
        return STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

typedef enum status block_visit(struct topic *, void *, struct block *, struct error *);

static enum status visit_block(struct topic *topic, const char *path, block_visit *visit,
                               void *context, struct error *err)
{
    struct block *block;
    TRY(block_open(topic->inspection->disk, path, &block, err));
    enum status status = visit(topic, context, block, err);
    block_release(block);
    return status;
}

static enum status each_block_of(struct topic *topic, const struct shard_files *files,
                                 block_visit *visit, void *context, struct error *err)
{
    for (size_t i = 0; i < files->blocks.count; i++) {
        char path[DISK_PATH_MAX];
        uint64_t sequence;
        if (!block_name_parse(str_from(files->blocks.names[i]), &sequence))
            continue;
        shard_file_path(path, files->shard, BLOCKS_FOLDER, files->blocks.names[i]);
        enum status status = visit_block(topic, path, visit, context, err);
        TRY(topic_pass_damage(topic, status, err));
    }
    return STATUS_OK;
}

static enum status each_block_in(struct topic *topic, uint32_t shard, block_visit *visit,
                                 void *context, struct error *err)
{
    struct shard_files files;
    TRY(shard_files_list(&files, topic->inspection->disk, shard, err));
    enum status status = each_block_of(topic, &files, visit, context, err);
    shard_files_deinit(&files);
    return status;
}

enum status topic_each_block(struct topic *topic, block_visit *visit, void *context,
                             struct error *err)
{
    for (uint32_t shard = 0; shard < topic->shard_count; shard++) {
        if (topic_covers_shard(topic, shard))
            TRY(each_block_in(topic, shard, visit, context, err));
    }
    return STATUS_OK;
}

struct section_visit {
    enum status (*visit)(struct topic *, void *, struct block *, size_t, struct error *);
    void *context;
};

static enum status visit_sections(struct topic *topic, void *context, struct block *block,
                                  struct error *err)
{
    const struct section_visit *section = context;
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        if (!topic_covers_tenant(topic, block_tenant(block, i)))
            continue;
        enum status status = section->visit(topic, section->context, block, i, err);
        TRY(topic_pass_damage(topic, status, err));
    }
    return STATUS_OK;
}

enum status topic_each_section(struct topic *topic,
                               enum status (*visit)(struct topic *, void *, struct block *, size_t,
                                                    struct error *),
                               void *context, struct error *err)
{
    struct section_visit section = {visit, context};
    return topic_each_block(topic, visit_sections, &section, err);
}

static enum status note_covered(struct topic *topic, void *context, struct block *block,
                                struct error *err)
{
    (void)topic, (void)err;
    uint32_t *covered = context, epoch = block_meta(block)->covered_epoch;
    if (epoch > *covered)
        *covered = epoch;
    return STATUS_OK;
}

enum status topic_covered_epoch(struct topic *topic, uint32_t shard, uint32_t *out,
                                struct error *err)
{
    *out = 0;
    return each_block_in(topic, shard, note_covered, out, err);
}
