/*
 * backoff: slows down who guesses tokens, without locking out who knows one.
 *
 * Every address has so many wrong tokens at once (BACKOFF_BURST) and one a second after that.
 * Beyond them its wrong tokens are answered 429, and its other ones only count when the first bits
 * of their hash are those of a credential: then they have a rate of the same size for that prefix.
 * So whoever guesses gets one guess in 65,536 looked at, while whoever shares his address, as
 * behind a proxy, and knows a token does not notice.
 *
 * Bounded: a table of fixed size; those whose hashes meet in a slot share a rate.
 * Threads: any.
 */
#ifndef CROFT_SERVER_BACKOFF_H
#define CROFT_SERVER_BACKOFF_H

#include "base/clock.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/thread.h"
#include "tsdb/model/rate.h"

enum { BACKOFF_SLOTS = 4096, BACKOFF_BURST = 60, BACKOFF_PER_SECOND = 1 };

struct backoff {
    const struct clock *clock; /* kept */
    struct mutex lock;
    struct rate addresses[BACKOFF_SLOTS]; /* guarded by lock */
    struct rate prefixes[BACKOFF_SLOTS];  /* guarded by lock */
};

void backoff_init(struct backoff *backoff, const struct clock *clock);
void backoff_deinit(struct backoff *backoff);

/* The first 16 bits of a token's hash. */
static inline uint32_t backoff_prefix(const struct sha256 *token)
{
    return (uint32_t)token->bytes[0] << 8 | token->bytes[1];
}

/* A wrong token has come from `address`; `has_known_prefix`: a credential's hash begins like it.
   False when there were too many: the answer is then 429, and a second later one more may come. */
MUST_USE bool backoff_note_wrong(struct backoff *backoff, struct str address,
                                 const struct sha256 *token, bool has_known_prefix);
/* Whether a right token from `address` may pass; false as above. */
MUST_USE bool backoff_may_pass(struct backoff *backoff, struct str address,
                               const struct sha256 *token);

#endif
