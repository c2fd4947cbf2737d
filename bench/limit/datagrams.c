/* The limit for UDP: what one thread with bare epoll and no interpreter does on this machine.
 *
 * Level-triggered epoll, one recvfrom and one sendto per datagram and one datagram per event; what the socket does not
 * take is lost. Prints one JSON line when it listens; ends when its standard input closes.
 *
 *   datagrams [--cpu N]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, MAX_EVENTS = 16 };

static char buffer[BUFFER_BYTES];

static void die(const char *what) {
    fprintf(stderr, "datagrams: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_socket(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) die("getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

static void echo_one(int fd) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) return;
        die("recvfrom");
    }
    if (sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&peer, length) < 0 && errno != EAGAIN) die("sendto");
}

static void watch(int poller, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

int main(int argc, char **argv) {
    int port;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--cpu")) {
            cpu_set_t set;
            CPU_ZERO(&set);
            CPU_SET(atoi(argv[i + 1]), &set);
            if (sched_setaffinity(0, sizeof set, &set) < 0) die("sched_setaffinity");
        }
    }
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) die("epoll_create1");
    int fd = open_socket(&port);
    watch(poller, fd);
    watch(poller, STDIN_FILENO);
    printf("{\"pid\": %d, \"tid\": %d, \"port\": %d}\n", getpid(), getpid(), port);
    fflush(stdout);

    struct epoll_event events[MAX_EVENTS];
    for (;;) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == STDIN_FILENO) return 0;
            echo_one(fd);
        }
    }
}
