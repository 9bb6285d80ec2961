#include "query/syntax/parse.h"

#include "query/syntax/parser_impl.h"

/*
 * expression  = operand *( operator modifiers operand )            by precedence climbing
 * operand     = ( "+" / "-" ) operand                              binds like "*", looser than "^"
 *             / primary *( "[" ... "]" / "offset" ... / "@" ... )
 * primary     = number / string / "(" expression ")" / selector / call / aggregation
 */

enum { PRECEDENCE_NONE, PRECEDENCE_LOWEST, PRECEDENCE_POWER = 6 };

static int precedence_of(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_OR:
        return PRECEDENCE_LOWEST;
    case TOKEN_AND:
    case TOKEN_UNLESS:
        return 2;
    case TOKEN_EQLC:
    case TOKEN_NEQ:
    case TOKEN_GTR:
    case TOKEN_LSS:
    case TOKEN_GTE:
    case TOKEN_LTE:
        return 3;
    case TOKEN_ADD:
    case TOKEN_SUB:
        return 4;
    case TOKEN_MUL:
    case TOKEN_DIV:
    case TOKEN_MOD:
    case TOKEN_ATAN2:
        return 5;
    case TOKEN_POW:
        return PRECEDENCE_POWER;
    default:
        return PRECEDENCE_NONE;
    }
}

static struct expr *parse_binary(struct parser *p, int precedence_min);

/* Every recursion of the grammar passes here. */
static struct expr *parse_nested(struct parser *p, int precedence_min)
{
    if (p->depth == PARSE_DEPTH_MAX) {
        parser_peek(p);
        parser_fail(p, p->token.position.start, "expression is nested too deeply, want at most %d",
                    PARSE_DEPTH_MAX);
        return NULL;
    }
    p->depth++;
    struct expr *expr = parse_binary(p, precedence_min);
    p->depth--;
    return expr;
}

struct expr *parse_whole(struct parser *p)
{
    return parse_nested(p, PRECEDENCE_LOWEST);
}

/* Operands. */

static struct expr *parse_number(struct parser *p)
{
    struct token token = parser_take(p);
    double value;
    if (!parse_number_value(p, token, &value))
        return NULL;
    struct expr *expr = parser_new_expr(p, EXPR_NUMBER, VALUE_SCALAR, token.position);
    if (expr == NULL)
        return NULL;
    expr->number.value = value;
    expr->number.is_duration = token.kind == TOKEN_DURATION;
    return expr;
}

static struct expr *parse_string(struct parser *p)
{
    struct token token = parser_take(p);
    struct expr *expr = parser_new_expr(p, EXPR_STRING, VALUE_STRING, token.position);
    if (expr == NULL || !parser_unquote(p, token, &expr->string))
        return NULL;
    return expr;
}

static struct expr *parse_paren(struct parser *p)
{
    struct token open = parser_take(p);
    struct expr *inner = parse_whole(p);
    if (inner == NULL || !parser_expect(p, TOKEN_RIGHT_PAREN))
        return NULL;
    struct position position = {open.position.start, p->token.position.end};
    struct expr *expr = parser_new_expr(p, EXPR_PAREN, inner->type, position);
    if (expr == NULL)
        return NULL;
    expr->paren = inner;
    return parser_adopt(p, expr, inner);
}

/* A word that may be a metric, a function or an aggregator: what follows decides. */
static struct expr *parse_word(struct parser *p)
{
    struct token word = parser_take(p);
    enum token_kind next = parser_peek(p);
    bool names_function =
        word.kind == TOKEN_IDENTIFIER || word.kind == TOKEN_START || word.kind == TOKEN_STOP;
    bool is_open = next == TOKEN_LEFT_PAREN;
    if (token_is_aggregator(word.kind) && (is_open || next == TOKEN_BY || next == TOKEN_WITHOUT))
        return parse_aggregation(p, word);
    if (names_function && is_open)
        return parse_call(p, word);
    return parse_vector_selector(p, word, true);
}

static struct expr *parse_primary(struct parser *p)
{
    enum token_kind kind = parser_peek(p);
    if (token_is_number(kind))
        return parse_number(p);
    if (token_may_name_metric(kind))
        return parse_word(p);
    switch (kind) {
    case TOKEN_STRING:
        return parse_string(p);
    case TOKEN_LEFT_PAREN:
        return parse_paren(p);
    case TOKEN_LEFT_BRACE:
        return parse_vector_selector(p, p->token, false);
    default:
        parser_unexpected_here(p);
        return NULL;
    }
}

/* Operators. */

static struct expr *parse_unary(struct parser *p)
{
    struct token sign = parser_take(p);
    bool is_minus = sign.kind == TOKEN_SUB;
    struct expr *inner = parse_nested(p, PRECEDENCE_POWER);
    if (inner == NULL)
        return NULL;
    struct position position = {sign.position.start, inner->position.end};
    if (inner->kind == EXPR_NUMBER) {
        inner->number.value = is_minus ? -inner->number.value : inner->number.value;
        inner->position = position;
        return inner;
    }
    struct expr *expr = parser_new_expr(p, EXPR_UNARY, inner->type, position);
    if (expr == NULL)
        return NULL;
    expr->unary.is_minus = is_minus;
    expr->unary.inner = inner;
    return parser_adopt(p, expr, inner);
}

static struct expr *parse_operand(struct parser *p)
{
    enum token_kind kind = parser_peek(p);
    if (kind == TOKEN_ADD || kind == TOKEN_SUB)
        return parse_unary(p);
    return parse_postfix(p, parse_primary(p));
}

/* group_left or group_right, whose list may lack. */
static bool parse_group_side(struct parser *p, struct vector_matching *matching)
{
    enum token_kind kind = parser_peek(p);
    if (kind != TOKEN_GROUP_LEFT && kind != TOKEN_GROUP_RIGHT)
        return kind != TOKEN_ERROR;
    parser_take(p);
    matching->cardinality = kind == TOKEN_GROUP_LEFT ? MATCH_MANY_TO_ONE : MATCH_ONE_TO_MANY;
    bool has_list = parser_peek(p) == TOKEN_LEFT_PAREN;
    if (!has_list && token_may_start_expression(p->token.kind))
        return true;
    return parse_name_set(p, &matching->include);
}

static bool parse_operator_modifiers(struct parser *p, struct expr *expr)
{
    struct vector_matching *matching = &expr->binary.matching;
    expr->binary.returns_bool = parser_accept(p, TOKEN_BOOL);
    enum token_kind kind = parser_peek(p);
    if (kind != TOKEN_ON && kind != TOKEN_IGNORING)
        return kind != TOKEN_ERROR;
    parser_take(p);
    matching->is_on = kind == TOKEN_ON;
    return parse_name_set(p, &matching->labels) && parse_group_side(p, matching);
}

static struct expr *parse_right_side(struct parser *p, struct expr *expr, int precedence)
{
    struct expr *left = expr->binary.left;
    struct expr *right = precedence == PRECEDENCE_POWER ? parse_nested(p, precedence)
                                                        : parse_binary(p, precedence + 1);
    if (right == NULL)
        return NULL;
    bool is_scalar = left->type == VALUE_SCALAR && right->type == VALUE_SCALAR;
    expr->type = is_scalar ? VALUE_SCALAR : VALUE_VECTOR;
    expr->binary.right = right;
    expr->position.end = right->position.end;
    return parser_adopt(p, expr, right);
}

static struct expr *parse_operator(struct parser *p, struct expr *left, int precedence)
{
    struct token op = parser_take(p);
    struct expr *expr = parser_new_expr(p, EXPR_BINARY, VALUE_VECTOR, left->position);
    if (expr == NULL)
        return NULL;
    expr->binary.op = (enum binary_op)(op.kind - TOKEN_ADD);
    expr->binary.left = left;
    if (parser_adopt(p, expr, left) == NULL || !parse_operator_modifiers(p, expr))
        return NULL;
    return parse_right_side(p, expr, precedence);
}

/* Operators that bind at least as tightly as `precedence_min`; all but "^" lean to the left. */
static struct expr *parse_binary(struct parser *p, int precedence_min)
{
    struct expr *left = parse_operand(p);
    while (left != NULL) {
        int precedence = precedence_of(parser_peek(p));
        if (precedence == PRECEDENCE_NONE || precedence < precedence_min)
            break;
        left = parse_operator(p, left, precedence);
    }
    return p->status == STATUS_OK ? left : NULL;
}

static bool parse_to_end(struct parser *p, struct expr **out)
{
    if (parser_peek(p) == TOKEN_END)
        return parser_fail(p, 0, "no expression found in input");
    *out = parse_whole(p);
    if (*out == NULL)
        return false;
    if (parser_peek(p) != TOKEN_END)
        return parser_unexpected(p, "", "");
    return check_types(p, *out);
}

enum status parse_expr(struct str text, const struct parse_options *options, struct arena *arena,
                       struct expr **out, struct error *err)
{
    size_t text_max = options->text_max == 0 ? PARSE_TEXT_MAX : options->text_max;
    if (text.len > text_max || text.len > UINT32_MAX)
        return error_set(err, STATUS_INVALID, "query: too long, got %zu bytes, want at most %zu",
                         text.len, text_max);
    struct parser p;
    parser_init(&p, text, arena, err);
    p.allows_experimental = options->allows_experimental;
    if (!parse_to_end(&p, out)) {
        parser_abandon(&p);
        *out = NULL;
    }
    return p.status;
}
