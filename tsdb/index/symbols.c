#include "tsdb/index/symbols.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tsdb/index/ref_table.h"

/* A page is a quarter of all before it, so that a small tenant costs little and a large one few
   allocations. */
enum { PAGE_BYTES_MIN = 128, PAGE_BYTES_MAX = 64 * 1024, PAGES_PART = 4 };

struct text_page {
    struct text_page *next;
    char text[];
};

struct symbols {
    struct ref_table table; /* hash of the text ─► number */
    struct str *texts;      /* by number */
    size_t count;
    size_t capacity;
    struct text_page *pages;
    char *free_text; /* the rest of the newest page */
    size_t free_bytes;
    size_t text_bytes; /* of all pages */
};

struct symbols *symbols_new(void)
{
    struct symbols *symbols = mem_alloc_zeroed(1, sizeof *symbols);
    ref_table_init(&symbols->table);
    return symbols;
}

void symbols_free(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    struct text_page *page = symbols->pages;
    while (page != NULL) {
        struct text_page *next = page->next;
        mem_free(page);
        page = next;
    }
    mem_free(symbols->texts);
    ref_table_deinit(&symbols->table);
    mem_free(symbols);
}

static uint64_t hash_text(struct str text)
{
    return hash_bytes(bytes_of_str(text));
}

static void add_page(struct symbols *symbols, size_t want_bytes)
{
    size_t size_bytes = symbols->text_bytes / PAGES_PART;
    if (size_bytes < PAGE_BYTES_MIN)
        size_bytes = PAGE_BYTES_MIN;
    if (size_bytes > PAGE_BYTES_MAX)
        size_bytes = PAGE_BYTES_MAX;
    if (size_bytes < want_bytes)
        size_bytes = want_bytes;
    struct text_page *page = mem_alloc(sizeof *page + size_bytes);
    page->next = symbols->pages;
    symbols->pages = page;
    symbols->free_text = page->text;
    symbols->free_bytes = size_bytes;
    symbols->text_bytes += sizeof *page + size_bytes;
}

static struct str copy_text(struct symbols *symbols, struct str text)
{
    if (text.len == 0)
        return STR("");
    if (text.len > symbols->free_bytes)
        add_page(symbols, text.len);
    struct str copy = {symbols->free_text, text.len};
    memcpy(symbols->free_text, text.ptr, text.len);
    symbols->free_text += text.len;
    symbols->free_bytes -= text.len;
    return copy;
}

static bool find(const struct symbols *symbols, struct str text, uint64_t hash, struct symbol *out)
{
    struct ref_probe probe = ref_table_probe(&symbols->table, hash);
    uint32_t number;
    while ((number = ref_table_next(&symbols->table, &probe)) != REF_TABLE_NONE) {
        if (str_eq(symbols->texts[number], text)) {
            out->value = number;
            return true;
        }
    }
    return false;
}

struct symbol symbols_add(struct symbols *symbols, struct str text)
{
    struct symbol symbol;
    uint64_t hash = hash_text(text);
    if (find(symbols, text, hash, &symbol))
        return symbol;
    CHECK(symbols->count < REF_TABLE_NONE);
    symbols->texts =
        mem_grow(symbols->texts, &symbols->capacity, symbols->count + 1, sizeof *symbols->texts);
    symbol.value = (uint32_t)symbols->count;
    symbols->texts[symbols->count++] = copy_text(symbols, text);
    ref_table_add(&symbols->table, hash, symbol.value);
    return symbol;
}

bool symbols_find(const struct symbols *symbols, struct str text, struct symbol *out)
{
    return find(symbols, text, hash_text(text), out);
}

struct str symbols_text(const struct symbols *symbols, struct symbol symbol)
{
    CHECK(symbol.value < symbols->count);
    return symbols->texts[symbol.value];
}

size_t symbols_count(const struct symbols *symbols)
{
    return symbols->count;
}

size_t symbols_memory_bytes(const struct symbols *symbols)
{
    return sizeof *symbols + ref_table_memory_bytes(&symbols->table) + symbols->text_bytes +
           symbols->capacity * sizeof *symbols->texts;
}

const struct str *symbols_texts(const struct symbols *symbols)
{
    return symbols->texts;
}
