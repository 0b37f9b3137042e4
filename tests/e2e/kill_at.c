/* Preloaded into a program, kills it with SIGKILL right before its n-th call
 * that changes what is on a disk, n being KILL_AT of the environment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static void count(void) {
  static int calls;
  const char* at = getenv("KILL_AT");
  if (at != NULL && ++calls == atoi(at)) kill(getpid(), SIGKILL);
}

#define COUNTED(result, name, parameters, arguments) \
  result name parameters {                           \
    static result(*real) parameters;                 \
    if (real == NULL) {                              \
      *(void**)(&real) = dlsym(RTLD_NEXT, #name);    \
    }                                                \
    count();                                         \
    return real arguments;                           \
  }

COUNTED(int, fdatasync, (int fd), (fd))
COUNTED(int, fsync, (int fd), (fd))
COUNTED(int, ftruncate64, (int fd, off64_t size), (fd, size))
COUNTED(ssize_t, pwrite64,
        (int fd, const void* data, size_t size, off64_t offset),
        (fd, data, size, offset))
COUNTED(int, rename, (const char* from, const char* to), (from, to))
COUNTED(int, renameat2,
        (int from_fd, const char* from, int to_fd, const char* to,
         unsigned int flags),
        (from_fd, from, to_fd, to, flags))
COUNTED(ssize_t, sendfile, (int to, int from, off_t* offset, size_t size),
        (to, from, offset, size))
COUNTED(ssize_t, sendfile64, (int to, int from, off64_t* offset, size_t size),
        (to, from, offset, size))
COUNTED(int, unlink, (const char* path), (path))
