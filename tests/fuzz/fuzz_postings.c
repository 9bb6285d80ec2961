/*
 * fuzz_postings: any bytes decode to positions in range or not at all, and what decodes is written
 * and read back as the same set.
 */
#include <stdint.h>

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/index/postings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small enough that a long run is listed quickly, large enough for several containers of a
   bitmap. */
enum { POSITION_MAX = 200000 };

static void check_order(const uint32_t *positions, size_t count)
{
    for (size_t i = 1; i < count; i++)
        CHECK(positions[i - 1] < positions[i]);
    CHECK(count == 0 || positions[count - 1] <= POSITION_MAX);
}

static void check_written(const struct postings *p, const uint32_t *positions, size_t count)
{
    struct error err;
    struct buffer out;
    struct postings again;
    buffer_init(&out, SIZE_MAX);
    postings_init(&again);
    postings_encode(&out, positions, count);
    CHECK(postings_decode(&again, buffer_bytes(&out), POSITION_MAX, &err) == STATUS_OK);
    CHECK(postings_count(&again) == count);
    postings_subtract(&again, p);
    CHECK(postings_is_empty(&again));
    postings_deinit(&again);
    buffer_deinit(&out);
}

static void check_decoded(const struct postings *p)
{
    size_t count = postings_count(p);
    CHECK(count <= POSITION_MAX + 1);
    uint32_t *positions = mem_alloc(count * sizeof *positions);
    postings_to_array(p, positions);
    check_order(positions, count);
    check_written(p, positions, count);
    mem_free(positions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct postings p;
    postings_init(&p);
    if (postings_decode(&p, (struct bytes){data, size}, POSITION_MAX, &err) == STATUS_OK)
        check_decoded(&p);
    else
        CHECK(postings_is_empty(&p));
    postings_deinit(&p);
    return 0;
}
