/* The limit: what one thread with bare epoll and no interpreter does on this machine.
 *
 * Level-triggered epoll, one recv and one send per message, one shared buffer; what does not fit into the
 * socket is kept per connection. Prints one JSON line when it listens; ends when its standard input closes.
 *
 *   echo [--mode echo|sink|source] [--unix PATH] [--cpu N]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, MAX_EVENTS = 1024, BACKLOG = 4096 };
enum mode { ECHO, SINK, SOURCE };

struct connection {
    int fd;
    char *pending; /* bytes that send() did not take, or NULL */
    size_t pending_length;
    size_t pending_sent;
};

static char buffer[BUFFER_BYTES];
static int poller;

static void die(const char *what) {
    fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(int operation, struct connection *c, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event) < 0) die("epoll_ctl");
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c->pending);
    free(c);
}

/* Sends what it can; returns the number of bytes taken, or -1 if the peer is gone. */
static ssize_t send_some(int fd, const char *data, size_t length) {
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN ? 0 : -1;
    return n;
}

static void on_readable(struct connection *c, enum mode mode) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return;
        drop(c);
        return;
    }
    if (mode != ECHO) return;
    ssize_t sent = send_some(c->fd, buffer, (size_t)n);
    if (sent < 0) {
        drop(c);
        return;
    }
    if (sent < n) {
        c->pending_length = (size_t)(n - sent);
        c->pending_sent = 0;
        c->pending = malloc(c->pending_length);
        if (!c->pending) die("malloc");
        memcpy(c->pending, buffer + sent, c->pending_length);
        watch(EPOLL_CTL_MOD, c, EPOLLOUT);
    }
}

static void on_writable(struct connection *c, enum mode mode) {
    if (mode == SOURCE) {
        for (int i = 0; i < 8; i++) {
            ssize_t sent = send_some(c->fd, buffer, sizeof buffer);
            if (sent < 0) drop(c);
            if (sent < (ssize_t)sizeof buffer) return;
        }
        return;
    }
    ssize_t sent = send_some(c->fd, c->pending + c->pending_sent, c->pending_length - c->pending_sent);
    if (sent < 0) {
        drop(c);
        return;
    }
    c->pending_sent += (size_t)sent;
    if (c->pending_sent == c->pending_length) {
        free(c->pending);
        c->pending = NULL;
        watch(EPOLL_CTL_MOD, c, EPOLLIN);
    }
}

static void accept_all(int listener, enum mode mode, int is_tcp) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN || errno == ECONNABORTED) return;
            die("accept4");
        }
        int one = 1;
        if (is_tcp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = calloc(1, sizeof *c);
        if (!c) die("calloc");
        c->fd = fd;
        watch(EPOLL_CTL_ADD, c, mode == SOURCE ? EPOLLOUT : EPOLLIN);
    }
}

static int listen_tcp(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) die("getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

static int listen_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) die("path too long");
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0) die("listen");
    return fd;
}

int main(int argc, char **argv) {
    enum mode mode = ECHO;
    const char *path = NULL;
    int port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--mode")) {
            mode = !strcmp(argv[i + 1], "sink") ? SINK : !strcmp(argv[i + 1], "source") ? SOURCE : ECHO;
        } else if (!strcmp(argv[i], "--unix")) {
            path = argv[i + 1];
        } else if (!strcmp(argv[i], "--cpu")) {
            cpu_set_t set;
            CPU_ZERO(&set);
            CPU_SET(atoi(argv[i + 1]), &set);
            if (sched_setaffinity(0, sizeof set, &set) < 0) die("sched_setaffinity");
        }
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) die("epoll_create1");
    struct connection listener = {.fd = path ? listen_unix(path) : listen_tcp(&port)};
    struct connection input = {.fd = STDIN_FILENO};
    watch(EPOLL_CTL_ADD, &listener, EPOLLIN);
    watch(EPOLL_CTL_ADD, &input, EPOLLIN);
    printf("{\"pid\": %d, \"tid\": %d, \"port\": %d}\n", getpid(), getpid(), port);
    fflush(stdout);

    static struct epoll_event events[MAX_EVENTS];
    for (;;) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == &input) return 0;
            if (c == &listener) {
                accept_all(listener.fd, mode, path == NULL);
            } else if (events[i].events & EPOLLOUT) {
                on_writable(c, mode);
            } else {
                on_readable(c, mode);
            }
        }
    }
}
