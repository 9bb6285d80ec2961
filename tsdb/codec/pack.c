#include "tsdb/codec/pack.h"

#include "base/check.h"
#include "tsdb/codec/pack_impl.h"
#include "tsdb/codec/vector.h"

enum {
    HEADER_MASK = 0x7f,
    HEADER_EXTENSION = 0x80,
    /* kinds, above every width */
    HEADER_TIERS = 65,
    HEADER_SPARSE = 66,
    HEADER_DICTIONARY = 67,
    /* fewer integers seldom earn the widths of the tiers back, and the head packs few at a time */
    TIERS_COUNT_MIN = 48,
    /* what tiers must save, as a part of everything: they take longer to read */
    TIERS_GAIN_MIN = 64,
    /* fewer do not earn places or a dictionary back */
    SPARSE_COUNT_MIN = 24,
    DICTIONARY_COUNT_MIN = 24,
};

/* ---- estimating ---- */

struct totals {
    uint64_t used; /* the bits that any of them has */
    uint64_t max;
    uint64_t zeros;
    uint64_t lengths;
};

VECTOR_CLONES
static struct totals add_up(const uint64_t *values, size_t count)
{
    struct totals totals = {0};
    for (size_t i = 0; i < count; i++) {
        totals.used |= values[i];
        totals.max = values[i] > totals.max ? values[i] : totals.max;
        totals.zeros += values[i] == 0;
        totals.lengths += bit_length(values[i]);
    }
    return totals;
}

/* A shift costs two bytes. */
static unsigned shift_of(uint64_t used, size_t count)
{
    unsigned shift = used == 0 ? 0 : (unsigned)__builtin_ctzll(used);
    return shift * count < 24 ? 0 : shift;
}

/* One width for all, or to each its own and three bits to say so; a zero costs less than a bit. */
size_t pack_estimate(const uint64_t *values, size_t count)
{
    struct totals totals = add_up(values, count);
    unsigned shift = shift_of(totals.used, count);
    size_t others = count - totals.zeros;
    size_t plain = count * bit_length(totals.used >> shift);
    size_t mixed = totals.lengths + others * 3 - others * shift + totals.zeros * 2 / 3;
    return plain < mixed ? plain : mixed;
}

/* ---- planning ---- */

/* What planning wants to know of the integers, or of those that are not zero. */
struct survey {
    size_t count;
    size_t zeros;
    unsigned shift;
    uint64_t max;              /* shifted */
    unsigned width;            /* of it */
    struct size_counts sizes;  /* only of integers that are not narrow */
    struct pack_values values; /* none when they are too many */
};

static void count_sizes(struct survey *survey, const uint64_t *values)
{
    for (size_t i = 0; i < survey->count; i++)
        survey->sizes.of[size_of(values[i] >> survey->shift)]++;
}

static struct survey survey_of(const uint64_t *values, size_t count)
{
    struct totals totals = add_up(values, count);
    unsigned shift = shift_of(totals.used, count);
    struct survey survey = {.count = count,
                            .zeros = totals.zeros,
                            .shift = shift,
                            .max = totals.max >> shift,
                            .width = bit_length(totals.max >> shift)};
    if (survey.width <= NARROW_WIDTH_MAX)
        return survey;
    count_sizes(&survey, values);
    if (count >= DICTIONARY_COUNT_MIN)
        dictionary_plan(&survey.values, values, count, shift);
    return survey;
}

/* Zero is the first of the values, and an entry of one byte. */
static struct survey without_zeros(const struct survey *survey)
{
    struct survey others = *survey;
    others.count -= survey->zeros;
    others.sizes.of[0] = 0;
    if (survey->values.count > 0) {
        others.values.count--;
        others.values.bytes--;
    }
    return others;
}

static void try_tiers(struct pack_plan *plan, const struct survey *survey)
{
    size_t bytes_end = plan->bytes - plan->bytes / TIERS_GAIN_MIN;
    if (survey->count < TIERS_COUNT_MIN ||
        !tiers_plan(&plan->tiers, &survey->sizes, survey->max, survey->count, bytes_end))
        return;
    plan->kind = PACK_TIERS;
    plan->bytes = plan->tiers.bytes;
}

static void try_dictionary(struct pack_plan *plan, const struct survey *survey)
{
    size_t bytes = dictionary_bytes(&survey->values, survey->count);
    if (bytes >= plan->bytes)
        return;
    plan->kind = PACK_DICTIONARY;
    plan->bytes = bytes;
}

static struct pack_plan plan_dense(const struct survey *survey)
{
    struct pack_plan plan = {
        .count = survey->count,
        .shift = survey->shift,
        .plain = plain_plan(&survey->sizes, survey->width, survey->count),
    };
    plan.bytes = plan.plain.bytes;
    if (survey->width > NARROW_WIDTH_MAX)
        try_tiers(&plan, survey);
    if (survey->values.count > 0)
        try_dictionary(&plan, survey);
    return plan;
}

static struct pack_plan plan_sparse(const struct survey *survey)
{
    struct survey others = without_zeros(survey);
    struct pack_plan plan = plan_dense(&others);
    plan.is_sparse = true;
    plan.bytes += sparse_bytes(others.count, survey->count) + 1;
    return plan;
}

struct pack_plan pack_plan(const uint64_t *values, size_t count)
{
    CHECK(count <= PACK_COUNT_MAX);
    struct survey survey = survey_of(values, count);
    struct pack_plan plan = plan_dense(&survey);
    /* leaving zeros out cannot save more than what they take */
    if (count < SPARSE_COUNT_MIN || survey.zeros == count ||
        survey.zeros * survey.width <= sparse_bytes(count - survey.zeros, count) * 8)
        return plan;
    struct pack_plan sparse = plan_sparse(&survey);
    return sparse.bytes < plan.bytes ? sparse : plan;
}

/* ---- writing ---- */

static uint8_t *write_header(uint8_t *to, unsigned kind, unsigned shift)
{
    *to++ = (uint8_t)(kind | (shift > 0 ? HEADER_EXTENSION : 0));
    if (shift > 0)
        *to++ = (uint8_t)shift;
    return to;
}

static uint8_t *write_plain(uint8_t *to, const struct pack_plan *plan, const uint64_t *values)
{
    bool is_extended = plan->shift > 0 || plan->plain.exception_count > 0;
    *to++ = (uint8_t)(plan->plain.width | (is_extended ? HEADER_EXTENSION : 0));
    if (is_extended) {
        *to++ = (uint8_t)plan->shift;
        *to++ = (uint8_t)plan->plain.exception_count;
    }
    return plain_write(to, &plan->plain, values, plan->count, plan->shift);
}

static uint8_t *write_dense(uint8_t *to, const struct pack_plan *plan, const uint64_t *values)
{
    switch (plan->kind) {
    case PACK_PLAIN:
        break;
    case PACK_TIERS:
        to = write_header(to, HEADER_TIERS, plan->shift);
        return tiers_write(to, &plan->tiers, values, plan->count, plan->shift);
    case PACK_DICTIONARY:
        to = write_header(to, HEADER_DICTIONARY, plan->shift);
        return dictionary_write(to, values, plan->count, plan->shift);
    }
    return write_plain(to, plan, values);
}

uint8_t *pack_write(uint8_t *to, const struct pack_plan *plan, const uint64_t *values, size_t count)
{
    if (!plan->is_sparse)
        return write_dense(to, plan, values);
    uint64_t others[PACK_COUNT_MAX];
    *to++ = HEADER_SPARSE;
    to = sparse_write(to, values, count, others, plan->count);
    return write_dense(to, plan, others);
}

uint8_t *pack_encode(uint8_t *to, const uint64_t *values, size_t count)
{
    struct pack_plan plan = pack_plan(values, count);
    return pack_write(to, &plan, values, count);
}

/* ---- reading ---- */

static void shift_left(uint64_t *values, size_t count, unsigned shift)
{
    for (size_t i = 0; i < count && shift > 0; i++)
        values[i] <<= shift;
}

static bool read_kind(struct reader *r, unsigned kind, unsigned exception_count, uint64_t *values,
                      size_t count)
{
    switch (kind) {
    case HEADER_TIERS:
        return tiers_read(r, values, count);
    case HEADER_DICTIONARY:
        return dictionary_read(r, values, count);
    default:
        return plain_read(r, kind, exception_count, values, count);
    }
}

static bool read_dense(struct reader *r, unsigned header, uint64_t *values, size_t count)
{
    unsigned kind = header & HEADER_MASK, shift = 0, exception_count = 0;
    if ((header & HEADER_EXTENSION) != 0) {
        shift = reader_u8(r);
        exception_count = kind < HEADER_TIERS ? reader_u8(r) : 0;
    }
    if (r->is_broken || shift > 63 || !read_kind(r, kind, exception_count, values, count))
        return false;
    shift_left(values, count, shift);
    return true;
}

static bool read_sparse(struct reader *r, uint64_t *values, size_t count)
{
    struct sparse_places places;
    uint64_t others[PACK_COUNT_MAX + 1];
    if (!sparse_read(r, count, &places) || !read_dense(r, reader_u8(r), others, places.other_count))
        return false;
    others[places.other_count] = 0;
    return sparse_spread(&places, others, values, count);
}

bool pack_decode(struct reader *r, uint64_t *values, size_t count)
{
    CHECK(count <= PACK_COUNT_MAX);
    unsigned header = reader_u8(r);
    return header == HEADER_SPARSE ? read_sparse(r, values, count)
                                   : read_dense(r, header, values, count);
}
