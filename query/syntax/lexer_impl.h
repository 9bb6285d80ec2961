/*
 * lexer_impl: how the files of the lexer look at the text, and the tokens that have a
 * file of their own.
 */
#ifndef CROFT_QUERY_LEXER_IMPL_H
#define CROFT_QUERY_LEXER_IMPL_H

#include "base/words.h"
#include "query/syntax/lexer.h"

enum { RUNE_LEN_MAX = 4 }; /* bytes */

/* Bytes as the lexer sees them; END_OF_TEXT behind the last one. */
enum { END_OF_TEXT = -1 };

static inline int peek_at(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->text.len ? (uint8_t)lexer->text.ptr[at] : END_OF_TEXT;
}

static inline int peek(const struct lexer *lexer)
{
    return peek_at(lexer, 0);
}

static inline bool is_one_of(int c, const char *set)
{
    return c > 0 && strchr(set, c) != NULL;
}

static inline bool accept(struct lexer *lexer, const char *set)
{
    bool is_accepted = is_one_of(peek(lexer), set);
    lexer->at += is_accepted;
    return is_accepted;
}

static inline bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool is_word_byte(int c)
{
    return is_letter(c) || is_digit(c);
}

static inline struct token token_from(const struct lexer *lexer, enum token_kind kind, size_t start)
{
    return (struct token){kind, {(uint32_t)start, (uint32_t)lexer->at}};
}

/* What went wrong is written once; the token that says so points at `start`. */
static inline struct token error_token(const struct lexer *lexer, size_t start)
{
    return token_from(lexer, TOKEN_ERROR, start);
}

static inline bool refuse(struct lexer *lexer, const char *reason)
{
    error_set(lexer->err, STATUS_INVALID, "%s", reason);
    return false;
}

/* A number or a duration; whether it has a value is for the parser to say. */
struct token lex_number_or_duration(struct lexer *lexer);
/* The next byte is the quote. What is a TOKEN_STRING, literal_unquote (literal.h) trusts. */
struct token lex_string(struct lexer *lexer);

#endif
