/* From a listening socket to a session; each gets a task until it waits. */
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

static void take(struct mail_thread *t, int fd, bool tls)
{
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
	*a = (struct arrival){ t, c, tls };
	stat_add(STAT_MAIL_SESSIONS, 1);
	if (!task_spawn("mail-session", run_session, a)) {
		mem_free(a);
		refuse(t, c);
	}
}

static void take_plain(void *thread, int fd)
{
	take(thread, fd, false);
}

static void take_tls(void *thread, int fd)
{
	take(thread, fd, true);
}

static void on_failed(void *thread, const struct fault *fault)
{
	(void)thread;
	stat_add(STAT_ACCEPT_ERRORS, 1);
	log_fault_rated(LOG_LEVEL_ERROR, "mail", "accept-failed", fault);
}

void mail_listen(struct mail *m, unsigned thread, int fd, bool tls)
{
	static const struct accept_to plain = { take_plain, on_failed }, secure = { take_tls, on_failed };
	struct mail_thread *t = &m->threads[thread];

	must(t->state);
	accept_start(&t->acceptors, fd, tls ? &secure : &plain, t);
}

void mail_unlisten(struct mail *m, unsigned thread, int fd)
{
	accept_stop(&m->threads[thread].acceptors, fd);
}
