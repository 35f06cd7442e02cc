/* What the tests of io/ share: one loop run for one task, and socket pairs. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "io/conn.h"
#include "io/loop.h"
#include "io/net.h"
#include "io/task.h"

struct io_main {
	task_fn *fn;
	void *arg;
};

static void io_main_task(void *arg)
{
	struct io_main *m = arg;

	m->fn(m->arg);
	loop_stop(loop_self());
}

/* Runs fn(arg) as a task on a loop of its own; what it leaves behind is cancelled. */
static inline void io_run_with(const struct loop_settings *settings, task_fn *fn, void *arg)
{
	struct io_main m = { fn, arg };
	struct loop *loop = loop_new(settings);

	assert_non_null(loop);
	task_spawn_on(loop, "test", io_main_task, &m, NULL);
	loop_run(loop);
	assert_int_equal(loop_tasks(loop), 0);
	assert_int_equal(loop_idle_count(loop), 0);
	assert_null(loop_free(loop));
}

static inline void io_run(task_fn *fn, void *arg)
{
	io_run_with(NULL, fn, arg);
}

/* A listening TCP socket on the loopback address of that family, and its address. */
static inline int io_listen(const char *host, struct net_addr *ret)
{
	int fd;

	assert_int_equal(net_addr_parse(span_of(host), 0, ret), 0);
	fd = net_listen(ret, false, 4096, NULL);
	assert_true(fd >= 0);
	ret->n = sizeof(ret->un);
	assert_int_equal(getsockname(fd, &ret->sa, &ret->n), 0);
	return fd;
}

/* A connected TCP pair: *ret_peer is a plain blocking descriptor, the result a conn. */
static inline struct conn *io_conn_pair(int *ret_peer)
{
	struct net_addr a;
	int listener = io_listen("127.0.0.1", &a), fd, error;
	struct conn *c;

	*ret_peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(*ret_peer >= 0);
	assert_int_equal(connect(*ret_peer, &a.sa, a.n), 0);
	/* The listener does not block, but connect() has returned. */
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	close(listener);
	c = conn_new(fd, &error);
	assert_non_null(c);
	return c;
}
