/*
 * lexer: PromQL text to tokens, one at a time, byte by byte.
 *
 * What a byte means depends on where it stands: words inside braces are never keywords, and behind
 * '[' only the arithmetic of durations may follow. Comments and blanks are skipped.
 *
 * Ownership:  the text is kept by the lexer; tokens are positions in it.
 * Limits:     the text is shorter than 4 GiB; the lexer itself allocates nothing.
 */
#ifndef CROFT_QUERY_LEXER_H
#define CROFT_QUERY_LEXER_H

#include "query/syntax/token.h"

struct lexer {
    struct str text;
    size_t at; /* offset of the next byte to read */
    size_t paren_depth;
    bool is_brace_open;
    bool is_bracket_open;
    bool is_at_duration; /* behind it, before a number */
    bool has_colon;      /* behind the open bracket */
    struct error *err;
};

/* `err` is kept: it holds the reason once a TOKEN_ERROR was returned. */
void lexer_init(struct lexer *lexer, struct str text, struct error *err);
/* TOKEN_END once the text is used up. Nothing may be asked for behind a TOKEN_ERROR. */
struct token lexer_next(struct lexer *lexer);

static inline struct str token_text(const struct lexer *lexer, struct token token)
{
    return str_slice(lexer->text, token.position.start, token.position.end - token.position.start);
}

#endif
