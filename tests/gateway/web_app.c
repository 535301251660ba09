/* A web app for tests: one static program, a thread for each connection, what it does by its environment.

   GET /         the text of RELEASE; POST / the same once the whole body has come
   GET /slow?N   the same after N seconds; any other path after wait=N milliseconds of its query
   GET /hold     the same once somebody has asked for /let
   GET /fail…    the same with status 500; GET /missing… with 404
   GET /ws       a WebSocket that sends back each small text frame
   GET /cookies  the request's Cookie

   PORT (80) is where it listens, after LATE (0) seconds. With LOG it prints each request's path. SIGTERM ends it at once, whatever is under way. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *release, *logs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let = PTHREAD_COND_INITIALIZER;
static int is_let;

static void hold_or_let(const char *path) {
    pthread_mutex_lock(&lock);
    if (!strncmp(path, "/let", 4)) {
        is_let = 1;
        pthread_cond_broadcast(&let);
    }
    while (!strncmp(path, "/hold", 5) && !is_let) pthread_cond_wait(&let, &lock);
    pthread_mutex_unlock(&lock);
}

static int number(const char *name, int otherwise) {
    const char *found = getenv(name);
    return found ? atoi(found) : otherwise;
}

static uint32_t turned(uint32_t x, int n) { return (x << n) | (x >> (32 - n)); }

/* SHA-1 of fewer than 120 bytes (FIPS 180-4). */
static void sha1(const unsigned char *text, size_t size, unsigned char out[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char padded[128] = {0};
    size_t blocks = size + 9 > 64 ? 2 : 1;
    memcpy(padded, text, size);
    padded[size] = 0x80;
    for (int i = 0; i < 4; i++) padded[blocks * 64 - 1 - i] = (unsigned char)((size * 8) >> (8 * i));
    for (size_t b = 0; b < blocks; b++) {
        uint32_t w[80];
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)padded[b * 64 + 4 * i] << 24 | (uint32_t)padded[b * 64 + 4 * i + 1] << 16 |
                   (uint32_t)padded[b * 64 + 4 * i + 2] << 8 | padded[b * 64 + 4 * i + 3];
        for (int i = 16; i < 80; i++) w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], c1 = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20   ? (c1 & c) | (~c1 & d)
                         : i < 40 ? c1 ^ c ^ d
                         : i < 60 ? (c1 & c) | (c1 & d) | (c & d)
                                  : c1 ^ c ^ d;
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t t = turned(a, 5) + f + e + k + w[i];
            e = d; d = c; c = turned(c1, 30); c1 = a; a = t;
        }
        h[0] += a; h[1] += c1; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++) out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void accept_key(const char *key, char out[29]) {
    static const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[120];
    unsigned char sum[21] = {0};
    int size = snprintf(text, sizeof text, "%.60s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1((unsigned char *)text, (size_t)size, sum);
    for (int i = 0, at = 0; i < 21; i += 3, at += 4) {
        uint32_t v = (uint32_t)sum[i] << 16 | (uint32_t)sum[i + 1] << 8 | sum[i + 2];
        for (int j = 0; j < 4; j++) out[at + j] = digits[(v >> (18 - 6 * j)) & 63];
    }
    out[27] = '=';
    out[28] = 0;
}

static int send_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n <= 0) return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int read_exactly(int fd, unsigned char *into, size_t size) {
    while (size > 0) {
        ssize_t n = recv(fd, into, size, 0);
        if (n <= 0) return -1;
        into += n;
        size -= (size_t)n;
    }
    return 0;
}

static void echo(int fd) {
    unsigned char head[6], text[128];
    while (read_exactly(fd, head, 6) == 0) {
        size_t size = head[1] & 127;
        if (size > 125 || (head[0] & 15) == 8 || read_exactly(fd, text + 2, size)) return;
        for (size_t i = 0; i < size; i++) text[2 + i] ^= head[2 + i % 4];
        text[0] = 0x81;
        text[1] = (unsigned char)size;
        if (send_all(fd, (char *)text, size + 2)) return;
    }
}

/* A field of the head, without blanks in front; "" where there is none. */
static void field(const char *head, const char *name, char *out, size_t size) {
    out[0] = 0;
    for (const char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, name, strlen(name)) && line[2 + strlen(name)] == ':') {
            const char *value = line + 3 + strlen(name);
            while (*value == ' ') value++;
            size_t length = strcspn(value, "\r");
            if (length >= size) length = size - 1;
            memcpy(out, value, length);
            out[length] = 0;
            return;
        }
}

static void *serve(void *given) {
    int fd = (int)(intptr_t)given;
    char data[16384];
    size_t have = 0;
    for (;;) {
        char *end;
        data[have] = 0;
        while (!(end = strstr(data, "\r\n\r\n"))) {
            ssize_t n = have < sizeof data - 1 ? recv(fd, data + have, sizeof data - 1 - have, 0) : 0;
            if (n <= 0) goto out;
            have += (size_t)n;
            data[have] = 0;
        }
        size_t head = (size_t)(end - data) + 4;
        char saved = data[head], text[512], answer[1024];
        data[head] = 0;
        field(data, "Content-Length", text, sizeof text);
        size_t body = (size_t)atol(text);
        char *path = strchr(data, ' ');
        if (!path) goto out;
        path++;
        if (!strncmp(path, "/ws", 3)) {
            char key[29];
            field(data, "Sec-WebSocket-Key", text, sizeof text);
            accept_key(text, key);
            int size = snprintf(answer, sizeof answer,
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", key);
            if (send_all(fd, answer, (size_t)size) == 0) echo(fd);
            goto out;
        }
        snprintf(text, sizeof text, "%s", release);
        if (!strncmp(path, "/slow?", 6)) sleep((unsigned)atoi(path + 6));
        hold_or_let(path);
        char *query = strpbrk(path, "? \r"), *wait = query && *query == '?' ? strstr(query, "wait=") : 0;
        if (wait) usleep((unsigned)atoi(wait + 5) * 1000);
        const char *status = !strncmp(path, "/fail", 5)      ? "500 Internal Server Error"
                             : !strncmp(path, "/missing", 8) ? "404 Not Found"
                                                             : "200 OK";
        if (logs) dprintf(1, "%.*s\n", (int)strcspn(path, "? \r"), path);
        if (!strncmp(path, "/cookies", 8)) field(data, "Cookie", text, sizeof text);
        data[head] = saved;
        size_t rest = have - head;
        while (rest < body) {
            ssize_t n = recv(fd, answer, sizeof answer < body - rest ? sizeof answer : body - rest, 0);
            if (n <= 0) goto out;
            rest += (size_t)n;
        }
        have = rest > body && head + rest <= have ? rest - body : 0;
        memmove(data, data + head + body, have);
        int size = snprintf(answer, sizeof answer,
                            "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                            status, strlen(text), text);
        if (send_all(fd, answer, (size_t)size)) goto out;
    }
out:
    close(fd);
    return 0;
}

static void leave(int signal) { _exit(signal == SIGTERM ? 0 : 1); }

int main(void) {
    signal(SIGTERM, leave);
    release = getenv("RELEASE") ? getenv("RELEASE") : "?";
    logs = getenv("LOG");
    sleep((unsigned)number("LATE", 0));
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number("PORT", 80))};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1024)) return perror("bind"), 1;
    for (;;) {
        int peer = accept(fd, 0, 0);
        pthread_t thread;
        pthread_attr_t small;
        if (peer < 0) continue;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 256 * 1024);
        pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
        if (pthread_create(&thread, &small, serve, (void *)(intptr_t)peer)) close(peer);
    }
}
