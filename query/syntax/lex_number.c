/*
 * A number is [digits._eE]* with rules about neighbours; a duration begins like a number and
 * goes on with units.
 */
#include "query/syntax/lexer_impl.h"

#include "tsdb/model/quote.h"

static bool accept_hex_prefix(struct lexer *lexer)
{
    if (peek(lexer) != '0' || !is_one_of(peek_at(lexer, 1), "xX"))
        return false;
    lexer->at += 2;
    accept(lexer, "_");
    return true;
}

struct number_scan {
    bool is_hex;
    bool has_dot;
    bool has_exponent;
};

/* Takes one byte of a number; false when a number cannot hold it here. */
static bool accept_number_byte(struct lexer *lexer, struct number_scan *scan)
{
    int c = peek(lexer);
    lexer->at++;
    if (c == '.') {
        bool is_second = scan->has_dot;
        scan->has_dot = true;
        return !is_second && !scan->is_hex && !accept(lexer, "_.");
    }
    if (c == '_')
        return !accept(lexer, "._eE") && peek(lexer) != END_OF_TEXT;
    if (is_one_of(c, "eE") && !scan->is_hex) {
        bool is_second = scan->has_exponent;
        scan->has_exponent = true;
        accept(lexer, "+-");
        return !is_second && !accept(lexer, "._eE") && peek(lexer) != END_OF_TEXT;
    }
    return true;
}

static bool scan_number(struct lexer *lexer)
{
    struct number_scan scan = {.is_hex = accept_hex_prefix(lexer)};
    const char *set = scan.is_hex ? "0123456789abcdefABCDEF._" : "0123456789._eE";
    while (is_one_of(peek(lexer), set))
        if (!accept_number_byte(lexer, &scan))
            return false;
    return !is_word_byte(peek(lexer));
}

/* A year comes first or not at all, hence the second set of units. */
static bool scan_units(struct lexer *lexer)
{
    if (!accept(lexer, "smhdwy"))
        return false;
    accept(lexer, "s"); /* of ms */
    while (is_digit(peek(lexer))) {
        while (is_digit(peek(lexer)))
            lexer->at++;
        if (!accept(lexer, "smhdw"))
            return false;
        accept(lexer, "s");
    }
    if (!is_word_byte(peek(lexer)))
        return true;
    lexer->at++;
    return false;
}

static struct token fail_number(struct lexer *lexer, size_t start)
{
    struct buffer quoted;
    buffer_init(&quoted, ERROR_TEXT_MAX);
    append_quoted(&quoted, str_slice(lexer->text, start, lexer->at - start));
    error_set(lexer->err, STATUS_INVALID, "bad number or duration syntax: %.*s",
              STR_ARG(buffer_str(&quoted)));
    buffer_deinit(&quoted);
    return error_token(lexer, start);
}

struct token lex_number_or_duration(struct lexer *lexer)
{
    size_t start = lexer->at;
    if (is_digit(peek(lexer)) || peek(lexer) == '.') {
        if (scan_number(lexer))
            return token_from(lexer, TOKEN_NUMBER, start);
        if (scan_units(lexer))
            return token_from(lexer, TOKEN_DURATION, start);
    }
    return fail_number(lexer, start);
}
