/* From a listening socket to a session; each gets a task until it waits. */
#include <string.h>
#include <unistd.h>
#include "mail/mail_priv.h"

struct arrival {
	struct mail_thread *thread;
	struct conn *conn;
	bool tls;
};

static void run_session(void *arg)
{
	struct arrival a = *(struct arrival *)arg;

	mem_free(arg);
	session_begin(a.thread, a.conn, a.tls);
}

/* Over the limit of the worker, or of what the machine gives. */
static void refuse(struct mail_thread *t, struct conn *c)
{
	static const char busy[] = "421 4.3.2 Too many connections; try again\r\n";

	if (c)
		send(c->fd.fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	conn_close(c);
	atomic_fetch_sub(&t->mail->sessions, 1);
	stat_add(STAT_ACCEPT_ERRORS, 1);
}

static void on_arrival(struct acceptor *acceptor, int fd)
{
	struct mail_listener *l = container_of(acceptor, struct mail_listener, acceptor);
	struct mail_thread *t = l->thread;
	bool full = atomic_fetch_add(&t->mail->sessions, 1) >= t->state->settings.connections_max;
	struct arrival *a;
	struct conn *c;
	int error;

	c = conn_new(fd, &error);
	if (!c || full) {
		refuse(t, c);
		return;
	}
	a = mem_new(struct arrival);
	*a = (struct arrival){ t, c, l->tls };
	stat_add(STAT_MAIL_SESSIONS, 1);
	if (!task_spawn("mail-session", run_session, a)) {
		mem_free(a);
		refuse(t, c);
	}
}

static void on_failed(struct acceptor *a, int error)
{
	struct fault fault;

	(void)a;
	stat_add(STAT_ACCEPT_ERRORS, 1);
	fault_set(&fault, FAULT_ACCEPT_FAILED);
	fault_fact(&fault, "error", "%s", strerror(error));
	log_fault_rated(LOG_LEVEL_ERROR, "mail", "accept-failed", &fault);
}

static void on_ended(struct acceptor *a)
{
	struct mail_listener *l = container_of(a, struct mail_listener, acceptor);

	list_remove(&l->link);
	mem_free(l);
}

void mail_listen(struct mail *m, unsigned thread, int fd, bool tls)
{
	struct mail_thread *t = &m->threads[thread];
	struct mail_listener *l = mem_new(struct mail_listener);

	must(t->state);
	l->thread = t;
	l->tls = tls;
	list_push_back(&t->listeners, &l->link);
	l->acceptor.take = on_arrival;
	l->acceptor.failed = on_failed;
	l->acceptor.ended = on_ended;
	acceptor_start(&l->acceptor, fd);
}

void mail_unlisten(struct mail *m, unsigned thread, int fd)
{
	list_each_safe (it, &m->threads[thread].listeners) {
		struct mail_listener *l = container_of(it, struct mail_listener, link);

		if (fd < 0 || l->acceptor.fd.fd == fd)
			acceptor_stop(&l->acceptor);
	}
}
