#include "query/syntax/lexer_impl.h"

#include "base/number.h"
#include "tsdb/model/quote.h"

enum { RUNE_MAX = 0x10ffff };

static bool refuse_rune(struct lexer *lexer, const char *before, const char *behind)
{
    struct buffer name;
    buffer_init(&name, ERROR_TEXT_MAX);
    append_rune_name(&name, str_slice(lexer->text, lexer->at, RUNE_LEN_MAX));
    error_set(lexer->err, STATUS_INVALID, "%s %.*s%s", before, STR_ARG(buffer_str(&name)), behind);
    buffer_deinit(&name);
    return false;
}

struct escape {
    unsigned digit_count;
    int base;
    uint32_t max;
};

/* False when the letter behind the backslash starts no number. */
static bool numeric_escape(int letter, struct escape *out)
{
    switch (letter) {
    case 'x':
        *out = (struct escape){2, 16, 0xff};
        return true;
    case 'u':
        *out = (struct escape){4, 16, RUNE_MAX};
        return true;
    case 'U':
        *out = (struct escape){8, 16, RUNE_MAX};
        return true;
    default:
        *out = (struct escape){3, 8, 0xff};
        return letter >= '0' && letter <= '7';
    }
}

static bool scan_escape_digits(struct lexer *lexer, struct escape escape)
{
    uint64_t rune = 0;
    for (unsigned i = 0; i < escape.digit_count; i++) {
        if (peek(lexer) == END_OF_TEXT)
            return refuse(lexer, "escape sequence not terminated");
        int value = digit_value(peek(lexer));
        if (value >= escape.base)
            return refuse_rune(lexer, "illegal character", " in escape sequence");
        rune = rune * (unsigned)escape.base + (unsigned)value;
        lexer->at++;
    }
    bool is_surrogate = rune >= 0xd800 && rune < 0xe000;
    if (rune > escape.max || is_surrogate)
        return refuse(lexer, "escape sequence is an invalid Unicode code point");
    return true;
}

/* The backslash has been taken. */
static bool scan_escape(struct lexer *lexer, int quote)
{
    int letter = peek(lexer);
    struct escape escape;
    if (letter == END_OF_TEXT)
        return refuse(lexer, "escape sequence not terminated");
    if (letter == quote || is_one_of(letter, "abfnrtv\\")) {
        lexer->at++;
        return true;
    }
    if (!numeric_escape(letter, &escape))
        return refuse_rune(lexer, "unknown escape sequence", "");
    lexer->at += escape.base == 16;
    return scan_escape_digits(lexer, escape);
}

/* A character above ASCII. */
static bool scan_rune(struct lexer *lexer)
{
    int lead = peek(lexer);
    size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    struct str rune = str_slice(lexer->text, lexer->at, len);
    if (rune.len < len || !str_is_utf8(rune))
        return refuse(lexer, "invalid UTF-8 rune");
    lexer->at += len;
    return true;
}

static bool scan_string_character(struct lexer *lexer, int quote)
{
    int c = peek(lexer);
    if (c == END_OF_TEXT)
        return refuse(lexer,
                      quote == '`' ? "unterminated raw string" : "unterminated quoted string");
    if (c >= 0x80)
        return scan_rune(lexer);
    if (c == '\n' && quote != '`')
        return refuse(lexer, "unterminated quoted string");
    lexer->at++;
    return c != '\\' || quote == '`' || scan_escape(lexer, quote);
}

struct token lex_string(struct lexer *lexer)
{
    size_t start = lexer->at;
    int quote = peek(lexer);
    lexer->at++;
    while (peek(lexer) != quote)
        if (!scan_string_character(lexer, quote))
            return error_token(lexer, start);
    lexer->at++;
    return token_from(lexer, TOKEN_STRING, start);
}
