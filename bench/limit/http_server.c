/* What the HTTP client rows ask: a server that answers every request alike, with the same bytes.
 *
 * One thread, level-triggered epoll, one recv and one send for each request; a request ends with an empty line and has
 * no body. Prints one JSON line when it listens; ends when its standard input closes.
 *
 *   http_server [--cpu N]
 */
#define _GNU_SOURCE
#include "server.h"

#include <netinet/tcp.h>

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\n"
                             "Hello, world!";
static const char REQUEST_END[] = "\r\n\r\n";

struct connection {
    int fd;
    int matched; /* bytes of REQUEST_END that came last */
};

static struct connection listener;

/* How many requests end in these bytes. */
static int count_requests(struct connection *c, const char *data, ssize_t length) {
    int count = 0;
    for (ssize_t i = 0; i < length; i++) {
        c->matched = data[i] == REQUEST_END[c->matched] ? c->matched + 1 : data[i] == '\r';
        if (c->matched < (int)sizeof REQUEST_END - 1) continue;
        c->matched = 0;
        count++;
    }
    return count;
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c);
}

static void on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) drop(c);
        return;
    }
    for (int count = count_requests(c, buffer, n); count > 0; count--) {
        /* A client has one request in flight: its socket has room for an answer. */
        if (send(c->fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) != (ssize_t)sizeof ANSWER - 1) {
            drop(c);
            return;
        }
    }
}

static void accept_all(void) {
    int fd, one = 1;
    while ((fd = accept_next(listener.fd)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = calloc(1, sizeof *c);
        if (!c) die("out of memory");
        c->fd = fd;
        watch_fd(EPOLL_CTL_ADD, fd, c, EPOLLIN);
    }
}

static void on_event(void *data, unsigned events) {
    (void)events;
    if (data == &listener) accept_all();
    else on_readable(data);
}

int main(int argc, char **argv) {
    int port = 0;
    if (argc == 3 && !strcmp(argv[1], "--cpu")) pin_to_core(atoi(argv[2]));
    open_poller();
    listener.fd = bind_to_loopback(SOCK_STREAM, &port);
    if (listen(listener.fd, BACKLOG) < 0) die_of("listen");
    watch_fd(EPOLL_CTL_ADD, listener.fd, &listener, EPOLLIN);
    serve_all(port, on_event);
    return 0;
}
