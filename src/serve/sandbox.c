/*
 * Privileges, Landlock, seccomp.
 *
 * Landlock's structures are written down here, for the headers of Debian 12 are older than the
 * kernels that torhaus meets; what a kernel does not know is masked out by its ABI number. Rules
 * hang on inodes: folders are named, not files that are replaced (databases, logs after rotation).
 *
 * seccomp: an allow-list, made from what glibc, SQLite, OpenSSL and our loops do. A call that is
 * missing fails with EPERM and shows as an ordinary error; those that serve nobody but an intruder
 * kill the process.
 */
#include "serve/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/mem.h"

/* AddressSanitizer and its leak check, which traces the process from a thread of its own, need
 * more. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* ---- user ---- */

int sandbox_user_find(struct span name, struct sandbox_user *ret, struct fault *fault)
{
	char text[64];
	struct passwd *pw;

	*ret = (struct sandbox_user){ .uid = geteuid(), .gid = getegid() };
	if (geteuid() != 0 || name.n == 0 || name.n >= sizeof(text))
		return 0;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	pw = getpwnam(text);
	if (!pw) {
		fault_set(fault, FAULT_SERVE_NO_USER);
		fault_fact(fault, "user", "%s", text);
		return -ENOENT;
	}
	*ret = (struct sandbox_user){ .uid = pw->pw_uid, .gid = pw->pw_gid, .change = true };
	return 0;
}

/* What systemd gave the supervisor (AmbientCapabilities=), so that it could bind ports and read
 * keys. Root changes its user and thereby loses them; where it stays root on purpose, it stays what
 * it is. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (geteuid() == 0)
		return 0;
	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

/* What a program could get back that it runs: also for a worker that stays root. Without the right
 * to do so (not root) there is nothing to be had by it either, with PR_SET_NO_NEW_PRIVS. */
static void close_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int sandbox_become(const struct sandbox_user *user)
{
	int r;

	close_bounding_set();
	if (user->change) {
		if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
			setresuid(user->uid, user->uid, user->uid) < 0)
			return -errno;
		must(user->uid == 0 || setuid(0) < 0);
	}
	r = drop_capabilities();
	if (r < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* ---- Landlock ---- */

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
#define FS_TRUNCATE     (1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV    (1ull << 15) /* ABI 5 */
#define NET_BIND_TCP    (1ull << 0)  /* ABI 4 */
#define SCOPE_ABSTRACT  (1ull << 0)  /* ABI 6 */
#define SCOPE_SIGNAL    (1ull << 1)
#define FS_ALL_OF_ABI_1 ((1ull << 13) - 1)
#define FS_READ         (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
		FS_TRUNCATE)
#define FS_OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/* What glibc's resolver and time zones, and OpenSSL, read when asked. */
static const char *const readable[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/etc/host.conf", "/etc/services", "/etc/protocols", "/etc/ld.so.cache", "/etc/localtime",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
	"/usr/local/lib", "/usr/share/zoneinfo", "/etc/ssl", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/etc/ca-certificates", "/etc/pki", "/dev/urandom",
	"/sys/devices/system/cpu" };
/* For what a sanitizer prints when it has found something. */
static const char *const readable_sanitized[] = { "/proc", "/usr/bin" };

/* A path that is not there needs no rule. */
static int allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat st;
	int r = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		r = -errno;
	close(rule.parent_fd);
	return r;
}

static int allow_all(int ruleset, const struct sandbox_paths *paths, uint64_t known)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < array_len(readable); i++)
		r = allow(ruleset, readable[i], FS_READ);
	for (unsigned i = 0; SANITIZED && r == 0 && i < array_len(readable_sanitized); i++)
		r = allow(ruleset, readable_sanitized[i], FS_READ);
	for (unsigned i = 0; r == 0 && i < paths->writable_n; i++)
		r = allow(ruleset, paths->writable[i], FS_WRITE & known);
	return r == 0 ? allow(ruleset, "/dev/null", FS_OF_FILES & known) : r;
}

static struct ruleset_attr attr_of(long abi)
{
	struct ruleset_attr attr = { .fs = FS_ALL_OF_ABI_1 };

	if (abi >= 2)
		attr.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.fs |= FS_TRUNCATE;
	if (abi >= 4)
		attr.net = NET_BIND_TCP;
	if (abi >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		attr.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return attr;
}

int sandbox_landlock(const struct sandbox_paths *paths)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr attr = attr_of(abi);
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? offsetof(struct ruleset_attr, scoped) : sizeof(attr.fs);
	int ruleset, r;

	if (abi < 1)
		return 0;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return -errno;
	r = allow_all(ruleset, paths, attr.fs);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	close(ruleset);
	return r < 0 ? r : (int)abi;
}

/* ---- seccomp ---- */

static const int allowed[] = {
#define CALL(name) SCMP_SYS(name),
#include "serve/sandbox.tbl.h"
#undef CALL
};
static const int deadly[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(bpf), SCMP_SYS(mount), SCMP_SYS(pivot_root), SCMP_SYS(reboot), SCMP_SYS(setns),
	SCMP_SYS(unshare), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open) };
/* What sockets may be made of: no AF_NETLINK (glibc asks it for the machine's addresses, and does
 * without), AF_VSOCK, AF_PACKET and what is to come. */
static const scmp_datum_t families[] = { AF_UNIX, AF_INET, AF_INET6 };
/* LeakSanitizer's tracer, and the symbolizer. */
static const int allowed_sanitized[] = { SCMP_SYS(ptrace), SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(wait4), SCMP_SYS(execve), SCMP_SYS(readlink), SCMP_SYS(personality), SCMP_SYS(process_vm_readv),
	SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(getdents) };

static bool is_among(const int *list, size_t n, int call)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == call)
			return true;
	return false;
}

static int add_rules(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < array_len(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; SANITIZED && r == 0 && i < array_len(allowed_sanitized); i++)
		if (!is_among(allowed, array_len(allowed), allowed_sanitized[i]))
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_sanitized[i], 0);
	for (size_t i = 0; r == 0 && i < array_len(deadly); i++)
		if (!SANITIZED || !is_among(allowed_sanitized, array_len(allowed_sanitized), deadly[i]))
			r = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	/* Threads, but not processes: clone3's flags lie in memory, which a filter cannot see;
	 * glibc falls back to clone when it is told that there is no clone3. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; r == 0 && i < array_len(families); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
	if (r == 0 && !SANITIZED)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, 0x00010000 /* CLONE_THREAD */, 0x00010000));
	return r;
}

int sandbox_seccomp(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? add_rules(ctx) : -ENOMEM;

	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}
