/* The limit of the TLS rows: one thread with bare epoll and OpenSSL, no interpreter.
 *
 * One recv takes what there is, OpenSSL decrypts it out of a memory BIO, and what it encrypts leaves by one send: two
 * system calls for a message, as in echo.c. With the socket as OpenSSL's own BIO each record of 16 KiB would be a
 * system call. Prints one JSON line when it listens; ends when its standard input closes.
 *
 *   tls_echo --certificate FILE [--mode echo|sink|source] [--start-tls 1] [--cpu N]
 *
 * FILE is a PEM file with the key and the certificate. With --start-tls a connection first echoes one plain byte.
 */
#define _GNU_SOURCE
#include "server.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum mode { ECHO, SINK, SOURCE };

struct connection {
    int fd;
    SSL *ssl;
    BIO *in, *out;  /* owned by ssl */
    int plain;      /* bytes to echo before the handshake */
    int is_writing; /* epoll waits for room, and `out` holds what the socket did not take */
    int is_ending;  /* closed as soon as `out` is empty */
};

static enum mode mode = ECHO;
static char text[BUFFER_BYTES];
static SSL_CTX *context;
static struct connection listener;
static int plain; /* bytes that each connection echoes before the handshake */

static void die_of_ssl(const char *what) {
    unsigned long error = ERR_peek_error();
    die("%s: %s", what, error ? ERR_reason_error_string(error) : strerror(errno));
}

static void watch(int operation, struct connection *c, unsigned events) {
    watch_fd(operation, c->fd, c, events);
}

static void drop(struct connection *c) {
    close(c->fd);
    SSL_free(c->ssl);
    free(c);
}

/* Sends what OpenSSL has encrypted, in place. Returns 0 if the connection is gone. */
static int flush(struct connection *c) {
    char *data;
    long length = BIO_get_mem_data(c->out, &data);
    ssize_t sent = length ? send(c->fd, data, (size_t)length, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN) {
        drop(c);
        return 0;
    }
    if (sent == length) {
        BIO_reset(c->out);
    } else if (sent > 0) {
        static char skipped[BUFFER_BYTES];
        while (sent > 0) sent -= BIO_read(c->out, skipped, sent < BUFFER_BYTES ? (int)sent : BUFFER_BYTES);
    }
    int is_writing = BIO_pending(c->out) > 0;
    if (is_writing != c->is_writing) watch(EPOLL_CTL_MOD, c, is_writing ? EPOLLOUT : EPOLLIN);
    c->is_writing = is_writing;
    if (c->is_ending && !is_writing) {
        drop(c);
        return 0;
    }
    return 1;
}

/* Writes as long as the socket takes it; the rest is for when there is room again. */
static void pour(struct connection *c) {
    for (int i = 0; i < 8 && !c->is_writing; i++) {
        if (SSL_write(c->ssl, text, sizeof text) <= 0) die_of_ssl("SSL_write");
        if (!flush(c)) return;
    }
    if (!c->is_writing) watch(EPOLL_CTL_MOD, c, EPOLLOUT);
    c->is_writing = 1;
}

/* Decrypts all there is and echoes it, or does what else the mode is. */
static void serve(struct connection *c) {
    size_t have = 0;
    int n = 1;
    if (!SSL_is_init_finished(c->ssl)) n = SSL_do_handshake(c->ssl);
    while (n > 0 && (n = SSL_read(c->ssl, text + have, (int)(sizeof text - have))) > 0) {
        have += (size_t)n;
        if (mode == SINK) have = 0;
        if (have == sizeof text) {
            SSL_write(c->ssl, text, (int)have);
            have = 0;
        }
    }
    int reason = SSL_get_error(c->ssl, n);
    if (have && SSL_write(c->ssl, text, (int)have) <= 0) c->is_ending = 1;
    if (reason != SSL_ERROR_WANT_READ) {
        if (reason == SSL_ERROR_ZERO_RETURN) SSL_shutdown(c->ssl);
        ERR_clear_error();
        c->is_ending = 1;
    }
    if (flush(c) && mode == SOURCE && SSL_is_init_finished(c->ssl)) pour(c);
}

static void on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, buffer, c->plain ? 1 : sizeof buffer, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) drop(c);
        return;
    }
    if (c->plain) {
        if (send(c->fd, buffer, (size_t)n, MSG_NOSIGNAL) != n) drop(c);
        else c->plain--;
        return;
    }
    if (BIO_write(c->in, buffer, (int)n) != n) die_of_ssl("BIO_write");
    serve(c);
}

static void accept_all(void) {
    int fd, one = 1;
    while ((fd = accept_next(listener.fd)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = calloc(1, sizeof *c);
        if (!c) die("out of memory");
        c->fd = fd;
        c->plain = plain;
        c->ssl = SSL_new(context);
        c->in = BIO_new(BIO_s_mem());
        c->out = BIO_new(BIO_s_mem());
        if (!c->ssl || !c->in || !c->out) die_of_ssl("SSL_new");
        BIO_set_mem_eof_return(c->in, -1);
        SSL_set_bio(c->ssl, c->in, c->out);
        SSL_set_accept_state(c->ssl);
        watch(EPOLL_CTL_ADD, c, EPOLLIN);
    }
}

static void on_writable(struct connection *c) {
    if (flush(c) && mode == SOURCE && !c->is_writing) pour(c);
}

static void on_event(void *data, unsigned events) {
    if (data == &listener) accept_all();
    else if (events & EPOLLOUT) on_writable(data);
    else on_readable(data);
}

static void make_context(const char *certificate) {
    context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, certificate, SSL_FILETYPE_PEM) != 1)
        die_of_ssl(certificate);
    /* What Python's ssl.SSLContext sets too. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
}

int main(int argc, char **argv) {
    const char *certificate = NULL;
    int port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--certificate")) certificate = argv[i + 1];
        else if (!strcmp(argv[i], "--mode"))
            mode = !strcmp(argv[i + 1], "sink") ? SINK : !strcmp(argv[i + 1], "source") ? SOURCE : ECHO;
        else if (!strcmp(argv[i], "--start-tls")) plain = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--cpu")) pin_to_core(atoi(argv[i + 1]));
    }
    if (!certificate) die("--certificate is needed");
    make_context(certificate);
    open_poller();
    listener.fd = bind_to_loopback(SOCK_STREAM, &port);
    if (listen(listener.fd, BACKLOG) < 0) die_of("listen");
    watch(EPOLL_CTL_ADD, &listener, EPOLLIN);
    serve_all(port, on_event);
    return 0;
}
