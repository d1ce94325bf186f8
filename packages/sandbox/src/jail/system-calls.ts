/**
 * System call numbers of the calls a jailed process may make, per processor: [x86_64, aarch64]; null where it has none.
 *
 * Numbers are the Linux kernel's (asm/unistd_64.h, asm-generic/unistd.h). Absent on purpose: every socket call, fork and
 * exec, signals to others, ptrace, namespaces, mounts, keys, bpf, io_uring, userfaultfd, memfd.
 */
type Numbers = Readonly<Record<string, readonly [x86_64: number | null, aarch64: number | null]>>;

/** What a running strategy may call. */
export const STRATEGY_CALLS: Numbers = {
  read: [0, 63], write: [1, 64], readv: [19, 65], writev: [20, 66], pread64: [17, 67], pwrite64: [18, 68], close: [3, 57], close_range: [436, 436],
  lseek: [8, 62], fstat: [5, 80], newfstatat: [262, 79], statx: [332, 291], openat: [257, 56], openat2: [437, 437], readlinkat: [267, 78],
  faccessat: [269, 48], faccessat2: [439, 439], getdents64: [217, 61], getcwd: [79, 17], fcntl: [72, 25], dup: [32, 23], dup3: [292, 24],
  pipe2: [293, 59], ppoll: [271, 73], pselect6: [270, 72], epoll_create1: [291, 20], epoll_ctl: [233, 21], epoll_pwait: [281, 22], eventfd2: [290, 19],
  mmap: [9, 222], munmap: [11, 215], mremap: [25, 216], mprotect: [10, 226], madvise: [28, 233], brk: [12, 214], msync: [26, 227], mincore: [27, 232],
  rt_sigaction: [13, 134], rt_sigprocmask: [14, 135], rt_sigreturn: [15, 139], rt_sigpending: [127, 136], rt_sigtimedwait: [128, 137],
  sigaltstack: [131, 132], restart_syscall: [219, 128], futex: [202, 98], set_robust_list: [273, 99], get_robust_list: [274, 100],
  set_tid_address: [218, 96], rseq: [334, 293], membarrier: [324, 283], sched_yield: [24, 124], sched_getaffinity: [204, 123],
  sched_getparam: [143, 121], sched_getscheduler: [145, 120], sched_get_priority_max: [146, 125], sched_get_priority_min: [147, 126],
  nanosleep: [35, 101], clock_gettime: [228, 113], clock_getres: [229, 114], clock_nanosleep: [230, 115], gettimeofday: [96, 169], times: [100, 153],
  getrusage: [98, 165], getitimer: [36, 102], getpid: [39, 172], getppid: [110, 173], gettid: [186, 178], getuid: [102, 174], geteuid: [107, 175],
  getgid: [104, 176], getegid: [108, 177], getresuid: [118, 148], getresgid: [120, 150], getgroups: [115, 158], getpgid: [121, 155], getsid: [124, 156],
  getpriority: [140, 141], uname: [63, 160], sysinfo: [99, 179], getcpu: [309, 168], getrandom: [318, 278], exit: [60, 93], exit_group: [231, 94],
  ftruncate: [77, 46], fallocate: [285, 47], fsync: [74, 82], fdatasync: [75, 83], unlinkat: [263, 35], mkdirat: [258, 34], renameat: [264, 38],
  renameat2: [316, 276], umask: [95, 166], fadvise64: [221, 223], sendfile: [40, 71], copy_file_range: [326, 285], flock: [73, 32],
  getrlimit: [97, 163], chdir: [80, 49], fchdir: [81, 50], utimensat: [280, 88], fchmod: [91, 52], fchmodat: [268, 53], stat: [4, null],
  lstat: [6, null], open: [2, null], access: [21, null], readlink: [89, null], getdents: [78, null], dup2: [33, null], pipe: [22, null],
  poll: [7, null], select: [23, null], epoll_create: [213, null], epoll_wait: [232, null], eventfd: [284, null], arch_prctl: [158, null],
  time: [201, null], unlink: [87, null], mkdir: [83, null], rmdir: [84, null], rename: [82, null],
};

/** What the prelude needs besides, until it puts on the narrower filter. */
export const PRELUDE_CALLS: Numbers = {
  execve: [59, 221], prlimit64: [302, 261], setrlimit: [160, 164], prctl: [157, 167], seccomp: [317, 277], landlock_create_ruleset: [444, 444],
  landlock_add_rule: [445, 445], landlock_restrict_self: [446, 446],
};

/** Calls that are judged by their arguments. */
export const JUDGED_CALLS = { clone: [56, 220], clone3: [435, 435], ioctl: [16, 29] } as const;
