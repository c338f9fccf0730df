/*
 * The manners of an NFS client, for a Node process that this is preloaded into (see nfs-client.ts): under the folder
 * $NFS_FOLDER, and one time in $NFS_ONE_IN by a generator with the seed $NFS_SEED, calls do what they may do there.
 * $NFS_FAULTS names kinds. $NFS_ONLY, a call and a part of a path, leaves it at those, and $NFS_MOST at so many in a
 * process. Each fault is a line "KIND CALL PATH" in $NFS_LOG:
 *
 *   replay  the answer was lost and the request sent again: it was carried out, and reports what a second time reports
 *   soft    the server did not answer in time: EIO, whether or not the request was carried out
 *   late    what was written is lost when the file is synced or closed, and the call says so (ENOSPC, EDQUOT, EIO)
 *   silly   a file that is removed or replaced while somebody has it open stays beside as .nfsXXXX until it is closed
 *   estale  a file that was removed or replaced while it is open here cannot be read any more, nor, one time in so
 *           many, one that the server has lost sight of
 *   nolink  there are neither hard links nor clones, nor copies made by the server, nor locks
 *   cached  what was looked up is remembered for $NFS_CACHED_MS, also that there was nothing, and listings lack what
 *           another client has just made. $NFS_CLIENT is the memory, which the processes of one client share
 *   skewed  the server's clock is $NFS_SKEW seconds ahead
 *
 * What the staging folders have is not remembered: commands, which have no part in this, write there.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { REPLAY = 1, SOFT = 2, LATE = 4, SILLY = 8, ESTALE_ = 16, NOLINK = 32, CACHED = 64, SKEWED = 128 };
static const char *const NAMES[] = { "replay", "soft", "late", "silly", "estale", "nolink", "cached", "skewed" };

#define FICLONE 0x40049409
#define FILES 65536
#define SLOTS 1024
#define PROBES 16
#define NAME 400

/* What one client remembers of a path: of what it leads to, and of itself where that is a link. */
struct view {
  long until;
  int is_there, is_own;
  struct statx stats;
};
struct memory {
  char path[NAME];
  struct view views[2];
};
struct client {
  atomic_int busy;
  struct memory slots[SLOTS];
};

static const char *folder;
static size_t folder_length;
static int faults;
static uint64_t seed, one_in = 20;
static long cached_ms = 200, skew;
static char only_call[32];
static const char *only_path;
static atomic_long most = LONG_MAX;
static atomic_ulong calls;
static int log_file = -1;
static struct client *client;

/* Open files below the folder, and their sizes when they were opened to be written to. */
static _Atomic(char *) opened[FILES];
static long opened_size[FILES];

/* The functions that are called the same here. */
#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

#define RAW(...) REAL(syscall)(__VA_ARGS__)

__attribute__((constructor)) static void start(void) {
  const char *value = getenv("NFS_FOLDER");
  if (value == NULL || strcmp(program_invocation_short_name, "node") != 0) return;
  folder_length = strlen(value);
  const char *names = getenv("NFS_FAULTS");
  for (int i = 0; names && i < 8; i++) if (strstr(names, NAMES[i])) faults |= 1 << i;
  if ((value = getenv("NFS_SEED"))) seed = strtoull(value, NULL, 10);
  if ((value = getenv("NFS_ONE_IN"))) one_in = strtoull(value, NULL, 10);
  if ((value = getenv("NFS_CACHED_MS"))) cached_ms = atol(value);
  if ((value = getenv("NFS_SKEW"))) skew = atol(value);
  if ((value = getenv("NFS_MOST"))) most = atol(value);
  if ((value = getenv("NFS_ONLY")) && (only_path = strchr(value, ' '))) {
    only_path += 1;
    snprintf(only_call, sizeof only_call, "%.*s", (int)(only_path - value - 1), value);
  }
  if ((value = getenv("NFS_LOG"))) log_file = RAW(SYS_open, value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if ((faults & CACHED) && (value = getenv("NFS_CLIENT"))) {
    int file = RAW(SYS_open, value, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (REAL(ftruncate)(file, sizeof *client) == 0)
      client = mmap(NULL, sizeof *client, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    RAW(SYS_close, file);
    if (client == MAP_FAILED) client = NULL;
  }
  /* Who opens a file that is just being asked about breaks a lease: see is_open. */
  signal(SIGIO, SIG_IGN);
  folder = getenv("NFS_FOLDER");
}

/* Whether a path is below the folder; as an absolute one, with no "/" at its end, in `full`. */
static int is_inside(const char *path, char full[PATH_MAX]) {
  if (folder == NULL || path == NULL || *path == '\0') return 0;
  if (*path == '/') {
    if (strncmp(path, folder, folder_length) != 0) return 0;
    snprintf(full, PATH_MAX, "%s", path);
  } else {
    if (getcwd(full, PATH_MAX) == NULL) return 0;
    size_t length = strlen(full);
    snprintf(full + length, PATH_MAX - length, "/%s", path);
  }
  for (size_t end = strlen(full); end > 1 && full[end - 1] == '/';) full[--end] = '\0';
  return strncmp(full, folder, folder_length) == 0 && full[folder_length] == '/';
}

static const char *path_of(int file) {
  return folder != NULL && file >= 0 && file < FILES ? opened[file] : NULL;
}

static uint64_t draw(void) {
  uint64_t x = seed * 0x9e3779b97f4a7c15u + atomic_fetch_add(&calls, 1) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static int is_meant(const char *call, const char *path) {
  return only_path == NULL || (strcmp(call, only_call) == 0 && strstr(path, only_path) != NULL);
}

static int happens(int kind, const char *call, const char *path) {
  return (faults & kind) && draw() % one_in == 0 && is_meant(call, path) && atomic_fetch_sub(&most, 1) > 0;
}

/* Notes a fault, and fails as the call is to fail. */
static int fail(int kind, const char *call, const char *path, int error) {
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%s %s %s\n", NAMES[__builtin_ctz(kind)], call, path);
  if (log_file >= 0) RAW(SYS_write, log_file, line, length);
  errno = error;
  return -1;
}

/* Of a change that was carried out: what is said of it. `error` is what a second time would say. */
static int answer(const char *call, const char *path, int result, int error) {
  if (result != 0) return result;
  if (happens(REPLAY, call, path)) return fail(REPLAY, call, path, error);
  return happens(SOFT, call, path) ? fail(SOFT, call, path, EIO) : 0;
}

/* --- What the client remembers --- */

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void lock_client(void) {
  /* A process that was killed leaves it locked. */
  for (int tries = 0; atomic_exchange(&client->busy, 1) && tries < 100000; tries++) sched_yield();
}

/* Where a path is remembered; of one that is not: NULL, or a slot made for it, in another's place where none is free. */
static struct memory *slot_of(const char *path, int make) {
  uint64_t hash = 14695981039346656037u;
  for (const char *c = path; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  struct memory *spare = NULL;
  for (int i = 0; i < PROBES; i++) {
    struct memory *slot = &client->slots[(hash + i) % SLOTS];
    if (strcmp(slot->path, path) == 0) return slot;
    if (spare == NULL && slot->path[0] == '\0') spare = slot;
  }
  if (!make) return NULL;
  if (spare == NULL) spare = &client->slots[hash % SLOTS];
  memset(spare, 0, sizeof *spare);
  strcpy(spare->path, path);
  return spare;
}

static int is_remembered(const char *path) {
  return client != NULL && strlen(path) < NAME && strstr(path, "/cache/staging") == NULL && strstr(path, "/cache/scratch") == NULL;
}

static void remember(const char *path, int link, const struct statx *stats, int is_own) {
  if (!is_remembered(path)) return;
  lock_client();
  struct view *view = &slot_of(path, 1)->views[link];
  view->until = now() + cached_ms;
  view->is_there = stats != NULL;
  view->is_own = is_own;
  if (stats) view->stats = *stats;
  atomic_store(&client->busy, 0);
}

static void remember_nothing(const char *path) {
  remember(path, 0, NULL, 0);
  remember(path, 1, NULL, 0);
}

/* What is remembered for a call: whether something is there; -1 for nothing. */
static int recall(const char *call, const char *path, int link, struct statx *stats) {
  if (!is_remembered(path) || !is_meant(call, path)) return -1;
  lock_client();
  struct memory *slot = slot_of(path, 0);
  struct view *view = slot ? &slot->views[link] : NULL;
  int known = view && view->until > now() && !view->is_own ? view->is_there : -1;
  if (known == 1 && stats) *stats = view->stats;
  atomic_store(&client->busy, 0);
  return known;
}

/* What the server refuses tells of what is there. */
static void forget(const char *path) {
  if (!is_remembered(path)) return;
  int error = errno;
  lock_client();
  struct memory *slot = slot_of(path, 0);
  if (slot) slot->path[0] = '\0';
  atomic_store(&client->busy, 0);
  errno = error;
}

/* What this client has changed it sees as it is, with all below it. */
static void changed(const char *path) {
  if (!is_remembered(path)) return;
  size_t length = strlen(path);
  lock_client();
  for (int i = 0; i < SLOTS; i++) {
    struct memory *slot = &client->slots[i];
    if (strncmp(slot->path, path, length) == 0 && (slot->path[length] == '/' || slot->path[length] == '\0'))
      slot->path[0] = '\0';
  }
  atomic_store(&client->busy, 0);
  remember(path, 0, NULL, 1);
}

/* Whether this client has just made it, or a folder that it is in. */
static int is_own(const char *path) {
  char above[PATH_MAX];
  int own = 0;
  strcpy(above, path);
  lock_client();
  for (char *end; !own && strlen(above) > folder_length && (end = strrchr(above, '/')); *end = '\0') {
    struct memory *slot = slot_of(above, 0);
    own = slot && slot->views[0].until > now() && slot->views[0].is_own;
  }
  atomic_store(&client->busy, 0);
  return own;
}

/* --- Files that are open --- */

/* Whether any process has it open: only then is no lease to be had. */
static int is_open(const char *path) {
  struct stat stats;
  if (lstat(path, &stats) != 0 || !S_ISREG(stats.st_mode)) return 0;
  int file = RAW(SYS_open, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return 0;
  int lease = REAL(fcntl64)(file, F_SETLEASE, F_WRLCK);
  int open = lease != 0 && errno == EAGAIN;
  if (lease == 0) REAL(fcntl64)(file, F_SETLEASE, F_UNLCK);
  RAW(SYS_close, file);
  return open;
}

static const char *last_name(const char *path) {
  return strrchr(path, '/') + 1;
}

static int is_silly(const char *name) {
  return strncmp(name, ".nfs", 4) == 0;
}

/* Moves an open file out of the way. */
static int put_aside(const char *call, const char *path) {
  char aside[PATH_MAX];
  snprintf(aside, sizeof aside, "%.*s/.nfs%016lx", (int)(last_name(path) - path - 1), path, (unsigned long)draw());
  if (REAL(rename)(path, aside) != 0) return -1;
  fail(SILLY, call, path, 0);
  return 0;
}

/* What has been closed since it was put aside is gone. */
static void sweep(const char *path) {
  DIR *dir = opendir(path);
  if (dir == NULL) return;
  for (struct dirent64 *entry; (entry = readdir64(dir));) {
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    if (is_silly(entry->d_name) && !is_open(file)) REAL(unlink)(file);
  }
  closedir(dir);
}

static int open_file(const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (!is_inside(path, full)) return RAW(SYS_openat, AT_FDCWD, path, flags, mode);
  if (happens(SOFT, "open", full)) return fail(SOFT, "open", full, EIO);
  if (!(flags & O_CREAT) && recall("open", full, 0, NULL) == 0) return fail(CACHED, "open", full, ENOENT);
  int file = RAW(SYS_openat, AT_FDCWD, path, flags, mode);
  if (file < 0) {
    int error = errno;
    if (error == ENOENT) remember_nothing(full);
    errno = error;
    return -1;
  }
  if (flags & (O_CREAT | O_TRUNC)) changed(full);
  if ((flags & O_EXCL) && happens(REPLAY, "open", full)) {
    RAW(SYS_close, file);
    return fail(REPLAY, "open", full, EEXIST);
  }
  struct stat stats;
  if (file < FILES && fstat(file, &stats) == 0) {
    free(atomic_exchange(&opened[file], strdup(full)));
    opened_size[file] = (flags & O_ACCMODE) == O_RDONLY ? -1 : stats.st_size;
  }
  return file;
}

/* What was written since it was opened is lost, or half of it. */
static int lose(int file, const char *call, const char *path) {
  struct stat stats;
  if (fstat(file, &stats) == 0 && stats.st_size > opened_size[file])
    (void)!REAL(ftruncate)(file, opened_size[file] + (stats.st_size - opened_size[file]) / 2);
  changed(path);
  static const int errors[] = { ENOSPC, EDQUOT, EIO };
  return fail(LATE, call, path, errors[seed % 3]);
}

static int close_file(int file) {
  char *path = path_of(file) ? atomic_exchange(&opened[file], NULL) : NULL;
  int failed = path && opened_size[file] >= 0 && happens(LATE, "close", path) ? lose(file, "close", path) : 0;
  int error = errno;
  if (path && opened_size[file] >= 0) changed(path);
  int result = RAW(SYS_close, file);
  free(path);
  if (failed) errno = error;
  return failed ? -1 : result;
}

static int sync_file(int file, int (*real)(int)) {
  const char *path = path_of(file);
  return path && opened_size[file] >= 0 && happens(LATE, "fsync", path) ? lose(file, "fsync", path) : real(file);
}

/* Whether a read is to go on. */
static int can_read(int file) {
  const char *path = path_of(file);
  struct stat stats;
  if (path == NULL) return 1;
  if (((faults & ESTALE_) && fstat(file, &stats) == 0 && stats.st_nlink == 0) || happens(ESTALE_, "read", path))
    return fail(ESTALE_, "read", path, ESTALE) == 0;
  return !happens(SOFT, "read", path) || fail(SOFT, "read", path, EIO) == 0;
}

/* --- The calls --- */

static void skew_times(struct statx *stats) {
  if (!(faults & SKEWED)) return;
  stats->stx_mtime.tv_sec += skew;
  stats->stx_ctime.tv_sec += skew;
}

static int stat_file(int at, const char *path, int flags, unsigned mask, struct statx *stats) {
  char full[PATH_MAX];
  int link = (flags & AT_SYMLINK_NOFOLLOW) != 0;
  if (*path == '\0') {
    int result = RAW(SYS_statx, at, path, flags, mask, stats);
    if (result == 0 && path_of(at)) skew_times(stats);
    return result;
  }
  if (!is_inside(path, full)) return RAW(SYS_statx, at, path, flags, mask, stats);
  if (happens(SOFT, "stat", full)) return fail(SOFT, "stat", full, EIO);
  int known = recall("stat", full, link, stats);
  if (known == 0) return fail(CACHED, "stat", full, ENOENT);
  if (known == 1) return 0;
  int result = RAW(SYS_statx, at, path, flags, mask, stats);
  if (result == 0) skew_times(stats);
  int error = errno;
  if (result == 0 && client && !is_own(full)) remember(full, link, stats, 0);
  if (result != 0 && error == ENOENT) remember_nothing(full);
  errno = error;
  return result;
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  if (folder != NULL) {
    if (number == SYS_close) return close_file(a[0]);
    if (number == SYS_statx) return stat_file(a[0], (const char *)a[1], a[2], a[3], (struct statx *)a[4]);
    const char *path = number == SYS_copy_file_range ? (path_of(a[2]) ? path_of(a[2]) : path_of(a[0])) : NULL;
    if (path && (faults & NOLINK)) return fail(NOLINK, "copy_file_range", path, EXDEV);
  }
  return RAW(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int close(int file) { return folder ? close_file(file) : REAL(close)(file); }
int fsync(int file) { return sync_file(file, REAL(fsync)); }
int fdatasync(int file) { return sync_file(file, REAL(fdatasync)); }

static mode_t mode_of(int flags, va_list list) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0; }
int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_file(path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

ssize_t read(int file, void *to, size_t length) { return can_read(file) ? REAL(read)(file, to, length) : -1; }
ssize_t readv(int file, const struct iovec *to, int count) { return can_read(file) ? REAL(readv)(file, to, count) : -1; }
ssize_t pread64(int file, void *to, size_t length, off64_t at) {
  return can_read(file) ? REAL(pread64)(file, to, length, at) : -1;
}
ssize_t preadv64(int file, const struct iovec *to, int count, off64_t at) {
  return can_read(file) ? REAL(preadv64)(file, to, count, at) : -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
  return can_read(from) ? REAL(sendfile64)(to, from, at, length) : -1;
}

int rename(const char *from, const char *to) {
  char source[PATH_MAX], target[PATH_MAX];
  int is_source = is_inside(from, source), is_target = is_inside(to, target);
  if (!is_source && !is_target) return REAL(rename)(from, to);
  if (is_target && (faults & SILLY) && is_open(target)) put_aside("rename", target);
  int result = REAL(rename)(from, to);
  if (is_source && result == 0) changed(source);
  if (is_target && result == 0) changed(target);
  struct stat stats;
  /* Two names of one file both stay, and a second time is as the first. */
  if (result == 0 && lstat(from, &stats) == 0) return 0;
  return answer("rename", is_target ? target : source, result, ENOENT);
}

int link(const char *from, const char *to) {
  char full[PATH_MAX];
  if (!is_inside(to, full)) return REAL(link)(from, to);
  static const int errors[] = { EPERM, EMLINK, EXDEV, EOPNOTSUPP };
  if (faults & NOLINK) return fail(NOLINK, "link", full, errors[seed % 4]);
  int result = REAL(link)(from, to);
  if (result == 0) changed(full);
  return answer("link", full, result, EEXIST);
}

int symlink(const char *text, const char *to) {
  char full[PATH_MAX];
  if (!is_inside(to, full)) return REAL(symlink)(text, to);
  int result = REAL(symlink)(text, to);
  if (result == 0) changed(full);
  return answer("symlink", full, result, EEXIST);
}

int mkdir(const char *path, mode_t mode) {
  char full[PATH_MAX];
  if (!is_inside(path, full)) return REAL(mkdir)(path, mode);
  int result = REAL(mkdir)(path, mode);
  if (result == 0) changed(full);
  if (result != 0 && errno == EEXIST) forget(full);
  return answer("mkdir", full, result, EEXIST);
}

int unlink(const char *path) {
  char full[PATH_MAX];
  if (!is_inside(path, full)) return REAL(unlink)(path);
  if ((faults & SILLY) && is_open(full)) {
    if (is_silly(last_name(full))) return fail(SILLY, "unlink", full, EBUSY);
    changed(full);
    return put_aside("unlink", full);
  }
  int result = REAL(unlink)(path);
  if (result == 0) changed(full);
  return answer("unlink", full, result, ENOENT);
}

int rmdir(const char *path) {
  char full[PATH_MAX];
  if (!is_inside(path, full)) return REAL(rmdir)(path);
  if (faults & SILLY) sweep(full);
  int result = REAL(rmdir)(path);
  if (result == 0) changed(full);
  return answer("rmdir", full, result, ENOENT);
}

int scandir64(const char *path, struct dirent64 ***list, int (*choose)(const struct dirent64 *),
              int (*order)(const struct dirent64 **, const struct dirent64 **)) {
  char full[PATH_MAX];
  if (!is_inside(path, full)) return REAL(scandir64)(path, list, choose, order);
  if (happens(SOFT, "scandir", full)) return fail(SOFT, "scandir", full, EIO);
  if (faults & SILLY) sweep(full);
  int count = REAL(scandir64)(path, list, choose, order), kept = 0;
  if (count < 0 || client == NULL || !is_remembered(full)) return count;
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  for (int i = 0; i < count; i++) {
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/%s", full, (*list)[i]->d_name);
    struct stat stats;
    int is_new = lstat(file, &stats) == 0 &&
      (time.tv_sec - stats.st_ctim.tv_sec) * 1000 + (time.tv_nsec - stats.st_ctim.tv_nsec) / 1000000 < cached_ms;
    int is_unseen = is_new && !is_own(file) && is_meant("scandir", file) && draw() % one_in == 0;
    if (is_unseen || recall("scandir", file, 0, NULL) == 0) {
      fail(CACHED, "scandir", file, 0);
      free((*list)[i]);
    } else (*list)[kept++] = (*list)[i];
  }
  return kept;
}

int access(const char *path, int mode) {
  char full[PATH_MAX];
  if (is_inside(path, full) && recall("access", full, 0, NULL) == 0) return fail(CACHED, "access", full, ENOENT);
  return REAL(access)(path, mode);
}

int chmod(const char *path, mode_t mode) {
  char full[PATH_MAX];
  int result = REAL(chmod)(path, mode);
  if (result == 0 && is_inside(path, full)) changed(full);
  return result;
}

int utimensat(int at, const char *path, const struct timespec times[2], int flags) {
  char full[PATH_MAX];
  int result = REAL(utimensat)(at, path, times, flags);
  if (result == 0 && is_inside(path, full)) changed(full);
  return result;
}

int flock(int file, int operation) {
  return path_of(file) && (faults & NOLINK) ? fail(NOLINK, "flock", path_of(file), ENOLCK) : REAL(flock)(file, operation);
}

int fcntl64(int file, int command, ...) {
  va_list list;
  va_start(list, command);
  void *with = va_arg(list, void *);
  va_end(list);
  int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
  if (locks && path_of(file) && (faults & NOLINK)) return fail(NOLINK, "fcntl", path_of(file), ENOLCK);
  return REAL(fcntl64)(file, command, with);
}

int ioctl(int file, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *with = va_arg(list, void *);
  va_end(list);
  if (request == FICLONE && path_of(file) && (faults & NOLINK)) return fail(NOLINK, "ioctl", path_of(file), EOPNOTSUPP);
  return REAL(ioctl)(file, request, with);
}
