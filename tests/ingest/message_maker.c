#include "tests/ingest/message_maker.h"

#include "tests/support/message.h"

static bool is_odd(struct maker *maker)
{
    return maker->oddity != 0 && random_below(&maker->random, maker->oddity) == 0;
}

/* A varint with up to 3 superfluous bytes. */
static void add_odd_varint(struct maker *maker, struct buffer *out, uint64_t value,
                           unsigned len_max)
{
    size_t start = out->len;
    write_varint(out, value);
    for (uint64_t more = random_below(&maker->random, 4); more > 0 && out->len - start < len_max;
         more--) {
        out->ptr[out->len - 1] |= 0x80;
        write_u8(out, 0);
    }
}

static void add_bytes(struct maker *maker, struct buffer *out, uint32_t number,
                      struct bytes content)
{
    if (!is_odd(maker)) {
        message_add_bytes(out, number, content);
        return;
    }
    add_odd_varint(maker, out, number << 3 | 2, 5);
    add_odd_varint(maker, out, content.len, 5);
    buffer_append(out, content.ptr, content.len);
}

static void add_number(struct maker *maker, struct buffer *out, uint32_t number, uint64_t value)
{
    if (!is_odd(maker)) {
        message_add_varint(out, number, value);
        return;
    }
    add_odd_varint(maker, out, number << 3, 5);
    add_odd_varint(maker, out, value, 10);
}

static void add_unknown(struct maker *maker, struct buffer *out)
{
    uint32_t number = 6 + (uint32_t)random_below(&maker->random, 3000);
    uint64_t value = random_u64(&maker->random) >> random_below(&maker->random, 64);
    switch (random_below(&maker->random, 4)) {
    case 0:
        add_number(maker, out, number, value);
        break;
    case 1:
        message_add_fixed64(out, number, value);
        break;
    case 2:
        add_bytes(maker, out, number, (struct bytes){(const uint8_t *)&value, value % 8});
        break;
    default:
        write_varint(out, (uint64_t)number << 3 | 5);
        write_u32(out, (uint32_t)value);
    }
}

static struct str random_text(struct maker *maker, char *space)
{
    static const char *const names[] = {"__name__", "job", "tenant_id",
                                        "instance", "le",  "namespace"};
    static const uint16_t long_lens[] = {100, 118, 122, 123, 124, 127, 128, 129, 130, 255, 600};
    struct random *random = &maker->random;
    if (random_below(random, 2) == 0)
        return str_from(names[random_below(random, 6)]);
    size_t len = random_below(random, 12);
    if (random_below(random, 8) == 0)
        len = long_lens[random_below(random, sizeof long_lens / sizeof *long_lens)];
    random_fill(random, space, len);
    return (struct str){space, len};
}

static void add_random_text(struct maker *maker, struct buffer *out, uint32_t number)
{
    char space[1024];
    struct str text = random_text(maker, space);
    if (text.len > 0 || is_odd(maker))
        add_bytes(maker, out, number, bytes_of_str(text));
}

static void fill_label(struct maker *maker, struct buffer *out)
{
    if (is_odd(maker))
        add_random_text(maker, out, 2);
    if (!is_odd(maker))
        add_random_text(maker, out, 1);
    if (!is_odd(maker))
        add_random_text(maker, out, 2);
    if (is_odd(maker))
        add_unknown(maker, out);
    if (is_odd(maker))
        add_random_text(maker, out, 1);
}

static void fill_sample(struct maker *maker, struct buffer *out)
{
    struct random *random = &maker->random;
    if (is_odd(maker))
        add_number(maker, out, 2, random_u64(random));
    if (random_below(random, 4) != 0)
        message_add_fixed64(out, 1, random_u64(random));
    if (random_below(random, 4) != 0)
        add_number(maker, out, 2, random_u64(random) >> random_below(random, 64));
    if (is_odd(maker))
        add_unknown(maker, out);
    if (is_odd(maker))
        message_add_fixed64(out, 1, random_u64(random));
}

static void fill_metadata(struct maker *maker, struct buffer *out)
{
    if (random_below(&maker->random, 2) == 0)
        add_number(maker, out, 1, random_u64(&maker->random) >> random_below(&maker->random, 64));
    add_random_text(maker, out, 2);
    add_random_text(maker, out, 4);
    add_random_text(maker, out, 5);
    if (is_odd(maker))
        add_unknown(maker, out);
}

typedef void fill_function(struct maker *maker, struct buffer *out);

static void add_filled(struct maker *maker, struct buffer *out, uint32_t number,
                       fill_function *fill)
{
    struct buffer inner;
    buffer_init(&inner, SIZE_MAX);
    fill(maker, &inner);
    add_bytes(maker, out, number, buffer_bytes(&inner));
    buffer_deinit(&inner);
}

static void fill_series(struct maker *maker, struct buffer *out)
{
    uint64_t label_count = random_below(&maker->random, 12);
    uint64_t sample_count = random_below(&maker->random, 4);
    if (is_odd(maker))
        add_filled(maker, out, 2, fill_sample);
    for (uint64_t i = 0; i < label_count; i++)
        add_filled(maker, out, 1, fill_label);
    for (uint64_t i = 0; i < sample_count; i++)
        add_filled(maker, out, 2, fill_sample);
    if (is_odd(maker))
        add_random_text(maker, out, 3);
    if (is_odd(maker))
        add_random_text(maker, out, 4);
    if (is_odd(maker))
        add_filled(maker, out, 1, fill_label);
    if (is_odd(maker))
        add_unknown(maker, out);
}

void maker_fill_request(struct maker *maker, struct buffer *out)
{
    for (uint64_t left = random_below(&maker->random, 6); left > 0; left--) {
        if (random_below(&maker->random, 5) == 0)
            add_filled(maker, out, 3, fill_metadata);
        else
            add_filled(maker, out, 1, fill_series);
        if (is_odd(maker))
            add_unknown(maker, out);
    }
}

void maker_mutate(struct maker *maker, struct buffer *message)
{
    struct random *random = &maker->random;
    static const uint8_t telling[] = {0x00, 0x01, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
                                      0x10, 0x12, 0x1a, 0x22, 0x7f, 0x80, 0x81, 0xff};
    for (uint64_t left = 1 + random_below(random, 4); left > 0 && message->len > 0; left--) {
        uint8_t *at = message->ptr + random_below(random, message->len);
        uint8_t byte = telling[random_below(random, sizeof telling)];
        switch (random_below(random, 4)) {
        case 0:
            *at = (uint8_t)random_u64(random);
            break;
        case 1:
            *at = (uint8_t)(*at + 1 - 2 * random_below(random, 2));
            break;
        default:
            *at = byte;
        }
    }
}
