/* Accepting. See io/accept.h. */
#include "io/accept.h"
#include <errno.h>
#include <sys/socket.h>
#include "base/mem.h"

#define ACCEPTS_IN_A_ROW 64  /* then others of the loop have their turn */
#define ACCEPT_PAUSE_MS  100 /* when there are no descriptors left */

static bool is_about_one_connection(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
}

/* Accepts until the queue is empty. */
static void accept_all(struct acceptor *a)
{
	for (unsigned n = 1;; n++) {
		int fd = accept4(a->fd.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			a->take(a, fd);
		} else if (errno == EAGAIN) {
			a->fd.readable = false;
			return;
		} else if (!is_about_one_connection(errno)) {
			a->failed(a, errno);
			if (a->closing || task_sleep(ACCEPT_PAUSE_MS) < 0)
				return;
		}
		if (n % ACCEPTS_IN_A_ROW == 0)
			task_yield();
	}
}

static void run(void *arg)
{
	struct acceptor *a = arg;

	do
		accept_all(a);
	/* Visitors come when they like. */
	while (!a->closing && loop_fd_wait_read(&a->fd, DEADLINE_NEVER) == 0);
	accept_all(a);
	loop_fd_remove(&a->fd);
	a->ended(a);
}

void acceptor_start(struct acceptor *a, int fd)
{
	must(loop_fd_add(&a->fd, fd) == 0);
	a->task = task_spawn("acceptor", run, a);
	must(a->task);
}

void acceptor_stop(struct acceptor *a)
{
	if (a->closing)
		return;
	a->closing = true;
	task_cancel(a->task);
}
