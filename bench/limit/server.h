/* What the bare servers have in common: one thread, level-triggered epoll, and an end when standard input closes. */
#ifndef SERVER_H
#define SERVER_H

#include "program.h"

#include <sys/epoll.h>
#include <sys/socket.h>

enum { BUFFER_BYTES = 256 * 1024, MAX_EVENTS = 1024, BACKLOG = 4096 };

static char buffer[BUFFER_BYTES];
static int poller;

/* Has epoll hand `data` out for these events. */
static void watch_fd(int operation, int fd, void *data, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(poller, operation, fd, &event) < 0) die_of("epoll_ctl");
}

/* A socket on a port of its own. */
static int bind_to_loopback(int type, int *port) {
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die_of("bind");
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) die_of("getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

/* The next connection, or -1 if there is none. */
static inline int accept_next(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED) die_of("accept4");
    return fd;
}

static void open_poller(void) {
    raise_descriptor_limit();
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) die_of("epoll_create1");
}

/* Says where it listens, and calls `handle` for what is ready; returns when standard input closes. */
static inline void serve_all(int port, void (*handle)(void *data, unsigned events)) {
    static struct epoll_event events[MAX_EVENTS];
    static char input;
    watch_fd(EPOLL_CTL_ADD, STDIN_FILENO, &input, EPOLLIN);
    printf("{\"pid\": %d, \"tid\": %d, \"port\": %d}\n", getpid(), getpid(), port);
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) die_of("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &input) return;
            handle(events[i].data.ptr, events[i].events);
        }
    }
}

#endif
