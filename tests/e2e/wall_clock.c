/* Sets the wall clock that one program sees, without setting the machine's:
 * preloaded, it adds to CLOCK_REALTIME the nanoseconds that lie as one int64 in
 * the file that WALL_CLOCK names, and takes them off again where a wait is
 * handed to the kernel as an instant of that clock. Other clocks stay. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t* offset_ns;

__attribute__((constructor)) static void MapOffset(void) {
  const char* path = getenv("WALL_CLOCK");
  if (path == NULL) return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) abort();
  void* map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (map == MAP_FAILED) abort();
  offset_ns = map;
}

static void Add(struct timespec* time, int64_t ns) {
  int64_t sum = time->tv_nsec + ns % 1000000000;
  time->tv_sec += ns / 1000000000;
  if (sum < 0) {
    sum += 1000000000;
    --time->tv_sec;
  } else if (sum >= 1000000000) {
    sum -= 1000000000;
    ++time->tv_sec;
  }
  time->tv_nsec = sum;
}

static int64_t Offset(void) { return offset_ns == NULL ? 0 : *offset_ns; }

int clock_gettime(clockid_t clock, struct timespec* time) {
  static int (*real)(clockid_t, struct timespec*);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real(clock, time);
  if (result == 0 &&
      (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    Add(time, Offset());
  }
  return result;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "syscall");
  long args[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i) args[i] = va_arg(list, long);
  va_end(list);
  struct timespec until;
  if (number == SYS_futex && (args[1] & FUTEX_CLOCK_REALTIME) != 0 &&
      args[3] != 0) {
    until = *(const struct timespec*)args[3];
    Add(&until, -Offset());
    args[3] = (long)&until;
  }
  return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
