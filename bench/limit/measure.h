/* What both load generators have: their options, clocks, the server's CPU time and memory, latencies. */
#ifndef MEASURE_H
#define MEASURE_H

#include "program.h"

#include <time.h>

static int port, connections = 1, server_pid, server_tid;
static size_t size = 1024;
static double warmup_s = 1.0, duration_s = 2.0;
static uint64_t messages;
static int measuring;
static int commanded; /* whether to measure when told to on standard input, again and again, on the same connections */
static uint64_t moved_bytes; /* where a message is nothing but so many bytes */
static uint32_t *latencies_ns;
static size_t latency_count, latency_capacity;

static uint64_t clock_ns(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) < 0) die_of("clock_gettime");
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t process_cpu_ns(int pid) {
    clockid_t clock;
    if (pid == 0) return 0;
    if (clock_getcpuclockid(pid, &clock) != 0) die("the server (process %d) is gone", pid);
    return clock_ns(clock);
}

/* A thread of another process has no clock to read; the scheduler's own account of it has nanoseconds too. */
static uint64_t thread_cpu_ns(int pid, int tid) {
    char path[64];
    unsigned long long ns = 0;
    if (pid == 0 || tid == 0) return 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, tid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%llu", &ns) != 1) ns = 0;
    fclose(file);
    return ns;
}

static double process_rss_mib(int pid) {
    char path[64];
    unsigned long total = 0, resident = 0;
    if (pid == 0) return 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

static void note_latency(uint64_t took_ns) {
    if (latency_count == latency_capacity) {
        latency_capacity = latency_capacity ? latency_capacity * 2 : 1 << 20;
        latencies_ns = realloc(latencies_ns, latency_capacity * sizeof *latencies_ns);
        if (!latencies_ns) die("out of memory");
    }
    latencies_ns[latency_count++] = took_ns > UINT32_MAX ? UINT32_MAX : (uint32_t)took_ns;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(double p) {
    if (latency_count == 0) return 0;
    size_t i = (size_t)(p * (double)(latency_count - 1));
    return latencies_ns[i] / 1000.0;
}

/* Counts an answer to what was sent at `started_ns`, if it is in the measured window; returns the time now. */
static uint64_t note_answer(uint64_t started_ns) {
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    if (measuring) {
        note_latency(now - started_ns);
        messages++;
    }
    return now;
}

/* What the server's resident memory grew by for each of the connections, as a part of the printed line. */
static inline void print_growth(double before_mib, double after_mib) {
    printf(", \"before_mib\": %.2f, \"connection_kib\": %.3f", before_mib, (after_mib - before_mib) * 1024 / connections);
}

/* --- options ---------------------------------------------------------------------------------------------------- */

/* Takes an option that both have; returns 0 if it is another one. */
static int take_option(const char *name, const char *value) {
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--connections")) connections = atoi(value);
    else if (!strcmp(name, "--size")) size = strtoul(value, NULL, 10);
    else if (!strcmp(name, "--warmup")) warmup_s = atof(value);
    else if (!strcmp(name, "--duration")) duration_s = atof(value);
    else if (!strcmp(name, "--server-pid")) server_pid = atoi(value);
    else if (!strcmp(name, "--server-tid")) server_tid = atoi(value);
    else if (!strcmp(name, "--cpu")) pin_to_core(atoi(value));
    else if (!strcmp(name, "--commands")) commanded = atoi(value);
    else return 0;
    return 1;
}

static int mode_named(const char *value, const char *const *names, int count) {
    for (int mode = 0; mode < count; mode++)
        if (!strcmp(value, names[mode])) return mode;
    die("unknown mode %s", value);
    return -1;
}

static void check_options(void) {
    if (connections < 1 || size < 1) die("--connections and --size must be positive");
}

/* Reads the next command, "warm-up SECONDS" or "measure SECONDS"; returns 0 at the end of the input. */
static inline int next_command(int *measure, double *seconds) {
    char line[64];
    if (!fgets(line, sizeof line, stdin)) return 0;
    *measure = sscanf(line, "measure %lf", seconds) == 1;
    if (!*measure && sscanf(line, "warm-up %lf", seconds) != 1) die("not a command: %s", line);
    return 1;
}

/* --- the measured window --------------------------------------------------------------------------------------- */

struct window {
    uint64_t wall_ns, own_ns, process_ns, thread_ns;
};

static struct window clocks(int server_pid, int server_tid) {
    return (struct window){
        .wall_ns = clock_ns(CLOCK_MONOTONIC),
        .own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
        .process_ns = process_cpu_ns(server_pid),
        .thread_ns = thread_cpu_ns(server_pid, server_tid),
    };
}

/* Prints the figures between the clocks that were read at the window's start and now, without the closing brace. */
static void print_window(struct window start, double count, int server_pid, int server_tid) {
    struct window now = clocks(server_pid, server_tid);
    double wall = (double)(now.wall_ns - start.wall_ns), own = (double)(now.own_ns - start.own_ns);
    double process = (double)(now.process_ns - start.process_ns), thread = (double)(now.thread_ns - start.thread_ns);
    if (count <= 0) die("no message in the measured window");
    if (latency_count) qsort(latencies_ns, latency_count, sizeof *latencies_ns, by_value);
    printf("{\"messages\": %.0f, \"seconds\": %.6f, \"messages_per_s\": %.1f, \"process_cpu_us\": %.4f, "
           "\"thread_cpu_us\": %.4f, \"server_cpu_share\": %.3f, \"load_cpu_share\": %.3f, \"rss_mib\": %.2f",
           count, wall / 1e9, count / (wall / 1e9), process / 1e3 / count, thread / 1e3 / count, process / wall,
           own / wall, process_rss_mib(server_pid));
    if (latency_count)
        printf(", \"p50_us\": %.2f, \"p99_us\": %.2f, \"max_us\": %.2f", percentile_us(0.5), percentile_us(0.99),
               percentile_us(1.0));
}

#endif
