/*
 * Gives a Redis the wall clock of the simulation: microseconds since 1970, the first 8 bytes of the file
 * RELAY_SIM_CLOCK. Its monotonic clock stays real. Loaded with LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void) {
  static volatile int64_t *clock_file;
  if (clock_file == NULL) {
    int file = open(getenv("RELAY_SIM_CLOCK"), O_RDONLY);
    clock_file = mmap(NULL, sizeof *clock_file, PROT_READ, MAP_SHARED, file, 0);
  }
  return *clock_file;
}

int gettimeofday(struct timeval *tv, void *zone) {
  int64_t us = now_us();
  (void)zone;
  tv->tv_sec = us / 1000000;
  tv->tv_usec = us % 1000000;
  return 0;
}

int clock_gettime(clockid_t id, struct timespec *ts) {
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, id, ts);
  int64_t us = now_us();
  ts->tv_sec = us / 1000000;
  ts->tv_nsec = us % 1000000 * 1000;
  return 0;
}

time_t time(time_t *seconds) {
  time_t now = now_us() / 1000000;
  if (seconds != NULL) *seconds = now;
  return now;
}
