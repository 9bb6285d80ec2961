#include "inspect/script/script.h"

#include <errno.h>

#include "inspect/line_reader.h"
#include "inspect/script/script_check.h"
#include "inspect/script/script_store.h"
#include "inspect/script/script_text.h"

enum { LOOKBACK_MS = 5 * 60 * 1000, STEP_MS = 60 * 1000, SAMPLES_MAX = 50000000 };

#define QUERY_MEMORY_MAX ((size_t)1 << 30)

struct script {
    const struct script_options *options;
    struct script_report report;
    struct script_store store;
    struct engine engine;
    struct line_reader reader;
    struct arena arena; /* of one command */
};

/* ---- lines ---- */

/* A line without the space around it, in the arena; empty for a comment. False behind the last. */
static enum status next_line(struct script *script, struct str *line, bool *has_line,
                             struct error *err)
{
    TRY(line_reader_next(&script->reader, line, has_line, err));
    *line = script_trim(*line);
    if (line->len > 0 && line->ptr[0] == '#')
        *line = STR("");
    *line = arena_copy(&script->arena, *line);
    return STATUS_OK;
}

/* The next line of a block; false at its end. */
static enum status next_in_block(struct script *script, struct str *line, bool *has_line,
                                 struct error *err)
{
    TRY(next_line(script, line, has_line, err));
    *has_line = *has_line && line->len > 0;
    return STATUS_OK;
}

static enum status skip_block(struct script *script, struct error *err)
{
    struct str line;
    bool has_line = true;
    while (has_line)
        TRY(next_in_block(script, &line, &has_line, err));
    return STATUS_OK;
}

/* ---- commands ---- */

static enum status open_store(struct script *script, struct error *err)
{
    TRY(script_store_init(&script->store, err));
    script->engine.store = script->store.store;
    return STATUS_OK;
}

/* What a load has read so far, in the arena. */
struct loading {
    struct loaded {
        struct script_series series;
        size_t line;
    } * ptr;
    size_t count;
    size_t capacity;
};

/* A later line takes the place of an earlier one of the same series. */
static struct loaded *place_of(struct loading *loading, struct labels labels, struct arena *arena)
{
    for (size_t i = 0; i < loading->count; i++) {
        if (labels_eq(loading->ptr[i].series.labels, labels))
            return &loading->ptr[i];
    }
    if (loading->count == loading->capacity) {
        loading->capacity = loading->capacity * 2 + 16;
        struct loaded *grown = arena_alloc(arena, loading->capacity * sizeof *grown);
        for (size_t i = 0; i < loading->count; i++)
            grown[i] = loading->ptr[i];
        loading->ptr = grown;
    }
    return &loading->ptr[loading->count++];
}

static enum status read_series(struct script *script, struct loading *loading, struct error *err)
{
    struct str line;
    struct error wrong;
    bool has_line;
    for (;;) {
        TRY(next_in_block(script, &line, &has_line, err));
        if (!has_line)
            return STATUS_OK;
        struct script_series series;
        script->report.line = script->reader.number;
        if (script_series_parse(line, &script->arena, &series, &wrong) == STATUS_OK)
            *place_of(loading, series.labels, &script->arena) =
                (struct loaded){series, script->report.line};
        else
            script_fail(&script->report, "%s", wrong.text);
    }
}

static enum status run_load(struct script *script, struct str rest, struct error *err)
{
    int64_t interval_ms;
    struct error wrong;
    struct loading loading = {0};
    if (!script_time_ms(rest, &interval_ms) || interval_ms <= 0) {
        script_fail(&script->report, "load: got interval \"%.*s\", want a duration", STR_ARG(rest));
        return skip_block(script, err);
    }
    TRY(read_series(script, &loading, err));
    for (size_t i = 0; i < loading.count; i++) {
        script->report.line = loading.ptr[i].line;
        if (script_store_load(&script->store, &loading.ptr[i].series, interval_ms, &wrong) !=
            STATUS_OK)
            script_fail(&script->report, "%s", wrong.text);
    }
    return STATUS_OK;
}

static enum status run_eval(struct script *script, struct str word, struct str rest,
                            struct error *err)
{
    struct error wrong;
    struct str line;
    bool has_line = true;
    struct script_eval *eval = arena_alloc(&script->arena, sizeof *eval);
    enum status status = script_eval_begin(eval, word, rest, &wrong);
    for (;;) {
        TRY(next_in_block(script, &line, &has_line, err));
        if (!has_line)
            break;
        if (status == STATUS_OK)
            status = script_eval_expect(eval, line, &script->arena, &wrong);
    }
    if (status == STATUS_OK)
        script_check(eval, &script->engine, script->options->tolerance, &script->arena,
                     &script->report);
    else
        script_fail(&script->report, "%s", wrong.text);
    return STATUS_OK;
}

static enum status run_clear(struct script *script, struct error *err)
{
    script_store_deinit(&script->store);
    return open_store(script, err);
}

static enum status run_command(struct script *script, struct str line, struct error *err)
{
    struct str word = script_take_word(&line);
    if (str_eq(word, STR("load")))
        return run_load(script, line, err);
    if (str_eq(word, STR("clear")))
        return run_clear(script, err);
    if (str_eq(word, STR("eval")) || str_starts_with(word, STR("eval_")))
        return run_eval(script, word, line, err);
    if (str_eq(word, STR("load_with_nhcb")))
        script_fail(&script->report, "load_with_nhcb: native histograms are not supported");
    else
        script_fail(&script->report, "got command %.*s, want load, eval or clear", STR_ARG(word));
    return skip_block(script, err);
}

/* ---- the whole ---- */

static enum status run_lines(struct script *script, struct error *err)
{
    struct str line;
    bool has_line = true;
    for (;;) {
        TRY(next_line(script, &line, &has_line, err));
        if (!has_line)
            return STATUS_OK;
        script->report.line = script->reader.number;
        if (line.len > 0)
            TRY(run_command(script, line, err));
        arena_reset(&script->arena);
    }
}

static enum status run_file(struct script *script, struct error *err)
{
    script->engine = (struct engine){.clock = clock_real(),
                                     .lookback_ms = LOOKBACK_MS,
                                     .default_step_ms = STEP_MS,
                                     .samples_max = SAMPLES_MAX,
                                     .memory_max_bytes = QUERY_MEMORY_MAX,
                                     .allows_experimental = true};
    TRY(open_store(script, err));
    enum status status = run_lines(script, err);
    script_store_deinit(&script->store);
    return status;
}

enum status script_run(const char *path, const struct script_options *options,
                       struct script_result *result, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(err, STATUS_IO, "%s: %s", path, strerrordesc_np(errno));
    struct script script = {.options = options, .report = {.out = options->out, .path = path}};
    line_reader_init(&script.reader, file);
    arena_init(&script.arena, SIZE_MAX);
    enum status status = run_file(&script, err);
    if (status != STATUS_OK)
        status = error_prefix(err, status, "%s", path);
    result->query_count += script.report.query_count;
    result->failure_count += script.report.failure_count;
    arena_deinit(&script.arena);
    line_reader_deinit(&script.reader);
    fclose(file);
    return status;
}
