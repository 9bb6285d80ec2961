#include "server/credential.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/thread.h"
#include "http/authorization.h"
#include "http/web_origin.h"
#include "query/api/reply_http.h"
#include "server/backoff.h"

struct credential_set;

struct known_credential {
    struct grant grant; /* first: the gate hands out its address */
    struct credential_set *set;
    struct str name;
    struct sha256 token;
    struct sha256 user;
};

/* Immutable but for its owners: the gate, and every exchange that a credential of it let in. */
struct credential_set {
    struct refcount owners;
    struct arena arena;
    bool is_open_to_all;
    bool checks_host;
    size_t count;
    struct known_credential *known;
};

struct credentials {
    struct rwlock lock;
    struct credential_set *current; /* guarded by lock */
    struct credentials_counters counters;
    struct backoff backoff;
};

/* ---- sets ---- */

static struct credential_set *set_new(size_t count)
{
    struct credential_set *set = mem_alloc_zeroed(1, sizeof *set);
    refcount_init(&set->owners);
    arena_init(&set->arena, SIZE_MAX);
    set->count = count;
    set->known = arena_alloc_zeroed(&set->arena, count * sizeof *set->known);
    return set;
}

static void set_release(struct credential_set *set)
{
    if (!refcount_release(&set->owners))
        return;
    arena_deinit(&set->arena);
    mem_free(set);
}

static struct credential_set *acquire_current(struct credentials *credentials)
{
    rwlock_lock_read(&credentials->lock);
    struct credential_set *set = credentials->current;
    refcount_acquire(&set->owners);
    rwlock_unlock_read(&credentials->lock);
    return set;
}

static void set_current(struct credentials *credentials, struct credential_set *set)
{
    rwlock_lock_write(&credentials->lock);
    struct credential_set *before = credentials->current;
    credentials->current = set;
    rwlock_unlock_write(&credentials->lock);
    set_release(before);
}

static void copy_scope(struct scope *scope, struct arena *arena)
{
    size_t bytes = scope->tenant_count * sizeof *scope->tenants;
    struct tenant_id *copy = arena_alloc(arena, bytes);
    if (bytes > 0)
        memcpy(copy, scope->tenants, bytes);
    scope->tenants = copy;
}

struct credentials *credentials_new(const struct clock *clock)
{
    struct credentials *credentials = mem_alloc_zeroed(1, sizeof *credentials);
    rwlock_init(&credentials->lock);
    credentials->current = set_new(0);
    backoff_init(&credentials->backoff, clock);
    return credentials;
}

void credentials_free(struct credentials *credentials)
{
    if (credentials == NULL)
        return;
    set_release(credentials->current);
    backoff_deinit(&credentials->backoff);
    rwlock_deinit(&credentials->lock);
    mem_free(credentials);
}

void credentials_replace(struct credentials *credentials, const struct credential *list,
                         size_t count)
{
    struct credential_set *set = set_new(count);
    for (size_t i = 0; i < count; i++) {
        struct known_credential *known = &set->known[i];
        *known = (struct known_credential){.grant = list[i].grant,
                                           .set = set,
                                           .name = arena_copy(&set->arena, list[i].name),
                                           .token = list[i].token,
                                           .user = sha256_of(bytes_of_str(list[i].user))};
        known->grant.holder = known->name;
        copy_scope(&known->grant.read, &set->arena);
        copy_scope(&known->grant.write, &set->arena);
    }
    set_current(credentials, set);
}

void credentials_open_to_all(struct credentials *credentials, bool checks_host)
{
    struct credential_set *set = set_new(0);
    set->is_open_to_all = true;
    set->checks_host = checks_host;
    set_current(credentials, set);
}

const struct credentials_counters *credentials_counters(const struct credentials *credentials)
{
    return &credentials->counters;
}

/* ---- the gate ---- */

/* What the request shows. Without a readable header nothing, which no credential has. */
static void read_shown(struct exchange *exchange, struct authorization *out, struct error *err)
{
    static const char header[] = "Authorization";
    bool is_present;
    struct str value = exchange_header(exchange, header, &is_present);
    size_t count = exchange_header_count(exchange, header);
    *out = (struct authorization){0};
    error_set(err, STATUS_DENIED, "no credential has this token");
    if (!is_present)
        error_set(err, STATUS_DENIED, "Authorization: missing, want a bearer token or basic auth");
    else if (count > 1)
        error_set(err, STATUS_DENIED, "Authorization: sent %zu times, want one", count);
    else if (authorization_parse(value, exchange_arena(exchange), out, err) != STATUS_OK)
        *out = (struct authorization){0};
}

struct finding {
    struct sha256 token;
    bool has_known_prefix; /* some credential's hash begins as the token's */
    const struct known_credential *known;
};

/* All are compared, whichever fits. */
static struct finding find_known(const struct credential_set *set,
                                 const struct authorization *shown)
{
    struct finding found = {.token = sha256_of(bytes_of_str(shown->secret))};
    struct sha256 user = sha256_of(bytes_of_str(shown->user));
    for (size_t i = 0; i < set->count; i++) {
        const struct known_credential *known = &set->known[i];
        bool has_token = sha256_eq(&known->token, &found.token);
        bool has_user = sha256_eq(&known->user, &user) | !shown->has_user;
        bool fits = has_token & has_user;
        found.known = fits ? known : found.known;
        found.has_known_prefix |= backoff_prefix(&known->token) == backoff_prefix(&found.token);
    }
    return found;
}

/* What a route needs and the grant lacks; NULL when nothing. */
static const char *missing_right(const struct grant *grant, enum route_access access)
{
    switch (access) {
    case ROUTE_READ:
        return scope_is_empty(&grant->read) ? "may not read any tenant" : NULL;
    case ROUTE_WRITE:
        return scope_is_empty(&grant->write) ? "may not write any tenant" : NULL;
    case ROUTE_OPERATOR:
        return grant->is_admin || grant->read.is_all ? NULL
                                                     : "may neither read all tenants nor "
                                                       "administer";
    case ROUTE_ADMIN:
        return grant->is_admin ? NULL : "may not administer";
    case ROUTE_KNOWN:
    case ROUTE_OPEN:
        break;
    }
    return NULL;
}

/* Readers are machines that expect the envelope, writers log the text. */
static void refuse(struct exchange *exchange, enum route_access access, unsigned code,
                   const char *text)
{
    enum api_error kind = code == 401   ? API_UNAUTHORIZED
                          : code == 429 ? API_TOO_MANY
                                        : API_FORBIDDEN;
    if (access == ROUTE_WRITE || access == ROUTE_OPERATOR)
        exchange_reply_text(exchange, code, "%s", text);
    else
        reply_error(exchange, kind, str_from(text));
}

static void refuse_unknown(struct credentials *credentials, struct exchange *exchange,
                           enum route_access access, const struct error *why)
{
    counter_add(&credentials->counters.unknown, 1);
    exchange_reply_header(exchange, "WWW-Authenticate", "Basic realm=\"croft\", charset=\"UTF-8\"");
    exchange_reply_header(exchange, "WWW-Authenticate", "Bearer realm=\"croft\"");
    refuse(exchange, access, 401, why->text);
}

/* The envelope brings its own Retry-After. */
static void refuse_for_now(struct credentials *credentials, struct exchange *exchange,
                           enum route_access access)
{
    counter_add(&credentials->counters.slowed, 1);
    if (access == ROUTE_WRITE || access == ROUTE_OPERATOR)
        exchange_reply_header(exchange, "Retry-After", "1");
    refuse(exchange, access, 429, "too many wrong tokens from this address, try again later");
}

/* Who shows no secret guesses none. */
static bool is_slowed(struct credentials *credentials, struct exchange *exchange,
                      const struct authorization *shown, const struct finding *found)
{
    struct backoff *backoff = &credentials->backoff;
    struct str address = exchange_address(exchange);
    if (shown->secret.len == 0)
        return false;
    if (found->known != NULL)
        return !backoff_may_pass(backoff, address, &found->token);
    return !backoff_note_wrong(backoff, address, &found->token, found->has_known_prefix);
}

static bool admit_from(struct credentials *credentials, const struct credential_set *set,
                       struct exchange *exchange, enum route_access access,
                       const struct grant **out)
{
    struct authorization shown;
    struct error why;
    read_shown(exchange, &shown, &why);
    struct finding found = find_known(set, &shown);
    if (is_slowed(credentials, exchange, &shown, &found)) {
        refuse_for_now(credentials, exchange, access);
        return false;
    }
    if (found.known == NULL) {
        refuse_unknown(credentials, exchange, access, &why);
        return false;
    }
    const char *missing = missing_right(&found.known->grant, access);
    if (missing != NULL) {
        counter_add(&credentials->counters.denied, 1);
        error_set(&why, STATUS_DENIED, "credential \"%.*s\" %s", STR_ARG(found.known->name),
                  missing);
        refuse(exchange, access, 403, why.text);
        return false;
    }
    *out = &found.known->grant;
    return true;
}

/* Queries are asked by POST too, and change nothing. */
static bool is_change(const struct exchange *exchange, enum route_access access)
{
    enum http_method method = exchange_method(exchange);
    return (access == ROUTE_WRITE || access == ROUTE_ADMIN) && method != HTTP_GET &&
           method != HTTP_HEAD;
}

/* What is wrong with the page that made a browser send this; NULL for nothing. */
static const char *wrong_with_page(const struct credential_set *set,
                                   const struct exchange *exchange, enum route_access access)
{
    const struct web_origin from = {.fetch_site = exchange_header(exchange, "Sec-Fetch-Site", NULL),
                                    .origin = exchange_header(exchange, "Origin", NULL),
                                    .host = exchange_header(exchange, "Host", NULL)};
    if (set->checks_host && !web_origin_host_is_fixed(from.host))
        return "Host: want an address in digits or localhost, because there are no credentials "
               "and a web page can give this server a name (--insecure allows any)";
    if (is_change(exchange, access) && web_origin_is_foreign(&from))
        return "Origin: a web page of another site may not change anything";
    return NULL;
}

static bool is_refused_page(struct credentials *credentials, const struct credential_set *set,
                            struct exchange *exchange, enum route_access access)
{
    const char *wrong = wrong_with_page(set, exchange, access);
    if (wrong == NULL)
        return false;
    counter_add(&credentials->counters.foreign, 1);
    refuse(exchange, access, 403, wrong);
    return true;
}

static bool admit(void *context, struct exchange *exchange, enum route_access access,
                  const struct grant **out)
{
    struct credentials *credentials = context;
    struct credential_set *set = acquire_current(credentials);
    bool is_in = !is_refused_page(credentials, set, exchange, access) &&
                 (set->is_open_to_all || admit_from(credentials, set, exchange, access, out));
    if (*out == NULL)
        set_release(set); /* else the exchange is an owner now */
    return is_in;
}

/* The tenant that the request names, if it is one of the grant's: then it does not matter through
   whose credential others send. Else the credential, so that no name can be used up by a
   stranger. */
static struct str payer(void *context, struct exchange *exchange)
{
    (void)context;
    const struct grant *grant = exchange_grant(exchange);
    struct str text = exchange_header(exchange, "X-Scope-OrgID", NULL);
    struct tenant_id id;
    struct error err;
    bool is_tenant = tenant_id_parse(text, &id, &err) == STATUS_OK;
    if (grant == NULL)
        return is_tenant ? text : STR("");
    bool is_granted =
        is_tenant && (scope_covers(&grant->write, &id) || scope_covers(&grant->read, &id));
    return is_granted ? text : grant->holder;
}

static void release(void *context, const struct grant *grant)
{
    (void)context;
    set_release(((const struct known_credential *)grant)->set);
}

struct gate credentials_gate(struct credentials *credentials)
{
    return (struct gate){
        .context = credentials, .admit = admit, .payer = payer, .release = release};
}
