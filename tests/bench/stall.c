/* A task that hangs: starts PROCESSES - 1 others, at most two below each, and
 * when all of them run writes two instants of CLOCK_BOOTTIME in nanoseconds:
 * when main began, and when this was written. Then it waits, like the others,
 * to be killed.
 *
 * usage: stall PROCESSES
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Is process `number` of `count`, counted as a heap is, and starts its own two;
 * says on `ready` that it runs. */
static void Grow(int number, int count, int ready) {
  int i;
  for (i = 2 * number; i <= 2 * number + 1 && i <= count; ++i) {
    const pid_t pid = fork();
    if (pid < 0) exit(1);
    if (pid == 0) {
      Grow(i, count, ready);
      if (write(ready, "", 1) != 1) exit(1);
      for (;;) pause();
    }
  }
}

int main(int argc, char** argv) {
  const long long start = Now();
  const int count = argc > 1 ? atoi(argv[1]) : 1;
  int ready[2];
  int i;
  if (pipe(ready) != 0) return 1;
  Grow(1, count, ready[1]);
  for (i = 1; i < count; ++i) {
    char byte;
    if (read(ready[0], &byte, 1) != 1) return 1;
  }
  printf("%lld %lld\n", start, Now());
  fflush(stdout);
  for (;;) pause();
}
