/* The load generator, the same for every loop: one thread, epoll, N connections, one request in flight on each.
 *
 * It is C so that it is never what is measured; it prints its own share of its core ("load_cpu_share") to show so.
 * The clock of the server's CPU time is read here, at the very edges of the measured window.
 *
 *   load (--port N | --unix PATH) [--mode echo|http|ws|sink|source|accept|datagram|idle] [--connections N]
 *        [--silent N] [--size BYTES] [--warmup SECONDS] [--duration SECONDS] [--server-pid PID] [--server-tid TID]
 *        [--path /] [--cpu N] [--commands 1]
 *
 * echo    send SIZE bytes, expect the same bytes back (compared)
 * http    GET PATH with keep-alive; the first answer of a connection fixes the length of the following ones
 * ws      WebSocket handshake, then binary messages of SIZE bytes, expects them back (compared)
 * sink    write without end; a message is SIZE bytes taken by the socket
 * source  read without end; a message is SIZE bytes read
 * accept  connect, send one byte, get one byte, close by reset (leaves no TIME_WAIT)
 * datagram  echo over UDP: a connection is a connected socket; what is not answered in RESEND_NS is sent again
 * idle    as accept during the warm-up, ten at a time and with SIZE bytes; then N connections with one echo of SIZE bytes
 *         each, and silence. "connection_kib" is what the server's resident memory grew by, for each of them
 *
 * With --silent as many more connections are opened first; each has one message there and back and stays open.
 * With --commands 1 what to do comes in lines, "warm-up SECONDS" and "measure SECONDS", each answered by a line of JSON;
 * between them the connections are left as they are. The input's end is the end.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { BUFFER_BYTES = 512 * 1024, MAX_EVENTS = 1024, HEAD_BYTES = 16 * 1024, CHURN_CONNECTIONS = 10, PATIENCE_S = 20 };
enum mode { ECHO, HTTP, WS, SINK, SOURCE, ACCEPT, DATAGRAM, IDLE };
static const char *const MODE_NAMES[] = {"echo", "http", "ws", "sink", "source", "accept", "datagram", "idle"};
static const uint64_t RESEND_NS = 200 * 1000 * 1000;

struct connection {
    int fd;
    size_t sent;          /* of the request in flight */
    size_t received;      /* of its answer */
    size_t answer_length; /* bytes that make up one answer */
    uint64_t started_ns;
};

static enum mode mode = ECHO;
static const char *unix_path, *http_path = "/";
static char *request, *expected; /* expected is NULL where the answer is not compared */
static size_t request_length;
static char buffer[BUFFER_BYTES];
static int poller, silent;
static uint64_t resent;

static void note_message(struct connection *c) {
    c->started_ns = note_answer(c->started_ns);
    c->sent = c->received = 0;
}

static int open_socket(int flags) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int type = mode == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
    int one = 1, fd = socket(unix_path ? AF_UNIX : AF_INET, type | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) die_of("socket");
    if (unix_path || mode == DATAGRAM) return fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Closed by a reset, it leaves no TIME_WAIT behind: thousands of those would be with the next measurements. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return fd;
}

static int start_connect(int fd) {
    struct sockaddr_in in = loopback(port);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (unix_path) {
        strncpy(un.sun_path, unix_path, sizeof un.sun_path - 1);
        return connect(fd, (struct sockaddr *)&un, sizeof un);
    }
    return connect(fd, (struct sockaddr *)&in, sizeof in);
}

static void watch(int operation, struct connection *c, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event) < 0) die_of("epoll_ctl");
}

/* Returns 0 when the socket takes no more for now. */
static int push_request(struct connection *c) {
    while (c->sent < request_length) {
        ssize_t n = send(c->fd, request + c->sent, request_length - c->sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            die_of("send");
        }
        c->sent += (size_t)n;
    }
    return 1;
}

static void send_request(struct connection *c) {
    if (!push_request(c)) watch(EPOLL_CTL_MOD, c, EPOLLIN | EPOLLOUT);
}

static void reopen(struct connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = open_socket(SOCK_NONBLOCK);
    if (start_connect(c->fd) < 0 && errno != EINPROGRESS) die_of("connect");
    watch(EPOLL_CTL_ADD, c, EPOLLOUT);
}

static void on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) die("the server closed a connection: %s", n < 0 ? strerror(errno) : "end of file");
    if (mode == SOURCE) {
        moved_bytes += (size_t)n;
        return;
    }
    if (c->received + (size_t)n > c->answer_length) die("the server sent more than it was asked for");
    if (expected && memcmp(buffer, expected + c->received, (size_t)n) != 0) die("the server sent other bytes than it got");
    c->received += (size_t)n;
    if (c->received < c->answer_length) return;
    note_message(c);
    if (mode == ACCEPT) reopen(c);
    else send_request(c);
}

static void on_writable(struct connection *c) {
    if (mode == SINK) {
        ssize_t n = send(c->fd, buffer, sizeof buffer, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) die_of("send");
        if (n > 0) moved_bytes += (size_t)n;
        return;
    }
    if (push_request(c)) watch(EPOLL_CTL_MOD, c, EPOLLIN);
}

/* --- setting up, blocking ----------------------------------------------------------------------------------- */

/* Reads a response head; returns its length, and in *extra the bytes read after it. */
static size_t read_head(int fd, char *head, size_t *extra) {
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(fd, head + have, HEAD_BYTES - 1 - have, 0);
        if (n <= 0) die("no answer to the first request");
        have += (size_t)n;
        head[have] = 0;
        char *end = strstr(head, "\r\n\r\n");
        if (end) {
            size_t length = (size_t)(end - head) + 4;
            *extra = have - length;
            return length;
        }
        if (have == HEAD_BYTES - 1) die("the head of the answer is too long");
    }
}

static void learn_http_answer(struct connection *c) {
    char head[HEAD_BYTES];
    size_t extra;
    if (send(c->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) die_of("send");
    size_t head_length = read_head(c->fd, head, &extra);
    if (strncmp(head, "HTTP/1.1 200", 12) != 0) die("unexpected answer: %.60s", head);
    char *field = strcasestr(head, "content-length:");
    if (!field) die("an answer without Content-Length");
    size_t body = (size_t)strtoul(field + 15, NULL, 10);
    while (extra < body) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n <= 0) die("the first answer is cut off");
        extra += (size_t)n;
    }
    c->answer_length = head_length + body;
}

static void upgrade_to_websocket(struct connection *c) {
    static const char ask[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char head[HEAD_BYTES];
    size_t extra;
    if (send(c->fd, ask, sizeof ask - 1, MSG_NOSIGNAL) < 0) die_of("send");
    read_head(c->fd, head, &extra);
    if (strncmp(head, "HTTP/1.1 101", 12) != 0) die("no upgrade: %.60s", head);
}

static size_t frame_header(char *at, int masked) {
    unsigned char *p = (unsigned char *)at;
    size_t n = 2;
    p[0] = 0x82;
    if (size < 126) {
        p[1] = (unsigned char)size;
    } else if (size < 65536) {
        p[1] = 126, p[2] = (unsigned char)(size >> 8), p[3] = (unsigned char)size, n = 4;
    } else {
        p[1] = 127, n = 10;
        for (int i = 0; i < 8; i++) p[2 + i] = (unsigned char)((uint64_t)size >> (56 - 8 * i));
    }
    if (masked) {
        static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
        p[1] |= 0x80;
        memcpy(p + n, mask, 4);
        n += 4;
    }
    return n;
}

static size_t make_request(void) {
    request = calloc(1, size + 512), expected = calloc(1, size + 512);
    if (!request || !expected) die("out of memory");
    if (mode == HTTP) {
        free(expected);
        expected = NULL;
        request_length = (size_t)snprintf(request, size + 512, "GET %.200s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", http_path);
        return 0;
    }
    if (mode == ACCEPT) size = 1;
    size_t in = mode == WS ? frame_header(request, 1) : 0, out = mode == WS ? frame_header(expected, 0) : 0;
    for (size_t i = 0; i < size; i++) {
        char byte = (char)(i * 7 + i / 251);
        expected[out + i] = byte;
        request[in + i] = mode == WS ? (char)(byte ^ request[in - 4 + i % 4]) : byte;
    }
    request_length = in + size;
    return out + size;
}

static void parse(int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value) die("%s needs a value", name);
        if (take_option(name, value)) continue;
        if (!strcmp(name, "--unix")) unix_path = value;
        else if (!strcmp(name, "--path")) http_path = value;
        else if (!strcmp(name, "--silent")) silent = atoi(value);
        else if (!strcmp(name, "--mode")) mode = (enum mode)mode_named(value, MODE_NAMES, IDLE + 1);
        else die("unknown option %s", name);
    }
    if (!port && !unix_path) die("--port or --unix is needed");
    check_options();
}

/* Connects, and sends one message there and back. */
static int open_silent(void) {
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = open_socket(0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (start_connect(fd) < 0) die_of("connect");
    for (size_t sent = 0, received = 0; received < request_length;) {
        ssize_t n = sent < request_length ? send(fd, request + sent, request_length - sent, MSG_NOSIGNAL) : 0;
        if (n < 0) die_of("send");
        sent += (size_t)n;
        n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) die("no answer on a connection that is to be silent: %s", n < 0 ? strerror(errno) : "end of file");
        received += (size_t)n;
    }
    return fd;
}

static void connect_all(struct connection *all, size_t answer_length) {
    for (int i = 0; i < silent; i++) open_silent();
    for (int i = 0; i < connections; i++) {
        struct connection *c = &all[i];
        c->fd = -1;
        c->answer_length = answer_length;
        if (mode == ACCEPT) {
            reopen(c);
            continue;
        }
        c->fd = open_socket(0);
        if (start_connect(c->fd) < 0) die_of("connect");
        if (mode == HTTP) learn_http_answer(c);
        if (mode == WS) upgrade_to_websocket(c);
        if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0) die_of("fcntl");
        watch(EPOLL_CTL_ADD, c, mode == SINK ? EPOLLOUT : EPOLLIN);
    }
    for (int i = 0; i < connections; i++) {
        all[i].started_ns = clock_ns(CLOCK_MONOTONIC);
        if (mode == ECHO || mode == HTTP || mode == WS || mode == DATAGRAM) send_request(&all[i]);
    }
}

/* A datagram that found a full buffer is gone: without this its connection would be silent for good. */
static void resend_lost(struct connection *all, uint64_t now) {
    for (int i = 0; i < connections; i++) {
        if (now < all[i].started_ns + RESEND_NS) continue;
        all[i].started_ns = now;
        all[i].sent = 0;
        resent++;
        send_request(&all[i]);
    }
}

/* Serves events until the given time on CLOCK_MONOTONIC. */
static void run_until(struct connection *all, uint64_t end_ns) {
    static struct epoll_event events[MAX_EVENTS];
    uint64_t now, check_ns = 0;
    while ((now = clock_ns(CLOCK_MONOTONIC)) < end_ns) {
        int wait_ms = (int)((end_ns - now) / 1000000u) + 1;
        if (mode == DATAGRAM) {
            if (now >= check_ns) {
                resend_lost(all, now);
                check_ns = now + RESEND_NS / 4;
            }
            if (wait_ms > 50) wait_ms = 50;
        }
        int count = epoll_wait(poller, events, MAX_EVENTS, wait_ms);
        if (count < 0 && errno != EINTR) die_of("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) on_writable(c);
            if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP) && mode != SINK) on_readable(c);
        }
    }
}

static void run_for(struct connection *all, double seconds) {
    run_until(all, clock_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9));
}

static void measure_idle(size_t answer_length) {
    int wanted = connections;
    struct connection churning[CHURN_CONNECTIONS] = {0};
    mode = ACCEPT;
    connections = CHURN_CONNECTIONS;
    connect_all(churning, answer_length);
    run_for(churning, warmup_s);
    for (int i = 0; i < CHURN_CONNECTIONS; i++) close(churning[i].fd);
    connections = 0;
    run_for(NULL, 0.5);
    double before_mib = process_rss_mib(server_pid);
    connections = wanted;
    for (int i = 0; i < connections; i++) open_silent();
    struct window start = clocks(server_pid, server_tid);
    run_for(NULL, duration_s);
    double after_mib = process_rss_mib(server_pid);
    print_window(start, connections, server_pid, server_tid);
    print_growth(before_mib, after_mib);
    printf("}\n");
}

static void measure_window(struct connection *all, double seconds) {
    measuring = 1;
    moved_bytes = resent = messages = latency_count = 0;
    struct window start = clocks(server_pid, server_tid);
    run_until(all, start.wall_ns + (uint64_t)(seconds * 1e9));
    measuring = 0;
    double count = mode == SINK || mode == SOURCE ? (double)moved_bytes / (double)size : (double)messages;
    print_window(start, count, server_pid, server_tid);
    if (mode == DATAGRAM) printf(", \"resent\": %llu", (unsigned long long)resent);
    printf("}\n");
}

/* What was in flight since the last command was not lost: the server was stopped. */
static void forget_waiting(struct connection *all) {
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < connections; i++) all[i].started_ns = now;
}

static void obey(struct connection *all) {
    int measure;
    double seconds;
    while (next_command(&measure, &seconds)) {
        if (mode == DATAGRAM) forget_waiting(all);
        if (measure) measure_window(all, seconds);
        else run_for(all, seconds), printf("{}\n");
        fflush(stdout);
    }
}

static void measure(size_t answer_length) {
    struct connection *all = calloc((size_t)connections, sizeof *all);
    if (!all) die("out of memory");
    connect_all(all, answer_length);
    if (commanded) {
        obey(all);
        return;
    }
    run_for(all, warmup_s);
    measure_window(all, duration_s);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    raise_descriptor_limit();
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) die_of("epoll_create1");
    size_t answer_length = make_request();
    if (mode == IDLE) measure_idle(answer_length);
    else measure(answer_length);
    return 0;
}
