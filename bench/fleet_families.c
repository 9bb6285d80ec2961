#include "bench/fleet_families.h"

#define WORDS(label, ...)                                                                          \
    {                                                                                              \
        .name = (label), .words = (const char *const[]){__VA_ARGS__},                              \
        .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                 \
    }
#define NUMBERS(label, before, how_many)                                                           \
    {                                                                                              \
        .name = (label), .prefix = (before), .count = (how_many)                                   \
    }

static const struct fleet_dimension mode =
    WORDS("mode", "idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user");
static const struct fleet_dimension cpu = NUMBERS("cpu", "", 16);
static const struct fleet_dimension nic =
    WORDS("device", "eth0", "eth1", "lo", "docker0", "veth1a", "veth2b", "cni0", "flannel.1");
static const struct fleet_dimension disk =
    WORDS("device", "sda", "sdb", "nvme0n1", "nvme1n1", "dm-0", "dm-1");
static const struct fleet_dimension mountpoint =
    WORDS("mountpoint", "/", "/boot", "/home", "/var", "/var/lib/docker", "/tmp");
static const struct fleet_dimension fstype = WORDS("fstype", "ext4");
static const struct fleet_dimension unit = NUMBERS("name", "unit-", 30);
static const struct fleet_dimension unit_state =
    WORDS("state", "activating", "active", "deactivating", "failed", "inactive");
static const struct fleet_dimension collector = NUMBERS("collector", "collector-", 46);
static const struct fleet_dimension release = WORDS("release", "6.1.0-18-amd64");
static const struct fleet_dimension nodename = {
    .name = "nodename", .prefix = "node-", .count = 1, .is_per_instance = true};
static const struct fleet_dimension handler =
    WORDS("handler", "/", "/api/items", "/api/items/:id", "/api/orders", "/api/users", "/healthz",
          "/login", "/metrics");
static const struct fleet_dimension method = WORDS("method", "GET", "POST");
static const struct fleet_dimension code = WORDS("code", "200", "204", "404", "500");
static const struct fleet_dimension le = WORDS("le", "0.005", "0.01", "0.025", "0.05", "0.1",
                                               "0.25", "0.5", "1", "2.5", "5", "10", "+Inf");
static const struct fleet_dimension namespaces =
    WORDS("namespace", "default", "kube-system", "monitoring", "shop");
static const struct fleet_dimension pod = {
    .name = "pod", .prefix = "pod-", .count = 10, .is_per_instance = true};
static const struct fleet_dimension container = WORDS("container", "app", "sidecar");

const struct fleet_family fleet_families[] = {
    {"node_cpu_seconds_total", "node", FLEET_SECONDS, {&cpu, &mode}},
    {"node_network_receive_bytes_total", "node", FLEET_COUNTER, {&nic}},
    {"node_network_transmit_bytes_total", "node", FLEET_COUNTER, {&nic}},
    {"node_network_receive_packets_total", "node", FLEET_COUNTER, {&nic}},
    {"node_network_transmit_packets_total", "node", FLEET_COUNTER, {&nic}},
    {"node_network_receive_errs_total", "node", FLEET_SLOW_COUNTER, {&nic}},
    {"node_network_transmit_errs_total", "node", FLEET_SLOW_COUNTER, {&nic}},
    {"node_network_receive_drop_total", "node", FLEET_SLOW_COUNTER, {&nic}},
    {"node_network_up", "node", FLEET_CONSTANT, {&nic}},
    {"node_filesystem_avail_bytes", "node", FLEET_BYTES, {&fstype, &mountpoint}},
    {"node_filesystem_size_bytes", "node", FLEET_CONSTANT, {&fstype, &mountpoint}},
    {"node_filesystem_files", "node", FLEET_CONSTANT, {&fstype, &mountpoint}},
    {"node_filesystem_files_free", "node", FLEET_BYTES, {&fstype, &mountpoint}},
    {"node_filesystem_readonly", "node", FLEET_CONSTANT, {&fstype, &mountpoint}},
    {"node_disk_read_bytes_total", "node", FLEET_COUNTER, {&disk}},
    {"node_disk_written_bytes_total", "node", FLEET_COUNTER, {&disk}},
    {"node_disk_reads_completed_total", "node", FLEET_SLOW_COUNTER, {&disk}},
    {"node_disk_writes_completed_total", "node", FLEET_SLOW_COUNTER, {&disk}},
    {"node_disk_io_time_seconds_total", "node", FLEET_MILLISECONDS, {&disk}},
    {"node_disk_read_time_seconds_total", "node", FLEET_MILLISECONDS, {&disk}},
    {"node_memory_MemTotal_bytes", "node", FLEET_CONSTANT, {0}},
    {"node_memory_MemFree_bytes", "node", FLEET_BYTES, {0}},
    {"node_memory_MemAvailable_bytes", "node", FLEET_BYTES, {0}},
    {"node_memory_Buffers_bytes", "node", FLEET_BYTES, {0}},
    {"node_memory_Cached_bytes", "node", FLEET_BYTES, {0}},
    {"node_memory_SwapTotal_bytes", "node", FLEET_CONSTANT, {0}},
    {"node_memory_SwapFree_bytes", "node", FLEET_BYTES, {0}},
    {"node_load1", "node", FLEET_LOAD, {0}},
    {"node_load5", "node", FLEET_LOAD, {0}},
    {"node_load15", "node", FLEET_LOAD, {0}},
    {"node_boot_time_seconds", "node", FLEET_CONSTANT, {0}},
    {"node_procs_running", "node", FLEET_SLOW_COUNTER, {0}},
    {"node_context_switches_total", "node", FLEET_COUNTER, {0}},
    {"node_intr_total", "node", FLEET_COUNTER, {0}},
    {"node_netstat_Tcp_InSegs", "node", FLEET_COUNTER, {0}},
    {"node_netstat_Tcp_OutSegs", "node", FLEET_COUNTER, {0}},
    {"node_netstat_Tcp_RetransSegs", "node", FLEET_SLOW_COUNTER, {0}},
    {"node_uname_info", "node", FLEET_INFO, {&nodename, &release}},
    {"node_systemd_unit_state", "node", FLEET_STATE, {&unit, &unit_state}},
    {"node_scrape_collector_duration_seconds", "node", FLEET_DURATION, {&collector}},
    {"node_scrape_collector_success", "node", FLEET_INFO, {&collector}},
    {"http_requests_total", "web", FLEET_COUNTER, {&code, &handler, &method}},
    {"http_request_duration_seconds_bucket", "web", FLEET_BUCKET, {&handler, &method, &le}},
    {"http_request_duration_seconds_count", "web", FLEET_HISTOGRAM_COUNT, {&handler, &method}},
    {"http_request_duration_seconds_sum", "web", FLEET_HISTOGRAM_SUM, {&handler, &method}},
    {"container_cpu_usage_seconds_total",
     "kubelet",
     FLEET_NANOSECONDS,
     {&namespaces, &pod, &container}},
    {"container_memory_working_set_bytes", "kubelet", FLEET_BYTES, {&namespaces, &pod, &container}},
    {"kube_pod_container_resource_limits",
     "kubelet",
     FLEET_CONSTANT,
     {&namespaces, &pod, &container}},
    {"kube_pod_info", "kubelet", FLEET_INFO, {&namespaces, &pod}},
};

const size_t fleet_family_count = sizeof fleet_families / sizeof *fleet_families;

size_t fleet_family_size(const struct fleet_family *family)
{
    size_t size = 1;
    for (size_t i = 0; i < FLEET_DIMENSIONS_MAX && family->dimensions[i] != NULL; i++)
        size *= family->dimensions[i]->count;
    return size;
}

void fleet_family_values(const struct fleet_family *family, size_t index,
                         size_t values[FLEET_DIMENSIONS_MAX])
{
    size_t count = 0;
    while (count < FLEET_DIMENSIONS_MAX && family->dimensions[count] != NULL)
        count++;
    /* the last label turns fastest */
    while (count-- > 0) {
        values[count] = index % family->dimensions[count]->count;
        index /= family->dimensions[count]->count;
    }
}

double fleet_bucket_share(size_t index)
{
    static const double shares[] = {0.05, 0.12, 0.31, 0.55,  0.74,  0.88,
                                    0.94, 0.97, 0.99, 0.996, 0.999, 1};
    return shares[index];
}
