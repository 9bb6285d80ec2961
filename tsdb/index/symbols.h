/*
 * symbols: texts of one tenant, each stored once, known by a number.
 *
 * Numbers are given in order, from 0. A text is never removed: it stays readable for whoever has a
 * view of it.
 *
 * Ownership:  the table owns the text; a view stays valid until symbols_free.
 * Threads:    not synchronised; the shard's lock guards it. Text of a symbol never moves.
 */
#ifndef CROFT_TSDB_SYMBOLS_H
#define CROFT_TSDB_SYMBOLS_H

#include "base/bytes.h"

struct symbols;

struct symbol {
    uint32_t value;
};

struct symbols *symbols_new(void);
void symbols_free(struct symbols *symbols);
/* Finds or adds; the text is copied. */
struct symbol symbols_add(struct symbols *symbols, struct str text);
bool symbols_find(const struct symbols *symbols, struct str text, struct symbol *out);
struct str symbols_text(const struct symbols *symbols, struct symbol symbol);
size_t symbols_count(const struct symbols *symbols);
size_t symbols_memory_bytes(const struct symbols *symbols);

/* The texts by number, for loops that cannot afford a call for each; valid until symbols_add. */
const struct str *symbols_texts(const struct symbols *symbols);

#endif
