#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

enum { GROUP_BYTES_MAX = 4096 };

static void read_memory(struct process_status *out)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    unsigned long long total_pages, resident_pages;
    if (fscanf(file, "%llu %llu", &total_pages, &resident_pages) == 2) {
        uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
        out->virtual_bytes = total_pages * page_bytes;
        out->resident_bytes = resident_pages * page_bytes;
    }
    fclose(file);
}

static void read_open_files(struct process_status *out)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->open_files_max = limit.rlim_cur;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return;
    while (readdir(folder) != NULL)
        out->open_files++;
    closedir(folder);
    /* ".", ".." and the folder's own descriptor */
    out->open_files = out->open_files > 3 ? out->open_files - 3 : 0;
}

void process_status(struct process_status *out)
{
    *out = (struct process_status){0};
    read_memory(out);
    read_open_files(out);
}

/* The number in the file; UINT64_MAX when there is none, or none in it ("max"). */
static uint64_t read_number(const char *path)
{
    unsigned long long number;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return UINT64_MAX;
    bool is_number = fscanf(file, "%llu", &number) == 1;
    fclose(file);
    return is_number ? number : UINT64_MAX;
}

/* The least that `name` says in the folder of the group and in those above it; `group` is "/a/b",
   and is shortened. In a container the folders may begin further up than the group's name says. */
static uint64_t least_of_groups(const char *root, char *group, const char *name)
{
    char path[2 * GROUP_BYTES_MAX];
    uint64_t least = UINT64_MAX;
    for (;;) {
        snprintf(path, sizeof path, "%s%s/%s", root, group, name);
        uint64_t number = read_number(path);
        least = number < least ? number : least;
        char *end = strrchr(group, '/');
        if (end == NULL)
            return least;
        *end = '\0';
    }
}

/* `line` of /proc/self/cgroup: "0::/a/b", of version 1 "7:memory:/a/b". */
static uint64_t least_of_line(char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL)
        return UINT64_MAX;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (controllers[1] == '\0')
        return least_of_groups("/sys/fs/cgroup", group, "memory.max");
    if (strcmp(controllers + 1, "memory") == 0)
        return least_of_groups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    return UINT64_MAX;
}

uint64_t process_memory_max_bytes(void)
{
    char line[GROUP_BYTES_MAX];
    uint64_t least = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        uint64_t most = least_of_line(line);
        least = most < least ? most : least;
    }
    if (file != NULL)
        fclose(file);
    return least;
}

uint64_t process_raise_open_files(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

static sigset_t handled_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void process_block_signals(void)
{
    sigset_t set = handled_signals();
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
}

int process_wait_signal(int64_t timeout_ms)
{
    sigset_t set = handled_signals();
    const struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                                     .tv_nsec = timeout_ms % 1000 * 1000000};
    int number = sigtimedwait(&set, NULL, &timeout);
    CHECK(number > 0 || errno == EAGAIN || errno == EINTR);
    return number > 0 ? number : 0;
}
