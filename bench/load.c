/*
 * load: sends a fleet's remote writes to a server and says what they cost it.
 *
 *     croft_load --port 9009 --pid 4711 --path /api/v1/write --series 17500 --scrapes 500
 *
 * All bodies are made before the clock starts, so what is measured is the server. Each connection
 * sends its own part of the series, scrape after scrape, and waits for every answer, as Prometheus'
 * shards do. Prints one line of JSON: samples, requests, seconds, the server's CPU seconds, answers
 * by code.
 *
 * With --tenants N each request is one of N tenants' in turn; else it names none.
 *
 * With --slice N only the bodies of N scrapes are held at a time: prints its line after each slice,
 * and goes on when a line comes on standard input.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/process.h"
#include "base/thread.h"
#include "bench/fleet.h"

enum { CONNECTIONS_MAX = 4096, REPLY_MAX_BYTES = 64 << 10, BODY_MAX_BYTES = 64 << 20 };

struct options {
    struct str path;
    struct str metric; /* the only one; empty for all */
    uint64_t port, pid, series, scrapes, slice, batch, connections, interval_ms, start_ms, tenants;
};

/* The requests of one connection, one behind the other, head and body. */
struct connection {
    const struct options *options;
    struct buffer requests;
    size_t *ends; /* where each request ends in `requests` */
    size_t request_count;
    size_t request_capacity;
    struct thread thread;
    uint64_t answers[6]; /* by hundreds of the code; [0]: no answer */
    char first_refusal[256];
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- making ---- */

/* `part` is its number in the scrape. */
static void add_request(struct connection *connection, uint64_t part, struct bytes message)
{
    size_t compressed_len = snappy_max_compressed_length(message.len);
    char *compressed = mem_alloc(compressed_len);
    if (snappy_compress((const char *)message.ptr, message.len, compressed, &compressed_len) !=
        SNAPPY_OK)
        die("snappy");
    buffer_append_format(&connection->requests,
                         "POST %.*s HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
                         "X-Prometheus-Remote-Write-Version: 0.1.0\r\n"
                         "User-Agent: croft-load\r\n",
                         STR_ARG(connection->options->path));
    if (connection->options->tenants > 0)
        buffer_append_format(&connection->requests, "X-Scope-OrgID: tenant-%" PRIu64 "\r\n",
                             part % connection->options->tenants);
    buffer_append_format(&connection->requests, "Content-Length: %zu\r\n\r\n", compressed_len);
    buffer_append(&connection->requests, compressed, compressed_len);
    mem_free(compressed);
    connection->ends = mem_grow(connection->ends, &connection->request_capacity,
                                connection->request_count + 1, sizeof *connection->ends);
    connection->ends[connection->request_count++] = connection->requests.len;
}

/* Of the scrapes [begin, end). */
static void make_requests(const struct options *options, struct fleet *fleet, uint64_t begin,
                          uint64_t end, struct connection *connections)
{
    struct buffer message;
    buffer_init(&message, BODY_MAX_BYTES);
    for (uint64_t scrape = begin; scrape < end; scrape++) {
        int64_t ts_ms = (int64_t)(options->start_ms + scrape * options->interval_ms);
        uint64_t part = 0;
        for (uint64_t from = 0; from < options->series; from += options->batch, part++) {
            uint64_t to = from + options->batch;
            if (to > options->series)
                to = options->series;
            buffer_reset(&message);
            fleet_append_request(fleet, from, to, ts_ms, &message);
            add_request(&connections[part % options->connections], part, buffer_bytes(&message));
        }
    }
    buffer_deinit(&message);
}

/* ---- sending ---- */

static int open_socket(uint64_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void send_all(int fd, const uint8_t *ptr, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, ptr, len, MSG_NOSIGNAL);
        if (sent <= 0)
            die("send");
        ptr += sent;
        len -= (size_t)sent;
    }
}

/* Length of the body that the head announces. */
static size_t content_length(const char *head)
{
    static const char key[] = "content-length:";
    for (const char *line = head; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        if (strncasecmp(line, key, sizeof key - 1) == 0)
            return strtoul(line + sizeof key - 1, NULL, 10);
    }
    return 0;
}

/* One whole answer; returns its code. */
static unsigned receive_reply(int fd, char *reply)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(fd, reply + len, REPLY_MAX_BYTES - 1 - len, 0);
        if (got <= 0)
            return 0;
        len += (size_t)got;
        reply[len] = '\0';
        char *end = strstr(reply, "\r\n\r\n");
        if (end != NULL && len >= (size_t)(end + 4 - reply) + content_length(reply))
            return (unsigned)strtoul(reply + sizeof "HTTP/1.1", NULL, 10);
        if (len == REPLY_MAX_BYTES - 1)
            return 0;
    }
}

static void run_connection(void *context)
{
    struct connection *connection = context;
    char *reply = mem_alloc(REPLY_MAX_BYTES);
    int fd = open_socket(connection->options->port);
    size_t from = 0;
    for (size_t i = 0; i < connection->request_count; i++) {
        send_all(fd, connection->requests.ptr + from, connection->ends[i] - from);
        from = connection->ends[i];
        unsigned code = receive_reply(fd, reply);
        connection->answers[code / 100 < 6 ? code / 100 : 0]++;
        if (code / 100 != 2 && connection->first_refusal[0] == '\0')
            snprintf(connection->first_refusal, sizeof connection->first_refusal, "%s",
                     code == 0 ? "no answer" : reply);
        if (code == 0)
            break;
    }
    close(fd);
    mem_free(reply);
}

/* User and system time of the server so far, in seconds. */
static double server_cpu_seconds(uint64_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    FILE *file = pid == 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return 0;
    unsigned long long user = 0, system = 0;
    if (fgets(line, sizeof line, file) != NULL) {
        /* the name in brackets may hold spaces */
        const char *behind = strrchr(line, ')');
        if (behind == NULL ||
            sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                   &system) != 2)
            user = system = 0;
    }
    fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- the program ---- */

static void print_report(const struct options *options, const struct connection *connections,
                         uint64_t scrapes, double wall_s, double cpu_s)
{
    uint64_t requests = 0, answers[6] = {0};
    const char *refusal = "";
    for (uint64_t i = 0; i < options->connections; i++) {
        requests += connections[i].request_count;
        for (size_t k = 0; k < 6; k++)
            answers[k] += connections[i].answers[k];
        if (connections[i].first_refusal[0] != '\0')
            refusal = connections[i].first_refusal;
    }
    double samples = (double)(options->series * scrapes);
    printf("{\"samples\":%.0f,\"requests\":%llu,\"wall_s\":%.3f,\"cpu_s\":%.2f,"
           "\"samples_per_wall_s\":%.0f,\"samples_per_cpu_s\":%.0f,"
           "\"2xx\":%llu,\"4xx\":%llu,\"5xx\":%llu,\"lost\":%llu}\n",
           samples, (unsigned long long)requests, wall_s, cpu_s, samples / wall_s,
           cpu_s > 0 ? samples / cpu_s : 0, (unsigned long long)answers[2],
           (unsigned long long)answers[4], (unsigned long long)answers[5],
           (unsigned long long)answers[0]);
    if (*refusal != '\0')
        fprintf(stderr, "first refusal: %s\n", refusal);
    fflush(stdout);
}

static void run_slice(const struct options *options, struct fleet *fleet, uint64_t begin,
                      uint64_t end)
{
    struct connection *connections = mem_alloc_zeroed(options->connections, sizeof *connections);
    for (uint64_t i = 0; i < options->connections; i++) {
        connections[i].options = options;
        buffer_init(&connections[i].requests, SIZE_MAX);
    }
    make_requests(options, fleet, begin, end, connections);
    double cpu_before_s = server_cpu_seconds(options->pid);
    uint64_t start_ns = clock_monotonic_ns(clock_real());
    for (uint64_t i = 0; i < options->connections; i++)
        thread_start(&connections[i].thread, "load", run_connection, &connections[i]);
    for (uint64_t i = 0; i < options->connections; i++)
        thread_join(&connections[i].thread);
    double wall_s = (double)(clock_monotonic_ns(clock_real()) - start_ns) / 1e9;
    print_report(options, connections, end - begin, wall_s,
                 server_cpu_seconds(options->pid) - cpu_before_s);
    for (uint64_t i = 0; i < options->connections; i++) {
        buffer_deinit(&connections[i].requests);
        mem_free(connections[i].ends);
    }
    mem_free(connections);
}

static void run(const struct options *options)
{
    struct fleet fleet;
    char line[16];
    if (options->metric.len == 0) {
        fleet_init(&fleet, options->series);
    } else if (!fleet_init_metric(&fleet, options->series, options->metric)) {
        fprintf(stderr, "croft_load: no such metric\n");
        exit(2);
    }
    for (uint64_t begin = 0; begin < options->scrapes;) {
        uint64_t left = options->scrapes - begin;
        uint64_t end = begin + (left < options->slice ? left : options->slice);
        run_slice(options, &fleet, begin, end);
        begin = end;
        if (begin < options->scrapes && fgets(line, sizeof line, stdin) == NULL)
            break;
    }
    fleet_deinit(&fleet);
}

static bool parse_option(struct options *options, const char *name, const char *value)
{
    struct str text = str_from(value);
    if (strcmp(name, "--path") == 0) {
        options->path = text;
        return true;
    }
    if (strcmp(name, "--metric") == 0) {
        options->metric = text;
        return true;
    }
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {
        {"--port", &options->port},
        {"--pid", &options->pid},
        {"--series", &options->series},
        {"--scrapes", &options->scrapes},
        {"--batch", &options->batch},
        {"--connections", &options->connections},
        {"--interval-ms", &options->interval_ms},
        {"--start-ms", &options->start_ms},
        {"--slice", &options->slice},
        {"--tenants", &options->tenants},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i].name) == 0)
            return parse_u64(text, numbers[i].value);
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {.path = STR("/api/v1/write"),
                              .series = 17500,
                              .scrapes = 500,
                              .slice = UINT64_MAX,
                              .batch = 2000,
                              .connections = 4,
                              .interval_ms = 15000};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!parse_option(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "croft_load: bad option %s %s\n", argv[i], argv[i + 1]);
            return 2;
        }
    }
    bool is_usable = options.port > 0 && options.batch > 0 && options.slice > 0 &&
                     options.connections > 0 && options.connections <= CONNECTIONS_MAX;
    if (!is_usable) {
        fprintf(stderr, "croft_load: --port is needed; --connections at most %d\n",
                CONNECTIONS_MAX);
        return 2;
    }
    process_raise_open_files();
    if (options.start_ms == 0)
        options.start_ms =
            (uint64_t)clock_now_ms(clock_real()) - options.scrapes * options.interval_ms;
    run(&options);
    return 0;
}
