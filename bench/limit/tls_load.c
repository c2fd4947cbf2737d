/* The load generator of the TLS rows: load.c with OpenSSL in it. One thread, epoll, N connections.
 *
 * Version, cipher suite and key exchange are fixed here, so that every server does the same cryptography, and no
 * session is ever offered for resumption: each handshake is a full one. Memory BIOs stand between OpenSSL and the
 * socket, so that a message of many records is one send, as from any program that cares.
 *
 *   tls_load --port N [--mode echo|handshake|start_tls|sink|source|idle] [--connections N] [--size BYTES]
 *            [--warmup SECONDS] [--duration SECONDS] [--server-pid PID] [--server-tid TID] [--cpu N]
 *            [--commands 1]
 *
 * echo       send SIZE bytes, expect the same bytes back (compared); one message in flight on each connection
 * handshake  a message is the life of a connection: connect, full handshake, one byte there and back, close_notify
 *            from both sides, the server closes
 * start_tls  the same, but the connection first carries one plain byte there and back
 * sink       write without end; a message is SIZE bytes encrypted and taken by the socket
 * source     read without end; a message is SIZE bytes decrypted
 * idle       as handshake during the warm-up, ten at a time; then N connections with one echo of SIZE bytes each, and
 *            silence. "connection_kib" is what the server's resident memory grew by, for each of them
 *
 * With --commands 1 what to do comes in lines, as in load.c.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MAX_EVENTS = 1024, READ_BYTES = 256 * 1024, CHURN_CONNECTIONS = 10, PATIENCE_S = 20, POUR_BYTES = 64 * 1024 };
enum mode { ECHO, HANDSHAKE, START_TLS, SINK, SOURCE, IDLE };
enum state { CONNECTING, PLAIN, SHAKING, ECHOING, FLOWING, SILENT, CLOSING, CLOSED };
static const char *const MODE_NAMES[] = {"echo", "handshake", "start_tls", "sink", "source", "idle"};

struct connection {
    int fd;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    enum state state;
    unsigned watched; /* the events that epoll waits for */
    size_t received;  /* of the message in flight */
    uint64_t started_ns;
};

static enum mode mode = ECHO;
static SSL_CTX *context;
static int poller;
static char *message, buffer[READ_BYTES], received[READ_BYTES];
static char negotiated[128];
static int reopening; /* a connection that ended is followed by another */
static int unfinished; /* connections that have not ended (reopening), or not had their echo (idle) */

static void die_of_ssl(const char *what, SSL *ssl, int result) {
    int reason = SSL_get_error(ssl, result);
    const char *text = ERR_reason_error_string(ERR_peek_error());
    die("%s: %s", what, text ? text : reason == SSL_ERROR_ZERO_RETURN ? "the server closed" : strerror(errno));
}

static void watch(struct connection *c, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (c->watched == events) return;
    if (epoll_ctl(poller, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event) < 0)
        die_of("epoll_ctl");
    c->watched = events;
}

static void open_connection(struct connection *c) {
    struct sockaddr_in address = loopback(port);
    int one = 1;
    *c = (struct connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (c->fd < 0) die_of("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->ssl = SSL_new(context);
    c->in = BIO_new(BIO_s_mem());
    c->out = BIO_new(BIO_s_mem());
    if (!c->ssl || !c->in || !c->out || SSL_set_tlsext_host_name(c->ssl, "localhost") != 1) die("SSL_new failed");
    SSL_set_bio(c->ssl, c->in, c->out);
    c->started_ns = clock_ns(CLOCK_MONOTONIC);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        die_of("connect");
    watch(c, EPOLLOUT);
}

/* The server has closed its end: a reset ends the connection without a TIME_WAIT on either side. */
static void close_connection(struct connection *c) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    SSL_free(c->ssl);
    close(c->fd);
    c->state = CLOSED;
    unfinished--;
}

/* Whether it is bytes that are counted, not messages. */
static int is_flow(void) {
    return mode == SINK || mode == SOURCE;
}

static void note_message(struct connection *c) {
    c->started_ns = note_answer(c->started_ns);
    c->received = 0;
}

/* Every handshake must be the one that the header of the report names. */
static void check_handshake(SSL *ssl) {
    char now[sizeof negotiated];
    if (SSL_session_reused(ssl)) die("a session was resumed");
    EVP_PKEY *key = X509_get0_pubkey(SSL_get0_peer_certificate(ssl));
    char curve[32] = "";
    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
    snprintf(now, sizeof now, "%s, %s, %s, certificate %s %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl),
             SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl)), EVP_PKEY_get0_type_name(key), curve);
    if (!negotiated[0]) strcpy(negotiated, now);
    if (strcmp(negotiated, now) != 0) die("one handshake gave %s, another %s", negotiated, now);
}

/* Sends what OpenSSL has encrypted, as far as the socket takes it. */
static void flush(struct connection *c) {
    char *data;
    long length = BIO_get_mem_data(c->out, &data);
    ssize_t sent = length ? send(c->fd, data, (size_t)length, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN) die_of("send");
    if (sent == length) BIO_reset(c->out);
    else
        for (int n; sent > 0; sent -= n) n = BIO_read(c->out, buffer, sent < READ_BYTES ? (int)sent : READ_BYTES);
    watch(c, BIO_pending(c->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Takes what the socket has. */
static void fill(struct connection *c) {
    ssize_t n = recv(c->fd, received, sizeof received, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) die_of("recv");
    if (n == 0) BIO_set_mem_eof_return(c->in, 0);
    else BIO_write(c->in, received, (int)n);
}

/* The steps below return 1 when the state is done, and 0 when there has to be more from the server first. */

static int is_waiting(struct connection *c, const char *what, int result) {
    if (SSL_get_error(c->ssl, result) != SSL_ERROR_WANT_READ) die_of_ssl(what, c->ssl, result);
    return 0;
}

static int finish_connect(struct connection *c) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) die("connect: %s", strerror(error));
    if (mode == START_TLS && send(c->fd, "!", 1, MSG_NOSIGNAL) != 1) die_of("send");
    watch(c, EPOLLIN);
    return 1;
}

static int read_plain(struct connection *c) {
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n != 1) die("no plain answer: %s", n < 0 ? strerror(errno) : "end of file");
    return 1;
}

static int shake_hands(struct connection *c) {
    int result = SSL_connect(c->ssl);
    flush(c);
    if (result != 1) return is_waiting(c, "handshake", result);
    check_handshake(c->ssl);
    return 1;
}

/* A connection that is only opened and closed carries one byte. */
static size_t message_length(void) {
    return reopening || mode == HANDSHAKE || mode == START_TLS ? 1 : size;
}

static void send_message(struct connection *c) {
    int length = (int)message_length(), n = SSL_write(c->ssl, message, length);
    if (n != length) die_of_ssl("SSL_write", c->ssl, n);
    flush(c);
}

static int read_echo(struct connection *c) {
    while (c->received < message_length()) {
        int n = SSL_read(c->ssl, buffer, sizeof buffer);
        if (n <= 0) return is_waiting(c, "SSL_read", n);
        if (c->received + (size_t)n > message_length()) die("the server sent more than it got");
        if (memcmp(buffer, message + c->received, (size_t)n) != 0) die("the server sent other bytes than it got");
        c->received += (size_t)n;
    }
    return 1;
}

/* Has OpenSSL encrypt block after block while the socket takes them whole. */
static void pour(struct connection *c) {
    for (int i = 0; i < 8 && !BIO_pending(c->out); i++) {
        int n = SSL_write(c->ssl, buffer, POUR_BYTES);
        if (n != POUR_BYTES) die_of_ssl("SSL_write", c->ssl, n);
        moved_bytes += POUR_BYTES;
        flush(c);
    }
    watch(c, EPOLLIN | EPOLLOUT);
}

static void drain(struct connection *c) {
    int n;
    while ((n = SSL_read(c->ssl, buffer, sizeof buffer)) > 0) moved_bytes += (size_t)n;
    is_waiting(c, "SSL_read", n);
}

static void send_close_notify(struct connection *c) {
    if (SSL_shutdown(c->ssl) < 0) die("SSL_shutdown failed");
    flush(c);
}

/* The end is the server's close_notify, then the end of the stream. */
static int read_end(struct connection *c) {
    if (!(SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN)) {
        int n = SSL_read(c->ssl, buffer, sizeof buffer);
        if (SSL_get_error(c->ssl, n) != SSL_ERROR_ZERO_RETURN) return is_waiting(c, "close_notify", n);
    }
    if (BIO_pending(c->in)) die("the server sent more after close_notify");
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n != 0) die("after close_notify: %s", n < 0 ? strerror(errno) : "the server sent more");
    return 1;
}

static void on_event(struct connection *c, unsigned events) {
    if (c->state == CONNECTING) {
        if (!finish_connect(c)) return;
        c->state = mode == START_TLS ? PLAIN : SHAKING;
    } else if (c->state == PLAIN) {
        if (!read_plain(c)) return;
        c->state = SHAKING;
    } else {
        if (events & EPOLLOUT) flush(c);
        if (c->state == SILENT) die("the server spoke on an idle connection");
        if (events & ~(unsigned)EPOLLOUT && !(SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN)) fill(c);
    }
    if (c->state == SHAKING && shake_hands(c)) {
        c->state = is_flow() ? FLOWING : ECHOING;
        if (mode == ECHO || is_flow()) unfinished--; /* the messages begin when all are connected */
        else send_message(c);
    }
    if (c->state == FLOWING && mode == SINK) pour(c);
    if (c->state == FLOWING && mode == SOURCE) drain(c);
    if (c->state == ECHOING && read_echo(c)) {
        if (mode == ECHO) {
            note_message(c);
            send_message(c);
        } else if (mode == IDLE && !reopening) {
            c->state = SILENT;
            unfinished--;
        } else {
            send_close_notify(c);
            c->state = CLOSING;
        }
    }
    if (c->state == CLOSING && read_end(c)) {
        note_message(c);
        close_connection(c);
        if (reopening) {
            unfinished++;
            open_connection(c);
        }
    }
}

/* Serves events until the given time on CLOCK_MONOTONIC, or until `unfinished` is 0 if asked to. */
static void run_until(uint64_t end_ns, int stop_when_finished) {
    static struct epoll_event events[MAX_EVENTS];
    uint64_t now;
    while ((now = clock_ns(CLOCK_MONOTONIC)) < end_ns && !(stop_when_finished && unfinished == 0)) {
        int count = epoll_wait(poller, events, MAX_EVENTS, (int)((end_ns - now) / 1000000u) + 1);
        if (count < 0 && errno != EINTR) die_of("epoll_wait");
        for (int i = 0; i < count; i++) on_event(events[i].data.ptr, events[i].events);
    }
}

static void run_until_finished(const char *what) {
    run_until(clock_ns(CLOCK_MONOTONIC) + PATIENCE_S * 1000000000ull, 1);
    if (unfinished) die("%d of %d connections did not %s within %d s", unfinished, connections, what, PATIENCE_S);
}

static void run_for(double seconds) {
    run_until(clock_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9), 0);
}

static struct connection *open_all(int count) {
    struct connection *all = calloc((size_t)count, sizeof *all);
    if (!all) die("out of memory");
    unfinished = count;
    for (int i = 0; i < count; i++) open_connection(&all[i]);
    return all;
}

/* Prints the last figures of a line. */
static void print_tls(void) {
    printf(", \"tls\": \"%s\", \"client_openssl\": \"%s\"}\n", negotiated, OpenSSL_version(OPENSSL_VERSION_STRING));
}

static void measure_idle(void) {
    reopening = 1;
    struct connection *all = open_all(CHURN_CONNECTIONS);
    run_for(warmup_s);
    reopening = 0;
    mode = HANDSHAKE;
    run_until_finished("end");
    mode = IDLE;
    free(all);
    run_for(0.5);
    double before_mib = process_rss_mib(server_pid);
    all = open_all(connections);
    run_until_finished("get their echo");
    struct window start = clocks(server_pid, server_tid);
    run_for(duration_s);
    double after_mib = process_rss_mib(server_pid);
    print_window(start, connections, server_pid, server_tid);
    print_growth(before_mib, after_mib);
    print_tls();
    free(all);
}

static void measure_window(double seconds) {
    measuring = 1;
    moved_bytes = messages = latency_count = 0;
    struct window start = clocks(server_pid, server_tid);
    run_until(start.wall_ns + (uint64_t)(seconds * 1e9), 0);
    measuring = 0;
    double count = is_flow() ? (double)moved_bytes / (double)size : (double)messages;
    print_window(start, count, server_pid, server_tid);
    print_tls();
}

static void obey(void) {
    int measure;
    double seconds;
    while (next_command(&measure, &seconds)) {
        if (measure) measure_window(seconds);
        else run_for(seconds), printf("{}\n");
        fflush(stdout);
    }
}

static void measure(void) {
    reopening = mode != ECHO && !is_flow();
    struct connection *all = open_all(connections);
    if (!reopening) run_until_finished("connect");
    if (mode == ECHO) {
        for (int i = 0; i < connections; i++) {
            all[i].started_ns = clock_ns(CLOCK_MONOTONIC);
            send_message(&all[i]);
        }
    }
    if (commanded) {
        obey();
        return;
    }
    run_for(warmup_s);
    measure_window(duration_s);
}

static void parse(int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value) die("%s needs a value", name);
        if (take_option(name, value)) continue;
        if (!strcmp(name, "--mode")) mode = (enum mode)mode_named(value, MODE_NAMES, IDLE + 1);
        else die("unknown option %s", name);
    }
    if (!port) die("--port is needed");
    check_options();
}

static void make_context(void) {
    context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") || !SSL_CTX_set1_groups_list(context, "X25519"))
        die("this OpenSSL lacks TLS 1.3, AES-256-GCM or X25519");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

int main(int argc, char **argv) {
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) die_of("epoll_create1");
    make_context();
    message = malloc(size);
    if (!message) die("out of memory");
    for (size_t i = 0; i < size; i++) message[i] = (char)(i * 7 + i / 251);
    if (mode == IDLE) measure_idle();
    else measure();
    return 0;
}
