/* Prints lines of 100 bytes that say when they were printed: `<ns since 1970> <number> xxx…`.
 *
 *     printer RATE COUNT      RATE lines a second, evenly, one write each; 0 for as fast as can be
 *
 * One line says that it is there; it begins when it is sent SIGUSR1 and stays when it has done. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE 100
#define TOGETHER 64 /* lines of one write in a flood */

static long long now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void make(char *line, long number) {
    char head[64];
    int size = snprintf(head, sizeof head, "%lld %ld ", now(CLOCK_REALTIME), number);
    memset(line, 'x', LINE - 1);
    memcpy(line, head, size);
    line[LINE - 1] = '\n';
}

static void put(const char *data, size_t size) {
    while (size) {
        ssize_t done = write(1, data, size);
        if (done < 0) exit(1);
        data += done;
        size -= done;
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    long rate = atol(argv[1]), count = atol(argv[2]);
    sigset_t go;
    sigemptyset(&go);
    sigaddset(&go, SIGUSR1);
    sigprocmask(SIG_BLOCK, &go, NULL);
    put("up\n", 3);
    int which;
    sigwait(&go, &which);
    static char lines[LINE * TOGETHER];
    long long began = now(CLOCK_MONOTONIC);
    for (long n = 0; n < count;) {
        if (rate) {
            long long due = began + n * 1000000000LL / rate;
            struct timespec at = {due / 1000000000LL, due % 1000000000LL};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
            make(lines, n++);
            put(lines, LINE);
        } else {
            int held = 0;
            while (held < TOGETHER && n < count) make(lines + LINE * held++, n++);
            put(lines, (size_t)held * LINE);
        }
    }
    for (;;) pause();
}
