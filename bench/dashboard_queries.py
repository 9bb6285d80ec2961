"""Queries as dashboards ask them, over the metrics of fleet_families.c.

Node Exporter Full, Kubernetes and RED (rate, errors, duration) dashboards, in their own words as far
as the metrics allow. Each is asked as a range query over six hours at a step of a minute.
"""

NODE = 'instance="10.0.0.3:9100"'

DASHBOARD = [
    # node exporter, one machine
    f'sum by (mode) (irate(node_cpu_seconds_total{{{NODE}}}[5m])) * 100',
    f'100 * (1 - avg(rate(node_cpu_seconds_total{{mode="idle",{NODE}}}[5m])))',
    f'rate(node_network_receive_bytes_total{{{NODE}}}[5m]) * 8',
    f'irate(node_network_transmit_bytes_total{{device=~"eth.*",{NODE}}}[5m])',
    f'1 - node_memory_MemAvailable_bytes{{{NODE}}} / node_memory_MemTotal_bytes{{{NODE}}}',
    f'node_filesystem_avail_bytes{{{NODE},mountpoint="/"}}',
    f'node_load1{{{NODE}}}',
    f'rate(node_disk_read_time_seconds_total{{{NODE}}}[5m])'
    f' / rate(node_disk_reads_completed_total{{{NODE}}}[5m])',
    f'node_memory_MemTotal_bytes{{{NODE}}} - node_memory_MemFree_bytes{{{NODE}}}'
    f' - node_memory_Buffers_bytes{{{NODE}}} - node_memory_Cached_bytes{{{NODE}}}',
    f'node_scrape_collector_duration_seconds{{{NODE}}}',
    f'sum(node_systemd_unit_state{{{NODE},state="active"}})',
    f'rate(node_context_switches_total{{{NODE}}}[5m])',
    # node exporter, the fleet
    'sum by (mode) (rate(node_cpu_seconds_total[5m]))',
    'sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))',
    '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
    'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[5m]))',
    'sum(rate(node_network_transmit_bytes_total{device!~"lo|docker.*|veth.*"}[5m]))',
    'topk(5, sum by (instance, device) (rate(node_network_receive_bytes_total[5m])))',
    'max by (instance) (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)',
    'node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes{mountpoint="/"} < 0.5',
    'avg_over_time(node_load1[10m])',
    'max_over_time(node_load5[30m])',
    'predict_linear(node_filesystem_avail_bytes{mountpoint="/var"}[1h], 4 * 3600)',
    'deriv(node_memory_MemFree_bytes[30m])',
    'quantile by (job) (0.95, node_load1)',
    'count by (state) (node_systemd_unit_state == 1)',
    'sum by (instance) (rate(node_disk_io_time_seconds_total{device=~"sd.|nvme.*"}[5m]))',
    'rate(node_network_receive_bytes_total{device="eth0"}[5m])'
    ' * on (instance) group_left (nodename) node_uname_info',
    # Kubernetes
    'sum by (namespace) (rate(container_cpu_usage_seconds_total{container!="sidecar"}[5m]))',
    'topk(10, sum by (namespace, pod) (rate(container_cpu_usage_seconds_total[5m])))',
    'sum by (namespace) (container_memory_working_set_bytes)',
    'sum by (namespace, pod) (container_memory_working_set_bytes{namespace="shop"})'
    ' / sum by (namespace, pod) (kube_pod_container_resource_limits{namespace="shop"})',
    'count by (namespace) (kube_pod_info)',
    'sum by (namespace) (container_memory_working_set_bytes'
    ' * on (namespace, pod) group_left () kube_pod_info)',
    # RED
    'sum(rate(http_requests_total[5m]))',
    'sum by (code) (rate(http_requests_total[5m]))',
    'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))',
    'sum by (handler) (increase(http_requests_total{method="GET"}[10m]))',
    'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))',
    'histogram_quantile(0.9,'
    ' sum by (handler, le) (rate(http_request_duration_seconds_bucket{method="GET"}[5m])))',
    'sum by (handler) (rate(http_request_duration_seconds_sum[5m]))'
    ' / sum by (handler) (rate(http_request_duration_seconds_count[5m]))',
    'max_over_time(sum(rate(http_requests_total{code="500"}[5m]))[29m30s:1m])',
    'http_requests_total{instance="10.0.0.3:9100",handler="/login",code="200"}',
]

# (what it is about, query, hours, step in seconds)
SPECIAL = [
    ("rate over 24 h", "sum by (instance) (rate(node_network_receive_bytes_total[5m]))", 24, 240),
    ("quantile by instance",
     "histogram_quantile(0.95, sum by (instance, le)"
     " (rate(http_request_duration_seconds_bucket[5m])))", 6, 60),
    ("count by name", 'count by (__name__) ({__name__=~".+"})', 6, 60),
    ("raw series", "node_cpu_seconds_total", 6, 60),
]
