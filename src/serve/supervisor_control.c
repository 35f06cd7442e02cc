/*
 * The control socket's file. A socket that nobody answers on is what a killed server left and is
 * replaced; one that is answered belongs to a running server, which is left alone. Its folder is
 * made if only that is missing.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "serve/supervisor.h"

#define BACKLOG 64

static bool is_answered(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answered = fd >= 0 && (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return answered;
}

static void make_folder(const char *path)
{
	const char *end = strrchr(path, '/');
	char *folder;

	if (!end || end == path)
		return;
	folder = span_text(span_make(path, (size_t)(end - path)));
	mkdir(folder, 0755);
	mem_free(folder);
}

/* Root and the worker's group may ask. */
static int open_socket(const struct sockaddr_un *un, const struct sandbox_user *user)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int r = 0;

	if (fd < 0)
		return -errno;
	unlink(un->sun_path);
	mask = umask(0117);
	if (bind(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 || listen(fd, BACKLOG) < 0)
		r = -errno;
	umask(mask);
	if (r == 0 && user->change && chown(un->sun_path, 0, user->gid) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int control_listen(const char *path, const struct sandbox_user *user, int *ret, struct fault *fault)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	must(strlen(path) < sizeof(un.sun_path));
	memcpy(un.sun_path, path, strlen(path));
	if (is_answered(&un)) {
		fault_set(fault, FAULT_SERVE_ALREADY_RUNNING);
		fault_fact(fault, "path", "%s", path);
		return -EADDRINUSE;
	}
	make_folder(path);
	*ret = open_socket(&un, user);
	if (*ret >= 0)
		return 0;
	fault_set(fault, FAULT_SERVE_CONTROL_FAILED);
	fault_fact(fault, "path", "%s", path);
	fault_fact(fault, "error", "%s", strerror(-*ret));
	return *ret;
}
