#include "server/backoff.h"

#include "base/hash.h"

static const struct rate_limit guesses = {.per_second = BACKOFF_PER_SECOND, .burst = BACKOFF_BURST};

void backoff_init(struct backoff *backoff, const struct clock *clock)
{
    *backoff = (struct backoff){.clock = clock};
    mutex_init(&backoff->lock);
}

void backoff_deinit(struct backoff *backoff)
{
    mutex_deinit(&backoff->lock);
}

static struct rate *address_rate_locked(struct backoff *backoff, struct str address)
    REQUIRES(backoff->lock)
{
    return &backoff->addresses[hash_bytes(bytes_of_str(address)) % BACKOFF_SLOTS];
}

static struct rate *prefix_rate_locked(struct backoff *backoff, const struct sha256 *token)
    REQUIRES(backoff->lock)
{
    uint32_t prefix = backoff_prefix(token);
    struct bytes bytes = {(const uint8_t *)&prefix, sizeof prefix};
    return &backoff->prefixes[hash_bytes(bytes) % BACKOFF_SLOTS];
}

bool backoff_note_wrong(struct backoff *backoff, struct str address, const struct sha256 *token,
                        bool has_known_prefix)
{
    uint64_t now_ns = clock_monotonic_ns(backoff->clock);
    int64_t wait_ms;
    mutex_lock(&backoff->lock);
    bool is_within =
        rate_take(address_rate_locked(backoff, address), &guesses, now_ns, 1, &wait_ms);
    if (!is_within && has_known_prefix) {
        bool is_counted =
            rate_take(prefix_rate_locked(backoff, token), &guesses, now_ns, 1, &wait_ms);
        (void)is_counted; /* when it is not, nothing passes by the prefix anyway */
    }
    mutex_unlock(&backoff->lock);
    return is_within;
}

bool backoff_may_pass(struct backoff *backoff, struct str address, const struct sha256 *token)
{
    uint64_t now_ns = clock_monotonic_ns(backoff->clock);
    int64_t wait_ms;
    mutex_lock(&backoff->lock);
    bool may_pass =
        rate_allows(address_rate_locked(backoff, address), &guesses, now_ns, 1, &wait_ms) ||
        rate_allows(prefix_rate_locked(backoff, token), &guesses, now_ns, 1, &wait_ms);
    mutex_unlock(&backoff->lock);
    return may_pass;
}
