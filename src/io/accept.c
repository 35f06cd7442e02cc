/* Accepting. See io/accept.h. */
#include "io/accept.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "io/loop.h"

#define ACCEPTS_IN_A_ROW 64  /* then others of the loop have their turn */
#define ACCEPT_PAUSE_MS  100 /* when there are no descriptors left */

struct acceptor {
	struct list link;
	struct loop_fd fd;
	struct task *task;
	bool closing;
	const struct accept_to *to;
	void *arg;
};

static bool is_about_one_connection(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
}

static void fail(const struct acceptor *a, int error)
{
	struct fault fault;

	fault_set(&fault, FAULT_ACCEPT_FAILED);
	fault_fact(&fault, "error", "%s", strerror(error));
	a->to->failed(a->arg, &fault);
}

/* Accepts until the queue is empty. */
static void accept_all(struct acceptor *a)
{
	for (unsigned n = 1;; n++) {
		int fd = accept4(a->fd.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			a->to->take(a->arg, fd);
		} else if (errno == EAGAIN) {
			a->fd.readable = false;
			return;
		} else if (!is_about_one_connection(errno)) {
			fail(a, errno);
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
	list_remove(&a->link);
	mem_free(a);
}

void accept_start(struct list *acceptors, int fd, const struct accept_to *to, void *arg)
{
	struct acceptor *a = mem_new(struct acceptor);

	a->to = to;
	a->arg = arg;
	list_push_back(acceptors, &a->link);
	must(loop_fd_add(&a->fd, fd) == 0);
	a->task = task_spawn("acceptor", run, a);
	must(a->task);
}

void accept_stop(struct list *acceptors, int fd)
{
	list_each_safe (it, acceptors) {
		struct acceptor *a = container_of(it, struct acceptor, link);

		if ((fd >= 0 && a->fd.fd != fd) || a->closing)
			continue;
		a->closing = true;
		task_cancel(a->task);
	}
}
