/* Writes a numbered token each 10 ms: a line of 8 bytes.
 *
 * Usage: ticker COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const int count = atoi(argv[1]);
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (int i = 0; i < count; ++i) {
    char line[16];
    const int size = snprintf(line, sizeof(line), "%07d\n", i);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) return 1;
    next.tv_nsec += 10 * 1000 * 1000;
    if (next.tv_nsec >= 1000 * 1000 * 1000) {
      next.tv_nsec -= 1000 * 1000 * 1000;
      ++next.tv_sec;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
  return 0;
}
