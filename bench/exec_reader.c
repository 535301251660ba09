/* The other end of bench_terminal: as cheap as a client can be, so that what is measured is the
 * server and not the client.
 *
 *   exec_reader exec drain  SOCKET EXEC_ID                 a bare TTY exec of the engine, read to its end
 *   exec_reader exec echo   SOCKET EXEC_ID KEYS PAUSE_US   ... each key's way there and back
 *   exec_reader page drain  PORT HEADERS FIRST             the same through cloudbang.tty.v1, with acks
 *   exec_reader page echo   PORT HEADERS FIRST KEYS PAUSE_US
 *   exec_reader pty echo    KEYS PAUSE_US                  a pty of this machine over one WebSocket, as
 *                                                          a server of one process serves it
 *
 * SOCKET is the path of the engine's socket; HEADERS are lines of the handshake that say who asks;
 * FIRST is the first message. drain prints "BYTES SECONDS" (first byte to last), echo prints one
 * number a key, in microseconds. What goes wrong is said on standard error, and the exit code is 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 18, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, PATIENCE_MS = 30000 };

static int link_fd;
static unsigned char buffer[BUFFER];
static size_t from, until; /* what was read and not yet looked at */

static void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void put(const void *data, size_t size) {
    const char *at = data;
    while (size) {
        ssize_t n = send(link_fd, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("sending: %s", strerror(errno));
        at += n;
        size -= n;
    }
}

/* More bytes behind those that are there; 0 at the end of the stream. */
static size_t more(void) {
    if (from == until) from = until = 0;
    if (until == BUFFER) {
        memmove(buffer, buffer + from, until - from);
        until -= from;
        from = 0;
    }
    struct pollfd wait = {.fd = link_fd, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) == 0) fail("nothing came for %d s", PATIENCE_MS / 1000);
    ssize_t n = recv(link_fd, buffer + until, BUFFER - until, 0);
    if (n <= 0) return 0;
    until += n;
    return n;
}

static int connected(int family, const struct sockaddr *address, socklen_t size) {
    link_fd = socket(family, SOCK_STREAM, 0);
    if (link_fd < 0 || connect(link_fd, address, size)) fail("connecting: %s", strerror(errno));
    return link_fd;
}

static void request(const char *text, const char *wanted) {
    put(text, strlen(text));
    char *end;
    while (!(end = memmem(buffer, until, "\r\n\r\n", 4)))
        if (until == BUFFER || !more()) fail("no answer to the handshake");
    if (strncmp((char *)buffer, wanted, strlen(wanted)))
        fail("the handshake was answered with: %.*s", (int)(until > 600 ? 600 : until), buffer);
    from = (unsigned char *)end + 4 - buffer;
}

/* --- the bare exec ---------------------------------------------------------------------------- */

static void open_exec(const char *path, const char *id) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    connected(AF_UNIX, (struct sockaddr *)&address, sizeof address);
    const char *body = "{\"Detach\":false,\"Tty\":true}";
    char text[1024];
    snprintf(text, sizeof text,
             "POST /exec/%s/start HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
             "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n\r\n%s",
             id, strlen(body), body);
    request(text, "HTTP/1.1 101");
}

static size_t next_exec(void) {
    if (from == until && !more()) return 0;
    size_t n = until - from;
    from = until;
    return n;
}

static void key_exec(void) { put("x", 1); }

/* --- the page ----------------------------------------------------------------------------------- */

static uint64_t position, acked, window = 65536, printed;
static uint64_t left; /* bytes of the current binary message that are still to come */
static int attached, ended;

static void send_frame(int opcode, const void *data, size_t size) {
    unsigned char head[8] = {0x80 | opcode};
    size_t n = 2;
    if (size < 126) {
        head[1] = 0x80 | size;
    } else {
        head[1] = 0x80 | 126;
        head[n++] = size >> 8;
        head[n++] = size & 255;
    }
    unsigned char frame[8 + 4 + 4096];
    if (size > 4096) fail("a message of %zu bytes is not for this client", size);
    memcpy(frame, head, n);
    memset(frame + n, 0, 4); /* a mask of zeros is a mask: nothing to compute */
    memcpy(frame + n + 4, data, size);
    put(frame, n + 4 + size);
}

static void acknowledge(void) {
    char text[64];
    int n = snprintf(text, sizeof text, "{\"op\":\"ack\",\"offset\":%llu}", (unsigned long long)position);
    send_frame(TEXT, text, n);
    acked = position;
}

/* Where the value of a key of a JSON message begins; the first one of that name. */
static const char *value_of(const char *json, const char *key) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(json, quoted);
    if (!at) return "";
    at += strlen(quoted);
    while (*at == ':' || *at == ' ' || *at == '"') at++;
    return at;
}

static int says(const char *json, const char *op) {
    const char *at = value_of(json, "op");
    return !strncmp(at, op, strlen(op)) && at[strlen(op)] == '"';
}

static void heard(const char *json) {
    if (says(json, "attached")) {
        attached = 1;
        window = strtoull(value_of(json, "window"), NULL, 10);
        position = acked = strtoull(value_of(json, "offset"), NULL, 10);
        printed = strtoull(value_of(json, "end"), NULL, 10); /* before, and shown again now */
        if (!window) fail("attached without a window: %.300s", json);
    } else if (says(json, "ended")) {
        ended = 1;
    } else if (says(json, "reset") || says(json, "error")) {
        fail("%.600s", json);
    }
}

static void need(size_t size) {
    while (until - from < size)
        if (!more()) fail("the stream ended inside a frame, %llu bytes in", (unsigned long long)position);
}

/* The next piece of output, at least one byte; 0 when the session has ended. Text messages are
 * heard on the way. */
static size_t next_page(void) {
    for (;;) {
        if (left) {
            if (from == until) need(1);
            size_t n = until - from < left ? until - from : left;
            from += n;
            left -= n;
            position += n;
            if (position - acked >= window / 4) acknowledge();
            return n;
        }
        if (ended) return 0;
        need(2);
        int first = buffer[from], opcode = first & 15;
        uint64_t size = buffer[from + 1] & 127;
        size_t head = size == 126 ? 4 : size == 127 ? 10 : 2;
        need(head);
        if (head > 2) {
            size = 0;
            for (size_t i = 2; i < head; i++) size = size << 8 | buffer[from + i];
        }
        if (opcode == BINARY || opcode == 0) {
            from += head;
            left = size;
            continue;
        }
        if (size > BUFFER / 2) fail("a text of %llu bytes", (unsigned long long)size);
        need(head + size);
        if (opcode == TEXT) {
            char text[BUFFER / 2 + 1];
            memcpy(text, buffer + from + head, size);
            text[size] = 0;
            heard(text);
            if (attached == 1) {
                attached = 2;
                from += head + size;
                return 0;
            }
        } else if (opcode == PING) {
            send_frame(PONG, buffer + from + head, size);
        } else if (opcode == CLOSE) {
            fail("closed with %d before the end", size > 1 ? buffer[from + head] << 8 | buffer[from + head + 1] : 0);
        }
        from += head + size;
    }
}

static void key_page(void) { send_frame(BINARY, "x", 1); }

static void open_page(const char *port, const char *headers, const char *first) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connected(AF_INET, (struct sockaddr *)&address, sizeof address);
    int yes = 1;
    setsockopt(link_fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    char text[4096];
    snprintf(text, sizeof text,
             "GET /docker_console HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: cloudbang.tty.v1\r\n%s\r\n\r\n",
             port, headers);
    request(text, "HTTP/1.1 101");
    send_frame(TEXT, first, strlen(first));
    next_page();
    while (position < printed && next_page()) continue;
}

/* --- a bare pty over one socket ------------------------------------------------------------------- */

/* What a server does at the least: one process that waits for both ends, frames and all. */
static void serve_pty(int listening) {
    int client = accept(listening, NULL, NULL), master;
    if (forkpty(&master, NULL, NULL, NULL) == 0) {
        execlp("cat", "cat", NULL);
        _exit(127);
    }
    int yes = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct pollfd wait[2] = {{.fd = client, .events = POLLIN}, {.fd = master, .events = POLLIN}};
    unsigned char bytes[4 + 125];
    while (poll(wait, 2, -1) > 0) {
        if (wait[0].revents) { /* keys come one by one here: a frame of 2 + 4 bytes and the key */
            ssize_t n = recv(client, bytes, 7, MSG_WAITALL);
            if (n < 7) break;
            bytes[6] ^= bytes[2];
            if (write(master, bytes + 6, 1) != 1) break;
        }
        if (wait[1].revents) {
            ssize_t n = read(master, bytes + 2, 125);
            if (n <= 0) break;
            bytes[0] = 0x80 | BINARY;
            bytes[1] = n;
            if (send(client, bytes, n + 2, MSG_NOSIGNAL) < 0) break;
        }
    }
    _exit(0);
}

static void open_pty(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&address, size) || listen(listening, 1) ||
        getsockname(listening, (struct sockaddr *)&address, &size))
        fail("listening: %s", strerror(errno));
    if (fork() == 0) serve_pty(listening);
    connected(AF_INET, (struct sockaddr *)&address, size);
    int yes = 1;
    setsockopt(link_fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* --- what is measured --------------------------------------------------------------------------- */

static void drain(size_t (*next)(void)) {
    double first = 0, last = 0;
    unsigned long long bytes = 0;
    size_t n;
    while ((n = next())) {
        last = now();
        if (!bytes) first = last;
        bytes += n;
    }
    printf("%llu %.6f\n", bytes, last - first);
}

static void echo(size_t (*next)(void), void (*key)(void), int keys, int pause_us) {
    for (int i = 0; i < keys; i++) {
        usleep(pause_us);
        double start = now();
        key();
        if (!next()) fail("the end came before the echo of key %d", i);
        printf("%.1f\n", (now() - start) * 1e6);
    }
}

int main(int count, char **words) {
    if (count < 5) fail("see the comment at the top of exec_reader.c");
    int page = !strcmp(words[1], "page"), pty = !strcmp(words[1], "pty");
    int echoes = !strcmp(words[2], "echo");
    if (count != (page ? 6 : pty ? 3 : 5) + 2 * echoes) fail("the wrong number of arguments");
    if (page)
        open_page(words[3], words[4], words[5]);
    else if (pty)
        open_pty();
    else
        open_exec(words[3], words[4]);
    size_t (*next)(void) = page || pty ? next_page : next_exec;
    if (echoes)
        echo(next, page || pty ? key_page : key_exec, atoi(words[count - 2]), atoi(words[count - 1]));
    else
        drain(next);
    return 0;
}
