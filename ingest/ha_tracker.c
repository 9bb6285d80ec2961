#include "ingest/ha_tracker.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

struct cluster {
    char name[HA_TEXT_LEN_MAX + 1];
    char replica[HA_TEXT_LEN_MAX + 1]; /* the elected one */
    int64_t seen_ms;                   /* when it last sent something; monotonic */
};

struct tenant_clusters {
    struct cluster *ptr;
    size_t count;
    size_t capacity;
};

struct ha_tracker {
    const struct clock *clock;
    struct counter failovers;
    struct mutex lock;
    struct tenant_clusters *tenants; /* guarded by lock; by tenant number */
    size_t tenant_count;             /* guarded by lock; beyond it nothing is known */
    size_t tenant_capacity;          /* guarded by lock */
};

struct ha_tracker *ha_tracker_new(const struct clock *clock)
{
    struct ha_tracker *tracker = mem_alloc_zeroed(1, sizeof *tracker);
    tracker->clock = clock;
    mutex_init(&tracker->lock);
    return tracker;
}

void ha_tracker_free(struct ha_tracker *tracker)
{
    if (tracker == NULL)
        return;
    for (size_t i = 0; i < tracker->tenant_count; i++)
        mem_free(tracker->tenants[i].ptr);
    mem_free(tracker->tenants);
    mutex_deinit(&tracker->lock);
    mem_free(tracker);
}

uint64_t ha_tracker_failovers(const struct ha_tracker *tracker)
{
    return counter_get(&tracker->failovers);
}

static struct tenant_clusters *clusters_of_locked(struct ha_tracker *tracker,
                                                  const struct tenant *tenant)
    REQUIRES(tracker->lock)
{
    size_t count = (size_t)tenant->number + 1;
    tracker->tenants =
        mem_grow(tracker->tenants, &tracker->tenant_capacity, count, sizeof *tracker->tenants);
    for (; tracker->tenant_count < count; tracker->tenant_count++)
        tracker->tenants[tracker->tenant_count] = (struct tenant_clusters){0};
    return &tracker->tenants[tenant->number];
}

static void set_text(char to[HA_TEXT_LEN_MAX + 1], struct str text)
{
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
}

static struct cluster *find(const struct tenant_clusters *clusters, struct str name)
{
    for (size_t i = 0; i < clusters->count; i++) {
        if (str_eq(str_from(clusters->ptr[i].name), name))
            return &clusters->ptr[i];
    }
    return NULL;
}

/* The place of a new cluster; NULL when there is none. */
static struct cluster *make_room(struct tenant_clusters *clusters, uint64_t max, int64_t now_ms)
{
    if (clusters->count < max) {
        clusters->ptr = mem_grow(clusters->ptr, &clusters->capacity, clusters->count + 1,
                                 sizeof *clusters->ptr);
        return &clusters->ptr[clusters->count++];
    }
    for (size_t i = 0; i < clusters->count; i++) {
        if (now_ms - clusters->ptr[i].seen_ms >= HA_FORGET_MS)
            return &clusters->ptr[i];
    }
    return NULL;
}

static void elect(struct ha_tracker *tracker, const struct tenant *tenant, struct cluster *cluster,
                  struct str replica)
{
    log_info(
        "tenant \"%s\": cluster \"%s\": nothing came from replica \"%s\" for %lld s, \"%.*s\" is "
        "elected",
        tenant->id.text, cluster->name, cluster->replica, (long long)HA_FAILOVER_MS / 1000,
        STR_ARG(replica));
    counter_add(&tracker->failovers, 1);
    set_text(cluster->replica, replica);
}

static enum status check_locked(struct ha_tracker *tracker, const struct tenant *tenant,
                                struct ha_replica replica, struct ha_verdict *out,
                                struct error *err) REQUIRES(tracker->lock)
{
    struct tenant_clusters *clusters = clusters_of_locked(tracker, tenant);
    int64_t now_ms = clock_monotonic_ms(tracker->clock);
    uint64_t max = tenant_limit(tenant, TENANT_LIMIT_HA_MAX_CLUSTERS);
    struct cluster *cluster = find(clusters, replica.cluster);
    if (cluster == NULL) {
        cluster = make_room(clusters, max, now_ms);
        if (cluster == NULL)
            return error_set(
                err, STATUS_LIMIT,
                "tenant \"%s\" has %zu HA clusters, limit ha_max_clusters is %llu: refused "
                "cluster \"%.*s\"; to raise it: tenants: {%s: {limits: {ha_max_clusters: ...}}}",
                tenant->id.text, clusters->count, (unsigned long long)max, STR_ARG(replica.cluster),
                tenant->id.text);
        set_text(cluster->name, replica.cluster);
        set_text(cluster->replica, replica.name);
    } else if (!str_eq(str_from(cluster->replica), replica.name) &&
               now_ms - cluster->seen_ms >= HA_FAILOVER_MS) {
        elect(tracker, tenant, cluster, replica.name);
    }
    out->is_kept = str_eq(str_from(cluster->replica), replica.name);
    memcpy(out->elected, cluster->replica, sizeof cluster->replica);
    if (out->is_kept)
        cluster->seen_ms = now_ms;
    return STATUS_OK;
}

enum status ha_tracker_check(struct ha_tracker *tracker, const struct tenant *tenant,
                             struct ha_replica replica, struct ha_verdict *out, struct error *err)
{
    struct str cluster = replica.cluster, name = replica.name;
    if (memchr(cluster.ptr, '\0', cluster.len) != NULL || memchr(name.ptr, '\0', name.len) != NULL)
        return error_set(err, STATUS_INVALID,
                         "HA pair: names of cluster and replica: one contains a NUL character");
    if (cluster.len > HA_TEXT_LEN_MAX || name.len > HA_TEXT_LEN_MAX)
        return error_set(
            err, STATUS_INVALID,
            "HA pair: names of cluster and replica: got %zu and %zu bytes, want at most "
            "%d",
            cluster.len, name.len, HA_TEXT_LEN_MAX);
    mutex_lock(&tracker->lock);
    enum status status = check_locked(tracker, tenant, replica, out, err);
    mutex_unlock(&tracker->lock);
    return status;
}
