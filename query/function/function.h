/*
 * function: the table of PromQL functions: a function is one row here and one body.
 *
 * A body is of one of three kinds, simplest first; the evaluator does the rest:
 *   map     one value of a vector to another, step by step:            abs, clamp, hour, ...
 *   window  the samples of one range window to one value:              rate, avg_over_time, ...
 *   open    whatever needs labels, several series, or its own shape:   label_replace, absent, ...
 */
#ifndef CROFT_QUERY_FUNCTION_H
#define CROFT_QUERY_FUNCTION_H

#include "query/syntax/ast.h"

struct eval;
struct grid;
struct query_operator;
struct window;

enum { FUNCTION_ARGS_MAX = 6 };

/* What the evaluator prepares for a window function, once per series (query/engine/window.h). */
enum window_need {
    WINDOW_NEEDS_NOTHING,
    WINDOW_NEEDS_RESETS,  /* `jumps_at` lists drops of the value */
    WINDOW_NEEDS_CHANGES, /* `jumps_at` lists changes of the value */
    WINDOW_NEEDS_SCRATCH, /* `scratch` has room for all values */
};

/* `args` are the scalar arguments behind the vector, at this step. */
typedef double (*function_map)(double value, const double *args, size_t arg_count);
/* False: no value at this step. `args` are the scalar arguments at this step, in written order. */
typedef bool (*function_window)(const struct window *window, const double *args, double *out);
/* Looks at the scalar arguments of one step before the function is called with a window that is not
   empty; the text is Prometheus'. */
typedef enum status (*function_check)(struct eval *eval, const struct expr *call,
                                      const double *args, struct error *err);
/* Opens the operator of a call (query/engine/operator.h). */
typedef enum status (*function_open)(struct eval *eval, const struct grid *grid,
                                     const struct expr *call, struct query_operator **out,
                                     struct error *err);

struct function {
    const char *name;
    enum value_type returns;
    enum value_type args[FUNCTION_ARGS_MAX];
    uint8_t arg_count; /* number of declared types in args */
    /* Prometheus' Function.Variadic: 0 exactly arg_count; n > 0: from arg_count - 1 up to
       arg_count - 1 + n; -1: the last may repeat or lack */
    int8_t variadic;
    bool keeps_name;      /* the result keeps __name__: last_over_time, sort, ... */
    bool is_experimental; /* behind the feature flag promql-experimental-functions */
    function_map map;
    function_window window;
    enum window_need window_need;
    function_check check; /* of a window function; NULL when every argument will do */
    function_open open;
};

/* NULL when there is no function of that name. */
const struct function *function_find(struct str name);
/* The table, for documentation and tests. */
const struct function *function_table(size_t *count);

#endif
