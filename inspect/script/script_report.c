#include "inspect/script/script_report.h"

#include <stdarg.h>

void script_fail(struct script_report *report, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(report->out, "%s:%zu: ", report->path, report->line);
    vfprintf(report->out, format, args);
    fputc('\n', report->out);
    va_end(args);
    report->failure_count++;
}

void script_explain(struct script_report *report, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("    ", report->out);
    vfprintf(report->out, format, args);
    fputc('\n', report->out);
    va_end(args);
}

struct script_labels_text script_labels_text(struct labels labels)
{
    struct script_labels_text shown;
    struct buffer text;
    buffer_init(&text, sizeof shown.text);
    labels_print(&text, labels, sizeof shown.text - 8);
    snprintf(shown.text, sizeof shown.text, "%.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return shown;
}
