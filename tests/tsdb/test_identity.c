#include "tests/support/test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "tsdb/head/identity.h"

TEST(the_encoding_is_that_of_a_remote_write_message)
{
    static const char want[] = "\x0a\x0e\x0a\x08__name__\x12\x02up"
                               "\x0a\x0a\x0a\x03job\x12\x03"
                               "api";
    const struct label labels[] = {{STR("__name__"), STR("up")}, {STR("job"), STR("api")}};
    const struct labels up = {labels, 2};
    struct buffer out;
    buffer_init(&out, 1000);
    labels_identity_encode(&out, up);
    assert_int_equal(out.len, sizeof want - 1);
    assert_memory_equal(out.ptr, want, sizeof want - 1);
    assert_true(labels_identity_hash(up) == hash_bytes(buffer_bytes(&out)));
    buffer_deinit(&out);
}

static void expect_decoded(size_t name_len, size_t value_len)
{
    char *text = mem_alloc(name_len + value_len);
    memset(text, 'n', name_len);
    memset(text + name_len, 'v', value_len);
    struct label label = {{text, name_len}, {text + name_len, value_len}};
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    label_identity_encode(&out, label);
    assert_true(out.len >= LABEL_IDENTITY_LEN_MIN);
    struct label decoded = label_identity_decode(buffer_str(&out));
    assert_true(str_eq(decoded.name, label.name));
    assert_true(str_eq(decoded.value, label.value));
    buffer_deinit(&out);
    mem_free(text);
}

TEST(a_label_of_any_length_comes_back)
{
    expect_decoded(1, 1);
    expect_decoded(127, 128);
    expect_decoded(128, 127);
    expect_decoded(20000, 300000);
}

TEST_MAIN(RUN(the_encoding_is_that_of_a_remote_write_message),
          RUN(a_label_of_any_length_comes_back))
