/* Turns against the process that owns it, its parent: by ptrace, which would
 * let it change that process, or by SIGKILL. Prints what came of it and goes on
 * for a second.
 * Usage: attack_slot ptrace|kill */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "";
  const pid_t parent = getppid();
  long result;
  if (strcmp(how, "ptrace") == 0) {
    result = ptrace(PTRACE_ATTACH, parent, NULL, NULL);
    const int error = errno;
    if (result == 0) {
      /* Let it go again: whoever watches sees what this program says. */
      waitpid(parent, NULL, __WALL);
      ptrace(PTRACE_DETACH, parent, NULL, NULL);
    }
    errno = error;
  } else if (strcmp(how, "kill") == 0 && parent > 1) {
    result = kill(parent, SIGKILL);
  } else {
    fprintf(stderr, "usage: attack_slot ptrace|kill\n");
    return 64;
  }
  printf("%s: %s\n", how, result == 0 ? "done" : strerrorname_np(errno));
  fflush(stdout);
  for (int i = 0; i < 10; ++i) {
    usleep(100000);
    printf("still here %d\n", i);
    fflush(stdout);
  }
  return 0;
}
