#include "query/syntax/parser_impl.h"

#include <math.h>

#include "query/syntax/duration.h"
#include "query/syntax/parse.h"

/*
 * Spans of time: what stands in brackets and behind offset.
 */

enum { PRECEDENCE_SUM = 1, PRECEDENCE_PRODUCT, PRECEDENCE_SIGN, PRECEDENCE_POWER };

/* What is being parsed, for errors. */
struct place {
    const char *context;
    const char *expected;
};

static const double SECONDS_MAX = 0x1p63 / 1e9;

static struct duration *parse_sum(struct parser *p, const struct place *place, int precedence_min);

static struct duration *new_duration(struct parser *p, enum duration_op op,
                                     struct position position)
{
    struct duration *duration = parser_alloc(p, sizeof *duration);
    if (duration != NULL)
        *duration = (struct duration){.op = op, .position = position, .height = 1};
    return duration;
}

static struct duration *adopt(struct parser *p, struct duration *parent,
                              const struct duration *child)
{
    if (child->height == PARSE_HEIGHT_MAX) {
        parser_fail(p, parent->position.start, "duration has too many operators in a row");
        return NULL;
    }
    if (parent->height <= child->height)
        parent->height = child->height + 1;
    return parent;
}

static struct duration *unexpected(struct parser *p, const struct place *place)
{
    parser_unexpected(p, place->context, place->expected);
    return NULL;
}

static bool expect(struct parser *p, enum token_kind kind, const struct place *place)
{
    return parser_accept(p, kind) || unexpected(p, place) != NULL;
}

/* ---- operands ---- */

static struct duration *parse_literal(struct parser *p)
{
    struct token token = parser_take(p);
    struct duration *duration = new_duration(p, DURATION_LITERAL, token.position);
    if (duration == NULL || !parse_number_value(p, token, &duration->seconds))
        return NULL;
    duration->has_unit = token.kind == TOKEN_DURATION;
    if (fabs(duration->seconds) <= SECONDS_MAX)
        return duration;
    parser_fail(p, token.position.start, "duration out of range");
    return NULL;
}

/* What a word between numbers means; DURATION_LITERAL for nothing. */
static enum duration_op word_op(struct parser *p)
{
    if (parser_peek(p) != TOKEN_IDENTIFIER)
        return DURATION_LITERAL;
    return duration_word(token_text(&p->lexer, p->token));
}

/* step(), range(), min_of(a, b), max_of(a, b): the word is known to be one of them. */
static struct duration *parse_function(struct parser *p, const struct place *place,
                                       enum duration_op op)
{
    struct token word = parser_take(p);
    struct duration *duration = new_duration(p, op, word.position);
    if (duration == NULL || !expect(p, TOKEN_LEFT_PAREN, place))
        return NULL;
    if (op == DURATION_MIN || op == DURATION_MAX) {
        duration->left = parse_sum(p, place, PRECEDENCE_SUM);
        if (duration->left == NULL || !expect(p, TOKEN_COMMA, place))
            return NULL;
        duration->right = parse_sum(p, place, PRECEDENCE_SUM);
        if (duration->right == NULL || adopt(p, duration, duration->left) == NULL ||
            adopt(p, duration, duration->right) == NULL)
            return NULL;
    }
    if (!expect(p, TOKEN_RIGHT_PAREN, place))
        return NULL;
    duration->position.end = p->token.position.end;
    /* of a function with arguments Prometheus names only these */
    if (duration->left != NULL)
        duration->position =
            (struct position){duration->left->position.start, duration->right->position.end};
    return duration;
}

/* A number in parentheses is a number. */
static struct duration *parse_wrapped(struct parser *p, const struct place *place)
{
    parser_take(p);
    struct duration *inner = parse_sum(p, place, PRECEDENCE_SUM);
    if (inner == NULL || !expect(p, TOKEN_RIGHT_PAREN, place))
        return NULL;
    inner->is_wrapped = inner->op != DURATION_LITERAL;
    return inner;
}

/* A number takes the sign as its own. */
static struct duration *apply_sign(struct parser *p, struct duration *inner, struct token sign)
{
    struct position position = {sign.position.start, inner->position.end};
    if (inner->op == DURATION_LITERAL) {
        inner->seconds = sign.kind == TOKEN_SUB ? -inner->seconds : inner->seconds;
        inner->position = position;
        return inner;
    }
    if (sign.kind == TOKEN_ADD)
        return inner;
    struct duration *duration = new_duration(p, DURATION_NEGATE, position);
    if (duration == NULL)
        return NULL;
    duration->right = inner;
    return adopt(p, duration, inner);
}

static struct duration *parse_primary(struct parser *p, const struct place *place)
{
    enum token_kind next = parser_peek(p);
    enum duration_op op = word_op(p);
    if (token_is_number(next))
        return parse_literal(p);
    if (op != DURATION_LITERAL)
        return parse_function(p, place, op);
    if (next == TOKEN_LEFT_PAREN)
        return parse_wrapped(p, place);
    return unexpected(p, place);
}

/* Whatever nests goes through here once more. */
static bool enter(struct parser *p)
{
    if (p->depth == PARSE_DEPTH_MAX)
        return parser_fail(p, p->token.position.start,
                           "expression is nested too deeply, want at most %d", PARSE_DEPTH_MAX);
    p->depth++;
    return true;
}

static void leave(struct parser *p)
{
    p->depth--;
}

/* The sign comes next. It binds looser than "^" but tighter than "*". */
static struct duration *parse_sign(struct parser *p, const struct place *place)
{
    struct token sign = parser_take(p);
    struct duration *duration = parse_sum(p, place, PRECEDENCE_SIGN);
    return duration == NULL ? NULL : apply_sign(p, duration, sign);
}

static bool is_sign(enum token_kind kind)
{
    return kind == TOKEN_ADD || kind == TOKEN_SUB;
}

/* ---- operators ---- */

static int precedence_of(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_ADD:
    case TOKEN_SUB:
        return PRECEDENCE_SUM;
    case TOKEN_MUL:
    case TOKEN_DIV:
    case TOKEN_MOD:
        return PRECEDENCE_PRODUCT;
    case TOKEN_POW:
        return PRECEDENCE_POWER;
    default:
        return 0;
    }
}

_Static_assert(TOKEN_POW - TOKEN_ADD == DURATION_POW - DURATION_ADD, "operators in one order");

/* Only what is known to be zero here is refused here. */
static bool check_divisor(struct parser *p, const struct token *op, const struct duration *divisor)
{
    bool is_division = op->kind == TOKEN_DIV || op->kind == TOKEN_MOD;
    if (!is_division || divisor->op != DURATION_LITERAL || divisor->seconds != 0)
        return true;
    return parser_fail(p, op->position.start, "%s by zero",
                       op->kind == TOKEN_DIV ? "division" : "modulo");
}

static struct duration *parse_operation(struct parser *p, const struct place *place,
                                        struct duration *left, int precedence)
{
    struct token op = parser_take(p);
    struct duration *right =
        parse_sum(p, place, precedence == PRECEDENCE_POWER ? precedence : precedence + 1);
    if (right == NULL || !check_divisor(p, &op, right))
        return NULL;
    struct position position = {left->position.start, right->position.end};
    enum duration_op kind = (enum duration_op)(DURATION_ADD + (op.kind - TOKEN_ADD));
    struct duration *duration = new_duration(p, kind, position);
    if (duration == NULL || adopt(p, duration, left) == NULL || adopt(p, duration, right) == NULL)
        return NULL;
    duration->left = left;
    duration->right = right;
    return duration;
}

/* Operators behind `left`, which may be NULL. */
static struct duration *parse_operations(struct parser *p, const struct place *place,
                                         struct duration *left, int precedence_min)
{
    while (left != NULL) {
        int precedence = precedence_of(parser_peek(p));
        if (precedence == 0 || precedence < precedence_min)
            break;
        left = parse_operation(p, place, left, precedence);
    }
    return p->status == STATUS_OK ? left : NULL;
}

static struct duration *parse_sum(struct parser *p, const struct place *place, int precedence_min)
{
    if (!enter(p))
        return NULL;
    struct duration *left =
        is_sign(parser_peek(p)) ? parse_sign(p, place) : parse_primary(p, place);
    left = parse_operations(p, place, left, precedence_min);
    leave(p);
    return left;
}

/* ---- spans ---- */

static void set_span(struct span *out, const struct duration *duration)
{
    *out = (struct span){.position = duration->position};
    if (duration->op == DURATION_LITERAL)
        out->ms = (int64_t)round(duration->seconds * 1000);
    else
        out->computed = duration;
}

bool parse_positive_span(struct parser *p, const char *context, const char *expected,
                         struct span *out)
{
    const struct place place = {context, expected};
    struct duration *duration = parse_sum(p, &place, PRECEDENCE_SUM);
    if (duration == NULL)
        return false;
    set_span(out, duration);
    return out->computed != NULL || duration->seconds > 0 ||
           parser_fail(p, duration->position.start, "duration must be greater than 0");
}

/* Where one operand with at most one sign ends the span, and where all arithmetic belongs to it, is
   what Prometheus' grammar comes down to: "offset -5m + b" adds b, "offset (5m) + b" does not. */
static struct duration *parse_offset_sum(struct parser *p, const struct place *place)
{
    if (parser_peek(p) == TOKEN_LEFT_PAREN)
        return parse_sum(p, place, PRECEDENCE_SUM);
    if (!is_sign(parser_peek(p)))
        return parse_primary(p, place);
    struct token sign = parser_take(p);
    bool is_single = !is_sign(parser_peek(p));
    struct duration *duration =
        is_single ? parse_primary(p, place) : parse_sum(p, place, PRECEDENCE_SIGN);
    if (duration != NULL)
        duration = apply_sign(p, duration, sign);
    return is_single ? duration : parse_operations(p, place, duration, PRECEDENCE_SUM);
}

bool parse_offset_span(struct parser *p, struct span *out)
{
    const struct place place = {"offset", "number, duration, step(), or range()"};
    struct duration *duration = parse_offset_sum(p, &place);
    if (duration == NULL)
        return false;
    set_span(out, duration);
    return true;
}
