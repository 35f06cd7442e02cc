/* The worker's fence, each part tried by a child that steps over it. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../unit.h"
#include "base/mem.h"
#include "serve/sandbox.h"

#define NOBODY 65534

/* What became of a child that ran fn: its exit status, or minus the signal that ended it. */
static int outcome(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- capabilities ---- */

static uint32_t effective(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &head, data) < 0 ? ~0u : data[0].effective | data[0].permitted;
}

/* As systemd starts a service with User= and AmbientCapabilities=. */
static bool become_nobody_with_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_NET_BIND_SERVICE;
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
		syscall(SYS_capset, &head, data) == 0 &&
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0 && effective() != 0;
}

static int gives_capabilities_up(void)
{
	struct sandbox_user stay = { .uid = NOBODY, .gid = NOBODY };

	if (!become_nobody_with_capability())
		return 1;
	if (sandbox_become(&stay) < 0)
		return 2;
	return effective() == 0 ? 0 : 3;
}

static int changes_its_user(void)
{
	struct sandbox_user nobody = { .uid = NOBODY, .gid = NOBODY, .change = true };

	if (sandbox_become(&nobody) < 0)
		return 1;
	return geteuid() == NOBODY && getegid() == NOBODY && effective() == 0 && setuid(0) < 0 &&
			prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0 &&
			prctl(PR_CAPBSET_READ, CAP_NET_BIND_SERVICE, 0, 0, 0) == 0
		? 0
		: 2;
}

static void test_rights_are_given_up(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(outcome(gives_capabilities_up), 0);
	assert_int_equal(outcome(changes_its_user), 0);
}

/* ---- Landlock ---- */

static int sees_its_folders_only(void)
{
	struct sandbox_paths paths = { .writable = { "/dev" }, .writable_n = 1 };
	struct sandbox_user stay = { .uid = geteuid(), .gid = getegid() };
	int abi;

	if (sandbox_become(&stay) < 0)
		return 1;
	abi = sandbox_landlock(&paths);
	if (abi <= 0)
		return abi < 0 ? 2 : 77;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 3;
	if (open("/etc/hosts", O_RDONLY) < 0 && errno != ENOENT)
		return 4;
	if (open("/tmp/torhaus-sandbox", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
		return 5;
	return open("/dev/null", O_WRONLY) >= 0 ? 0 : 6;
}

static void test_files_outside_are_out_of_reach(void **state)
{
	int end = outcome(sees_its_folders_only);

	if (end == 77)
		skip();
	assert_int_equal(end, 0);
}

/* ---- seccomp ---- */

static bool fenced(void)
{
	struct sandbox_user stay = { .uid = geteuid(), .gid = getegid() };

	return sandbox_become(&stay) == 0 && sandbox_seccomp() == 0;
}

static int goes_on_with_its_work(void)
{
	return fenced() && getpid() > 0 && open("/dev/null", O_RDONLY) >= 0 ? 0 : 1;
}

static int calls_what_it_does_not_need(void)
{
	return fenced() && chroot("/") < 0 && errno == EPERM ? 0 : 1;
}

static int opens_other_sockets(void)
{
	static const int families[] = { AF_NETLINK, AF_VSOCK, AF_PACKET, AF_ALG, AF_BLUETOOTH };

	if (!fenced() || socket(AF_INET6, SOCK_STREAM, 0) < 0 || socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 1;
	for (size_t i = 0; i < array_len(families); i++)
		if (socket(families[i], SOCK_RAW, 0) >= 0 || errno != EPERM)
			return 2 + (int)i;
	return 0;
}

static int calls_what_intruders_call(void)
{
	return fenced() ? unshare(CLONE_NEWUSER) : 1;
}

static void test_system_calls(void **state)
{
	assert_int_equal(outcome(goes_on_with_its_work), 0);
	assert_int_equal(outcome(calls_what_it_does_not_need), 0);
	assert_int_equal(outcome(opens_other_sockets), 0);
	assert_int_equal(outcome(calls_what_intruders_call), -SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights_are_given_up),
		cmocka_unit_test(test_files_outside_are_out_of_reach),
		cmocka_unit_test(test_system_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
