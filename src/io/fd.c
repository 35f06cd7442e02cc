/*
 * Descriptors on the loop.
 *
 * Registered once for both directions, edge-triggered: the kernel tells of a change once,
 * `readable` and `writable` remember it until a system call said EAGAIN. Both begin as
 * true: whoever comes first tries.
 *
 * A parked descriptor is a link in the loop's idle list and a timer; nothing else. If it
 * is already readable it is called in the next round, from the list idle_due.
 */
#include <errno.h>
#include "io/io_priv.h"

int loop_fd_add(struct loop_fd *f, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = f,
	};

	must(io_loop);
	*f = (struct loop_fd){ .fd = fd, .loop = io_loop, .readable = true, .writable = true };
	list_init(&f->idle_link);
	if (epoll_ctl(io_loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		f->loop = NULL;
		return -errno;
	}
	return 0;
}

/* The task may have been woken already (or have yielded) and not have run: it must learn all
 * the same that f is gone, and not touch it. */
static void drop_waiter(struct task *t)
{
	if (!t)
		return;
	task_wake(t, -EBADF);
	t->result = -EBADF;
}

static void strike_events(struct loop *loop, const struct loop_fd *f)
{
	for (int i = loop->events_at; i < loop->events_n; i++)
		if (loop->events[i].data.ptr == f)
			loop->events[i].data.ptr = NULL;
}

void loop_fd_remove(struct loop_fd *f)
{
	struct loop *loop = f->loop;

	if (!loop)
		return;
	must(loop == io_loop);
	loop_fd_unpark(f);
	loop_timer_clear(&f->idle_timer);
	strike_events(loop, f);
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, f->fd, NULL);
	drop_waiter(f->reader);
	drop_waiter(f->writer);
	f->reader = f->writer = NULL;
	f->loop = NULL;
}

static int fd_wait(struct task **slot, const bool *ready, uint64_t deadline)
{
	int r;

	must(!*slot);
	if (task_canceled())
		return -ECANCELED;
	if (*ready)
		return 0;
	*slot = task_self();
	r = task_wait(deadline, true);
	if (r != -EBADF)
		*slot = NULL;
	return r;
}

int loop_fd_wait_read(struct loop_fd *f, uint64_t deadline)
{
	must(!f->idle_fn);
	return fd_wait(&f->reader, &f->readable, deadline);
}

int loop_fd_wait_write(struct loop_fd *f, uint64_t deadline)
{
	return fd_wait(&f->writer, &f->writable, deadline);
}

static int fd_turn(struct task **slot, uint64_t deadline)
{
	struct task *t = task_self();
	int r;

	must(t);
	if (t->turn_ops > 0) {
		t->turn_ops--;
		return 0;
	}
	/* In the slot as if it waited: the descriptor may go meanwhile. */
	*slot = t;
	t->result = 0;
	r = task_yield();
	if (t->result == -EBADF)
		return -EBADF;
	*slot = NULL;
	return r == 0 && deadline <= loop_now_ms() ? -ETIMEDOUT : r;
}

int fd_turn_read(struct loop_fd *f, uint64_t deadline)
{
	return fd_turn(&f->reader, deadline);
}

int fd_turn_write(struct loop_fd *f, uint64_t deadline)
{
	return fd_turn(&f->writer, deadline);
}

static void count_idle(struct loop *loop, unsigned count)
{
	__atomic_store_n(&loop->idle_count, count, __ATOMIC_RELAXED);
}

void loop_fd_unpark(struct loop_fd *f)
{
	if (!f->idle_fn)
		return;
	list_remove(&f->idle_link);
	loop_timer_relax(&f->idle_timer);
	f->idle_fn = NULL;
	count_idle(f->loop, f->loop->idle_count - 1);
}

/* f may be gone afterwards. */
static void end_idle(struct loop_fd *f, enum loop_idle_end why)
{
	loop_idle_fn *fn = f->idle_fn;

	loop_fd_unpark(f);
	fn(f->idle_arg, why);
}

static void idle_timed_out(void *arg)
{
	end_idle(arg, LOOP_IDLE_TIMEOUT);
}

void loop_fd_park(struct loop_fd *f, uint64_t deadline, loop_idle_fn *fn, void *arg)
{
	struct loop *loop = f->loop;

	must(loop == io_loop && !f->idle_fn && !f->reader);
	f->idle_fn = fn;
	f->idle_arg = arg;
	count_idle(loop, loop->idle_count + 1);
	list_push_back(f->readable || loop->stopping ? &loop->idle_due : &loop->idle, &f->idle_link);
	if (deadline != DEADLINE_NEVER)
		loop_timer_set(&f->idle_timer, deadline, idle_timed_out, f);
}

void fd_event(struct loop_fd *f, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		f->hung_up = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		f->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		f->writable = true;
	if (f->reader && f->readable)
		task_wake(f->reader, 0);
	if (f->writer && f->writable)
		task_wake(f->writer, 0);
	if (f->idle_fn && f->readable)
		end_idle(f, LOOP_IDLE_READABLE);
}

static void end_all(struct list *parked, enum loop_idle_end why)
{
	/* What a callback parks anew waits for the next time. */
	struct list batch;

	list_take(parked, &batch);
	while (!list_empty(&batch))
		end_idle(container_of(batch.next, struct loop_fd, idle_link), why);
}

void fd_idle_run(struct loop *loop)
{
	end_all(&loop->idle_due, loop->stopping ? LOOP_IDLE_STOP : LOOP_IDLE_READABLE);
}

void loop_idle_stop_all(void)
{
	must(io_loop);
	end_all(&io_loop->idle_due, LOOP_IDLE_STOP);
	end_all(&io_loop->idle, LOOP_IDLE_STOP);
}

unsigned loop_idle_count(const struct loop *loop)
{
	return __atomic_load_n(&loop->idle_count, __ATOMIC_RELAXED);
}
