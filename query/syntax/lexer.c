#include "query/syntax/lexer.h"

#include "query/syntax/duration.h"
#include "query/syntax/lexer_impl.h"
#include "tsdb/model/quote.h"

void lexer_init(struct lexer *lexer, struct str text, struct error *err)
{
    *lexer = (struct lexer){.text = text, .err = err};
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

/* Words. */

static enum token_kind word_kind(struct str word)
{
    for (enum token_kind kind = TOKEN_ADD; kind <= TOKEN_STOP; kind++)
        if (str_eq_caseless(word, str_from(token_kind_text(kind))))
            return kind;
    if (str_eq_caseless(word, STR("inf")) || str_eq_caseless(word, STR("nan")))
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
