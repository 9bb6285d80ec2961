#include "query/syntax/lexer.h"

#include <strings.h>

#include "base/number.h"
#include "query/syntax/duration.h"
#include "tsdb/model/quote.h"

void lexer_init(struct lexer *lexer, struct str text, struct error *err)
{
    *lexer = (struct lexer){.text = text, .err = err};
}

enum { RUNE_MAX = 0x10ffff, RUNE_LEN_MAX = 4 };

/* Bytes as the lexer sees them; END_OF_TEXT behind the last one. */
enum { END_OF_TEXT = -1 };

static int peek_at(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->text.len ? (uint8_t)lexer->text.ptr[at] : END_OF_TEXT;
}

static int peek(const struct lexer *lexer)
{
    return peek_at(lexer, 0);
}

static bool is_one_of(int c, const char *set)
{
    return c > 0 && strchr(set, c) != NULL;
}

static bool accept(struct lexer *lexer, const char *set)
{
    bool is_accepted = is_one_of(peek(lexer), set);
    lexer->at += is_accepted;
    return is_accepted;
}

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word_byte(int c)
{
    return is_letter(c) || is_digit(c);
}

static struct token token_from(const struct lexer *lexer, enum token_kind kind, size_t start)
{
    return (struct token){kind, {(uint32_t)start, (uint32_t)lexer->at}};
}

/* What went wrong is written once; the token that says so points at `start`. */
static struct token error_token(const struct lexer *lexer, size_t start)
{
    return token_from(lexer, TOKEN_ERROR, start);
}

static bool refuse(struct lexer *lexer, const char *reason)
{
    error_set(lexer->err, STATUS_INVALID, "%s", reason);
    return false;
}

static struct token fail(struct lexer *lexer, size_t start, const char *reason)
{
    refuse(lexer, reason);
    return error_token(lexer, start);
}

/* `what`, then the character at `at` in single quotes. */
static struct token fail_character(struct lexer *lexer, size_t start, size_t at, const char *what)
{
    struct buffer quoted;
    buffer_init(&quoted, ERROR_TEXT_MAX);
    append_quoted_rune(&quoted, str_slice(lexer->text, at, RUNE_LEN_MAX));
    error_set(lexer->err, STATUS_INVALID, "%s %.*s", what, STR_ARG(buffer_str(&quoted)));
    buffer_deinit(&quoted);
    return error_token(lexer, start);
}

/* A word within brackets that means nothing there. */
static struct token fail_expected_colon(struct lexer *lexer)
{
    struct token token = fail_character(lexer, lexer->at, lexer->at, "unexpected character:");
    struct error seen = *lexer->err;
    error_set(lexer->err, STATUS_INVALID, "%s, expected ':'", seen.text);
    return token;
}

/* Numbers and durations. A number is [digits._eE]* with rules about neighbours; a duration begins
   like a number and goes on with units. Whether either has a value is for the parser to say. */

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

static struct token lex_number_or_duration(struct lexer *lexer)
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

/* Strings. The lexer checks what literal_unquote (query/syntax/literal.h) then trusts. */

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

static struct token lex_string(struct lexer *lexer)
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

/* Words. */

static bool equals_ignoring_case(struct str word, const char *lower)
{
    return strlen(lower) == word.len && strncasecmp(word.ptr, lower, word.len) == 0;
}

static enum token_kind word_kind(struct str word)
{
    for (enum token_kind kind = TOKEN_ADD; kind <= TOKEN_STOP; kind++)
        if (equals_ignoring_case(word, token_kind_text(kind)))
            return kind;
    if (equals_ignoring_case(word, "inf") || equals_ignoring_case(word, "nan"))
        return TOKEN_NUMBER;
    bool has_colon = str_find(word, ':', 0) < word.len;
    return has_colon ? TOKEN_METRIC_IDENTIFIER : TOKEN_IDENTIFIER;
}

static struct token lex_word(struct lexer *lexer)
{
    size_t start = lexer->at;
    while (is_word_byte(peek(lexer)) || peek(lexer) == ':')
        lexer->at++;
    struct token token = token_from(lexer, TOKEN_IDENTIFIER, start);
    token.kind = word_kind(token_text(lexer, token));
    return token;
}

static struct token lex_label_name(struct lexer *lexer)
{
    size_t start = lexer->at;
    while (is_word_byte(peek(lexer)))
        lexer->at++;
    return token_from(lexer, TOKEN_IDENTIFIER, start);
}

/* Everything else. */

static struct token take(struct lexer *lexer, enum token_kind kind)
{
    size_t start = lexer->at;
    lexer->at += strlen(token_kind_text(kind));
    return token_from(lexer, kind, start);
}

static void skip_blanks_and_comments(struct lexer *lexer)
{
    for (;;) {
        while (is_space(peek(lexer)))
            lexer->at++;
        if (peek(lexer) != '#')
            return;
        while (peek(lexer) != END_OF_TEXT && peek(lexer) != '\n' && peek(lexer) != '\r')
            lexer->at++;
    }
}

static struct token lex_negation_inside_braces(struct lexer *lexer)
{
    size_t start = lexer->at;
    if (peek_at(lexer, 1) == '~')
        return take(lexer, TOKEN_NEQ_REGEX);
    if (peek_at(lexer, 1) == '=')
        return take(lexer, TOKEN_NEQ);
    return fail_character(lexer, start, start + 1, "unexpected character after '!' inside braces:");
}

static struct token lex_inside_braces(struct lexer *lexer)
{
    size_t start = lexer->at;
    int c = peek(lexer);
    if (is_letter(c))
        return lex_label_name(lexer);
    switch (c) {
    case END_OF_TEXT:
        return fail(lexer, start, "unexpected end of input inside braces");
    case '"':
    case '\'':
    case '`':
        return lex_string(lexer);
    case ',':
        return take(lexer, TOKEN_COMMA);
    case '=':
        return take(lexer, peek_at(lexer, 1) == '~' ? TOKEN_EQL_REGEX : TOKEN_EQL);
    case '!':
        return lex_negation_inside_braces(lexer);
    case '{':
        return fail_character(lexer, start, start, "unexpected left brace");
    case '}':
        lexer->is_brace_open = false;
        return take(lexer, TOKEN_RIGHT_BRACE);
    default:
        return fail_character(lexer, start, start, "unexpected character inside braces:");
    }
}

static struct token lex_end(struct lexer *lexer)
{
    if (lexer->paren_depth > 0)
        return fail(lexer, lexer->at, "unclosed left parenthesis");
    if (lexer->is_bracket_open)
        return fail(lexer, lexer->at, "unclosed left bracket");
    return token_from(lexer, TOKEN_END, lexer->at);
}

static struct token lex_right_paren(struct lexer *lexer)
{
    if (lexer->paren_depth == 0) {
        lexer->at++; /* Prometheus points behind this one */
        return fail(lexer, lexer->at, "unexpected right parenthesis ')'");
    }
    lexer->paren_depth--;
    return take(lexer, TOKEN_RIGHT_PAREN);
}

static struct token lex_left_bracket(struct lexer *lexer)
{
    if (lexer->is_bracket_open)
        return fail(lexer, lexer->at, "unexpected left bracket '['");
    lexer->is_bracket_open = true;
    lexer->is_at_duration = true;
    lexer->has_colon = false;
    return take(lexer, TOKEN_LEFT_BRACKET);
}

static struct token lex_right_bracket(struct lexer *lexer)
{
    if (!lexer->is_bracket_open)
        return fail(lexer, lexer->at, "unexpected right bracket ']'");
    lexer->is_bracket_open = false;
    return take(lexer, TOKEN_RIGHT_BRACKET);
}

/* The colon of a subquery. */
static struct token lex_colon(struct lexer *lexer)
{
    if (lexer->has_colon)
        return fail(lexer, lexer->at, "unexpected colon ':'");
    lexer->has_colon = true;
    return take(lexer, TOKEN_COLON);
}

/* step, range, min_of or max_of within brackets; false and nothing taken for any other word. */
static bool take_duration_word(struct lexer *lexer, struct token *out)
{
    size_t start = lexer->at;
    while (is_letter(peek(lexer)) || is_digit(peek(lexer)))
        lexer->at++;
    if (duration_word(str_slice(lexer->text, start, lexer->at - start)) != DURATION_LITERAL) {
        *out = token_from(lexer, TOKEN_IDENTIFIER, start);
        return true;
    }
    lexer->at = start;
    return false;
}

/* A letter or a colon: within brackets a colon or a word of durations, elsewhere any word. */
static struct token lex_letter(struct lexer *lexer)
{
    struct token token;
    if (!lexer->is_bracket_open)
        return lex_word(lexer);
    if (peek(lexer) == ':')
        return lex_colon(lexer);
    if (take_duration_word(lexer, &token))
        return token;
    return fail_expected_colon(lexer);
}

static struct token lex_comparison(struct lexer *lexer)
{
    size_t start = lexer->at;
    int next = peek_at(lexer, 1);
    switch (peek(lexer)) {
    case '=':
        if (next == '~')
            return fail_character(lexer, start, start + 1, "unexpected character after '=':");
        return take(lexer, next == '=' ? TOKEN_EQLC : TOKEN_EQL);
    case '!':
        if (next != '=')
            return fail_character(lexer, start, start + 1, "unexpected character after '!':");
        return take(lexer, TOKEN_NEQ);
    case '<':
        return take(lexer, next == '=' ? TOKEN_LTE : TOKEN_LSS);
    default:
        return take(lexer, next == '=' ? TOKEN_GTE : TOKEN_GTR);
    }
}

static struct token lex_punctuation(struct lexer *lexer)
{
    switch (peek(lexer)) {
    case END_OF_TEXT:
        return lex_end(lexer);
    case '(':
        lexer->paren_depth++;
        return take(lexer, TOKEN_LEFT_PAREN);
    case ')':
        return lex_right_paren(lexer);
    case '{':
        lexer->is_brace_open = true;
        return take(lexer, TOKEN_LEFT_BRACE);
    case '[':
        return lex_left_bracket(lexer);
    case ']':
        return lex_right_bracket(lexer);
    case ',':
        return take(lexer, TOKEN_COMMA);
    case '@':
        return take(lexer, TOKEN_AT);
    case '+':
        return take(lexer, TOKEN_ADD);
    case '-':
        return take(lexer, TOKEN_SUB);
    case '*':
        return take(lexer, TOKEN_MUL);
    case '/':
        return take(lexer, TOKEN_DIV);
    case '%':
        return take(lexer, TOKEN_MOD);
    case '^':
        return take(lexer, TOKEN_POW);
    default:
        return fail_character(lexer, lexer->at, lexer->at, "unexpected character:");
    }
}

static struct token lex_outside_braces(struct lexer *lexer)
{
    int c = peek(lexer);
    if (is_digit(c) || (c == '.' && is_digit(peek_at(lexer, 1))))
        return lex_number_or_duration(lexer);
    if (is_letter(c) || c == ':')
        return lex_letter(lexer);
    if (is_one_of(c, "\"'`"))
        return lex_string(lexer);
    if (is_one_of(c, "=!<>"))
        return lex_comparison(lexer);
    return lex_punctuation(lexer);
}

/* Before the first number in brackets only arithmetic is understood. */
static struct token lex_at_duration(struct lexer *lexer)
{
    int c = peek(lexer);
    struct token token;
    if (is_digit(c) || (c == '.' && is_digit(peek_at(lexer, 1)))) {
        lexer->is_at_duration = false;
        return lex_number_or_duration(lexer);
    }
    if (is_letter(c) && take_duration_word(lexer, &token))
        return token;
    if (c == ':') /* Prometheus points behind this one, too */
        return fail(lexer, lexer->at + 1,
                    "unexpected colon before duration in duration expression");
    if (c == END_OF_TEXT)
        return fail(lexer, lexer->at, "unexpected end of input in duration expression");
    if (is_one_of(c, "()],+-*/%^"))
        return lex_punctuation(lexer);
    return fail_character(lexer, lexer->at, lexer->at,
                          "unexpected character in duration expression:");
}

struct token lexer_next(struct lexer *lexer)
{
    skip_blanks_and_comments(lexer);
    if (lexer->is_bracket_open && lexer->is_at_duration)
        return lex_at_duration(lexer);
    return lexer->is_brace_open ? lex_inside_braces(lexer) : lex_outside_braces(lexer);
}
