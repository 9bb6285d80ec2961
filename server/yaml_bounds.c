#include "server/yaml_bounds.h"

struct tally {
    size_t documents;
    size_t depth;
    size_t anchors;
    size_t nodes;
};

static void count_event(struct tally *tally, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        tally->documents++;
        break;
    case YAML_SCALAR_EVENT:
        tally->nodes++;
        tally->anchors += event->data.scalar.anchor != NULL;
        break;
    case YAML_SEQUENCE_START_EVENT:
        tally->nodes++;
        tally->depth++;
        tally->anchors += event->data.sequence_start.anchor != NULL;
        break;
    case YAML_MAPPING_START_EVENT:
        tally->nodes++;
        tally->depth++;
        tally->anchors += event->data.mapping_start.anchor != NULL;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        tally->depth--;
        break;
    case YAML_ALIAS_EVENT: /* costs no more than its text */
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

static enum status check_tally(const struct tally *tally, const char *name, size_t line,
                               struct error *err)
{
    const struct {
        size_t got, max;
        const char *what;
    } bounds[] = {
        {tally->documents, 1, "documents"},
        {tally->depth, YAML_DEPTH_MAX, "nested lists and mappings"},
        {tally->anchors, YAML_ANCHORS_MAX, "anchors"},
        {tally->nodes, YAML_NODES_MAX, "values"},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (bounds[i].got > bounds[i].max)
            return error_set(err, STATUS_INVALID, "%s:%zu: more than %zu %s", name, line,
                             bounds[i].max, bounds[i].what);
    }
    return STATUS_OK;
}

static enum status check_events(yaml_parser_t *parser, const char *name, struct error *err)
{
    struct tally tally = {0};
    yaml_event_type_t type = YAML_NO_EVENT;
    while (type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return error_set(err, STATUS_INVALID, "%s:%zu: not valid YAML: %s", name,
                             parser->problem_mark.line + 1,
                             parser->problem == NULL ? "unknown" : parser->problem);
        count_event(&tally, &event);
        type = event.type;
        size_t line = event.start_mark.line + 1;
        yaml_event_delete(&event);
        TRY(check_tally(&tally, name, line, err));
    }
    return STATUS_OK;
}

enum status yaml_open(yaml_parser_t *parser, struct str text, const char *name, struct error *err)
{
    if (!yaml_parser_initialize(parser))
        return error_set(err, STATUS_IO, "%s: no memory for the YAML parser", name);
    /* libyaml aborts on no place to read from, which is what a buffer that never held a byte has */
    const char *start = text.len == 0 ? "" : text.ptr;
    yaml_parser_set_input_string(parser, (const unsigned char *)start, text.len);
    return STATUS_OK;
}

enum status yaml_bounds_check(struct str text, const char *name, struct error *err)
{
    yaml_parser_t parser;
    TRY(yaml_open(&parser, text, name, err));
    enum status status = check_events(&parser, name, err);
    yaml_parser_delete(&parser);
    return status;
}
