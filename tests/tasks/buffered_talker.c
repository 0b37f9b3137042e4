/* Works and prints a line every 50 ms through stdio, which keeps lines back
 * while stdout is not a terminal: silent to whoever waits for its output.
 * Usage: buffered_talker LINES */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char** argv) {
  const int lines = argc > 1 ? atoi(argv[1]) : 100;
  for (int i = 0; i < lines; ++i) {
    const clock_t start = clock();
    while (clock() - start < CLOCKS_PER_SEC / 20) {
    }
    printf("line %d\n", i);
  }
  return 0;
}
