/* Makes a write under a folder fail, or the process die just before it: LD_PRELOADed into a child of the kill tests.
 * FAULT_UNDER: the folder. FAULT_AT: the number of the first write it strikes, from 1. FAULT_FOR: how many.
 * FAULT_DO: "kill", "torn" (half of the write, then death), or an errno. FAULT_COUNT: a file to write the count to. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long writes;

static int under(const char *path) {
  const char *folder = getenv("FAULT_UNDER");
  return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int fd_under(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return under(path);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* 0: go on; 1: fail with errno set; 2: tear. */
static int strike(int can_tear) {
  long n = ++writes, at = atol(getenv("FAULT_AT")), span = getenv("FAULT_FOR") ? atol(getenv("FAULT_FOR")) : 1;
  if (n < at || n >= at + span) return 0;
  const char *what = getenv("FAULT_DO");
  if (strcmp(what, "torn") == 0 && can_tear) return 2;
  if (strcmp(what, "torn") == 0 || strcmp(what, "kill") == 0) die();
  errno = atoi(what);
  return 1;
}

#define REAL(name, ...) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(__VA_ARGS__)
#define WRITE(fd, size, call, torn)        \
  if (fd_under(fd)) {                      \
    int hit = strike(1);                   \
    if (hit == 1) return -1;               \
    if (hit == 2) {                        \
      if (size > 1) (void)!torn;           \
      die();                               \
    }                                      \
  }                                        \
  return call;
#define STEP(is_under, call)               \
  if (is_under && strike(0)) return -1;    \
  return call;

ssize_t write(int fd, const void *b, size_t n) { WRITE(fd, n, REAL(write, fd, b, n), REAL(write, fd, b, n / 2)) }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
  WRITE(fd, n, REAL(pwrite, fd, b, n, o), REAL(pwrite, fd, b, n / 2, o))
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
  WRITE(fd, n, REAL(pwrite64, fd, b, n, o), REAL(pwrite64, fd, b, n / 2, o))
}
int ftruncate(int fd, off_t n) { STEP(fd_under(fd), REAL(ftruncate, fd, n)) }
int ftruncate64(int fd, off64_t n) { STEP(fd_under(fd), REAL(ftruncate64, fd, n)) }
int fsync(int fd) { STEP(fd_under(fd), REAL(fsync, fd)) }
int fdatasync(int fd) { STEP(fd_under(fd), REAL(fdatasync, fd)) }
int rename(const char *from, const char *to) { STEP(under(to), REAL(rename, from, to)) }
int unlink(const char *path) { STEP(under(path), REAL(unlink, path)) }

__attribute__((destructor)) static void count(void) {
  const char *path = getenv("FAULT_COUNT");
  FILE *out = path ? fopen(path, "w") : NULL;
  if (out) fprintf(out, "%ld", (long)writes), fclose(out);
}
