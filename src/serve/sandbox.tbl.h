/* System calls that the worker makes: CALL(name); see serve/sandbox.c. */
/* clang-format off */
/* descriptors and files */
CALL(read) CALL(write) CALL(readv) CALL(writev) CALL(pread64) CALL(pwrite64) CALL(preadv) CALL(pwritev)
CALL(open) CALL(openat) CALL(close) CALL(close_range) CALL(lseek) CALL(fcntl) CALL(ioctl) CALL(dup3)
CALL(stat) CALL(fstat) CALL(lstat) CALL(newfstatat) CALL(statx) CALL(fstatfs) CALL(statfs)
CALL(access) CALL(faccessat) CALL(faccessat2) CALL(readlink) CALL(readlinkat) CALL(getdents64) CALL(getcwd)
CALL(fsync) CALL(fdatasync) CALL(ftruncate) CALL(fallocate) CALL(fadvise64) CALL(flock)
CALL(unlink) CALL(unlinkat) CALL(mkdir) CALL(umask) CALL(fchmod) CALL(fchown) CALL(utimensat)
CALL(memfd_create) CALL(eventfd2) CALL(pipe2)
/* waiting */
CALL(epoll_create1) CALL(epoll_ctl) CALL(epoll_wait) CALL(epoll_pwait) CALL(epoll_pwait2)
CALL(poll) CALL(ppoll) CALL(select) CALL(pselect6)
CALL(nanosleep) CALL(clock_nanosleep) CALL(clock_gettime) CALL(clock_getres) CALL(gettimeofday) CALL(time)
/* sockets: none to listen on, the supervisor hands them in */
CALL(socketpair) CALL(connect) CALL(accept) CALL(accept4) CALL(shutdown) CALL(bind)
CALL(getsockname) CALL(getpeername) CALL(getsockopt) CALL(setsockopt)
CALL(sendto) CALL(recvfrom) CALL(sendmsg) CALL(recvmsg) CALL(sendmmsg) CALL(recvmmsg) CALL(sendfile) CALL(splice)
/* memory */
CALL(mmap) CALL(munmap) CALL(mremap) CALL(mprotect) CALL(madvise) CALL(brk) CALL(mincore) CALL(membarrier)
/* threads and the process itself */
CALL(futex) CALL(set_robust_list) CALL(get_robust_list) CALL(rseq) CALL(sched_yield) CALL(sched_getaffinity)
CALL(gettid) CALL(getpid) CALL(getppid) CALL(getuid) CALL(geteuid) CALL(getgid) CALL(getegid) CALL(getrandom)
CALL(uname) CALL(sysinfo) CALL(getrusage) CALL(prlimit64) CALL(getrlimit) CALL(prctl) CALL(arch_prctl) CALL(getcpu)
CALL(rt_sigaction) CALL(rt_sigprocmask) CALL(rt_sigreturn) CALL(rt_sigtimedwait) CALL(sigaltstack) CALL(restart_syscall)
CALL(tgkill) CALL(exit) CALL(exit_group)
