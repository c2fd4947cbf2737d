/* The limit for UDP: what one thread with bare epoll and no interpreter does on this machine.
 *
 * Level-triggered epoll, one recvfrom and one sendto per datagram and one datagram per event; what the socket does not
 * take is lost. Prints one JSON line when it listens; ends when its standard input closes.
 *
 *   datagrams [--cpu N]
 */
#define _GNU_SOURCE
#include "server.h"

static int fd;

static void echo_one(void *data, unsigned events) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    (void)data, (void)events; /* there is but one socket, and it is readable */
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) return;
        die_of("recvfrom");
    }
    if (sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&peer, length) < 0 && errno != EAGAIN) die_of("sendto");
}

int main(int argc, char **argv) {
    int port;
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--cpu")) pin_to_core(atoi(argv[i + 1]));
    open_poller();
    fd = bind_to_loopback(SOCK_DGRAM, &port);
    watch_fd(EPOLL_CTL_ADD, fd, &fd, EPOLLIN);
    serve_all(port, echo_one);
    return 0;
}
