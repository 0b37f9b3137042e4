/* Installs a seccomp filter of its own (mkdir fails with EPERM), then tries to
 * install one with a listener, then has two children at the same time. Prints
 * what came of each; under Vigil the listener is refused with EBUSY, since
 * there is one already.
 * Usage: own_filter */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void Print(const char* what, long result) {
  if (result < 0) {
    printf("%s: %s\n", what, strerrorname_np(errno));
  } else {
    printf("%s: done\n", what);
  }
}

/* A filter that gives `action` to system call `number` and allows the rest. */
static long Install(unsigned number, unsigned action, unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  Print("filter", Install(SYS_mkdir, SECCOMP_RET_ERRNO | EPERM, 0));
  /* Of no name: ENOENT, if nothing came before. */
  Print("mkdir", syscall(SYS_mkdir, "", 0700));
  /* On a call that nobody makes: where it is allowed, nobody answers it. */
  Print("listener", Install(SYS_swapoff, SECCOMP_RET_USER_NOTIF,
                            SECCOMP_FILTER_FLAG_NEW_LISTENER));
  for (int i = 0; i < 2; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      sleep(2);
      _exit(0);
    }
    Print(i == 0 ? "first fork" : "second fork", pid);
  }
  while (wait(NULL) > 0) {
  }
  printf("end\n");
  return 0;
}
