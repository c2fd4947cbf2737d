/* The limit: what one thread with bare epoll and no interpreter does on this machine.
 *
 * Level-triggered epoll, one recv and one send per message, one shared buffer; what does not fit into the
 * socket is kept per connection. Prints one JSON line when it listens; ends when its standard input closes.
 *
 *   echo [--mode echo|sink|source] [--unix PATH] [--cpu N]
 */
#define _GNU_SOURCE
#include "server.h"

#include <netinet/tcp.h>
#include <sys/un.h>

enum mode { ECHO, SINK, SOURCE };

struct connection {
    int fd;
    char *pending; /* bytes that send() did not take, or NULL */
    size_t pending_length;
    size_t pending_sent;
};

static enum mode mode = ECHO;
static struct connection listener;
static const char *path;

static void watch(int operation, struct connection *c, unsigned events) {
    watch_fd(operation, c->fd, c, events);
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

static void on_readable(struct connection *c) {
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
        if (!c->pending) die("out of memory");
        memcpy(c->pending, buffer + sent, c->pending_length);
        watch(EPOLL_CTL_MOD, c, EPOLLOUT);
    }
}

static void on_writable(struct connection *c) {
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

static void accept_all(void) {
    int fd, one = 1;
    while ((fd = accept_next(listener.fd)) >= 0) {
        if (!path) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = calloc(1, sizeof *c);
        if (!c) die("out of memory");
        c->fd = fd;
        watch(EPOLL_CTL_ADD, c, mode == SOURCE ? EPOLLOUT : EPOLLIN);
    }
}

static void on_event(void *data, unsigned events) {
    if (data == &listener) accept_all();
    else if (events & EPOLLOUT) on_writable(data);
    else on_readable(data);
}

static int bind_to_path(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) die("path too long");
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die_of("bind");
    return fd;
}

int main(int argc, char **argv) {
    int port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--mode")) {
            mode = !strcmp(argv[i + 1], "sink") ? SINK : !strcmp(argv[i + 1], "source") ? SOURCE : ECHO;
        } else if (!strcmp(argv[i], "--unix")) {
            path = argv[i + 1];
        } else if (!strcmp(argv[i], "--cpu")) {
            pin_to_core(atoi(argv[i + 1]));
        }
    }
    open_poller();
    listener.fd = path ? bind_to_path() : bind_to_loopback(SOCK_STREAM, &port);
    if (listen(listener.fd, BACKLOG) < 0) die_of("listen");
    watch(EPOLL_CTL_ADD, &listener, EPOLLIN);
    serve_all(port, on_event);
    return 0;
}
