#include "tests/support/test.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tsdb/index/symbols.h"

static void add_many(uint32_t count)
{
    struct symbols *symbols = symbols_new();
    const char *first = NULL;
    char text[32];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "text-%u", i);
        assert_int_equal(symbols_add(symbols, str_from(text)).value, i);
        if (i == 0)
            first = symbols_text(symbols, (struct symbol){0}).ptr;
    }
    assert_int_equal(symbols_count(symbols), count);
    for (uint32_t i = 0; i < count; i++) {
        struct symbol symbol = {UINT32_MAX};
        snprintf(text, sizeof text, "text-%u", i);
        assert_int_equal(symbols_add(symbols, str_from(text)).value, i);
        assert_true(symbols_find(symbols, str_from(text), &symbol));
        assert_int_equal(symbol.value, i);
        expect_str(symbols_text(symbols, symbol), text);
        expect_str(symbols_texts(symbols)[i], text);
    }
    assert_ptr_equal(symbols_text(symbols, (struct symbol){0}).ptr, first);
    assert_int_equal(symbols_count(symbols), count);
    symbols_free(symbols);
}

TEST(a_text_has_one_number_for_ever)
{
    add_many(20000);
}

TEST(a_hash_of_four_bits_changes_nothing)
{
    hash_set_bits(4);
    add_many(1000);
    hash_set_bits(64);
}

TEST(what_was_not_added_is_not_found)
{
    struct symbol symbol;
    struct symbols *symbols = symbols_new();
    assert_false(symbols_find(symbols, STR("a"), &symbol));
    symbols_add(symbols, STR("a"));
    assert_false(symbols_find(symbols, STR("ab"), &symbol));
    assert_false(symbols_find(symbols, STR(""), &symbol));
    symbols_free(symbols);
}

TEST(empty_and_long_texts_are_texts)
{
    struct symbols *symbols = symbols_new();
    size_t len = 200000;
    char *text = mem_alloc(len);
    memset(text, 'x', len);
    struct symbol empty = symbols_add(symbols, STR(""));
    struct symbol large = symbols_add(symbols, (struct str){text, len});
    struct symbol nul = symbols_add(symbols, STR("a\0b"));
    assert_int_equal(symbols_text(symbols, empty).len, 0);
    assert_true(str_eq(symbols_text(symbols, large), (struct str){text, len}));
    assert_true(str_eq(symbols_text(symbols, nul), STR("a\0b")));
    assert_true(symbols_memory_bytes(symbols) > len);
    mem_free(text);
    symbols_free(symbols);
}

TEST(a_few_symbols_take_little_memory)
{
    struct symbols *symbols = symbols_new();
    for (int i = 0; i < 10; i++) {
        char text[32];
        snprintf(text, sizeof text, "label_%d", i);
        symbols_add(symbols, str_from(text));
    }
    assert_true(symbols_memory_bytes(symbols) < 1200);
    symbols_free(symbols);
}

TEST_MAIN(RUN(a_text_has_one_number_for_ever), RUN(a_hash_of_four_bits_changes_nothing),
          RUN(what_was_not_added_is_not_found), RUN(empty_and_long_texts_are_texts),
          RUN(a_few_symbols_take_little_memory))
