/*
 * Answers by UDP on their way out.
 *
 * What the socket takes leaves at once. When its queue is full, answers wait in one of ours and
 * leave in their order as soon as there is room; until the last has left no more questions are
 * read, they stay with the kernel. So ours grows only by answers that come late, to UNSENT_MAX
 * bytes at most: room for NAMES_WAITING_MAX answers of usual size. What finds it full is lost and
 * counted, and so is all that waits once the socket has taken nothing for SEND_WAIT_MS: by then
 * nobody waits for it any more.
 *
 * Each listener has a task for this from its beginning, since a loop that is full of tasks is no
 * reason for silence. It is the last to leave: a listener that ends sends all it owes.
 */
#include <errno.h>
#include <sys/socket.h>
#include "names/names_priv.h"

#define UNSENT_MAX   ((size_t)8 << 20)
#define SEND_WAIT_MS 5000

struct unsent {
	struct list link;
	struct names_way way;
	uint16_t n;
	uint8_t p[];
};

void names_way_init(struct names_way *way, const struct msghdr *datagram)
{
	way->peer.n = datagram->msg_namelen;
	memcpy(&way->peer.sa, datagram->msg_name, datagram->msg_namelen);
	way->control_n = 0;
	if (datagram->msg_control && datagram->msg_controllen <= sizeof(way->control)) {
		way->control_n = (uint8_t)datagram->msg_controllen;
		memcpy(way->control, datagram->msg_control, datagram->msg_controllen);
	}
}

/* False: there is no room now. A datagram that cannot be sent (its client's address is unreachable)
 * is passed over. */
static bool send_one(struct names_listener *l, const struct msghdr *m)
{
	while (sendmsg(l->fd.fd, m, MSG_DONTWAIT) < 0) {
		if (errno == EAGAIN) {
			l->fd.writable = false;
			return false;
		}
		if (errno != EINTR) {
			stat_add(STAT_NAMES_SEND_ERRORS, 1);
			return true;
		}
	}
	return true;
}

static bool send_to(struct names_listener *l, const struct names_way *to, const void *p, size_t n)
{
	struct iovec iov = { (void *)p, n };
	struct msghdr m = { .msg_name = (void *)&to->peer.sa,
		.msg_namelen = to->peer.n,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = to->control_n ? (void *)to->control : NULL,
		.msg_controllen = to->control_n };

	return send_one(l, &m);
}

/* ---- those that wait ---- */

static void wake(struct names_listener *l)
{
	pthread_mutex_lock(&l->lock);
	task_cond_broadcast(&l->turned);
	pthread_mutex_unlock(&l->lock);
}

static size_t bytes_of(size_t n)
{
	return sizeof(struct unsent) + n;
}

static void wait_with(struct names_listener *l, const struct names_way *to, const void *p, size_t n)
{
	struct unsent *u;

	if (!l->sender || l->unsent_bytes + bytes_of(n) > UNSENT_MAX) {
		stat_add(STAT_NAMES_SEND_ERRORS, 1);
		return;
	}
	u = mem_alloc(bytes_of(n));
	u->way = *to;
	u->n = (uint16_t)n;
	memcpy(u->p, p, n);
	list_push_back(&l->unsent, &u->link);
	l->unsent_bytes += bytes_of(n);
	atomic_fetch_add_explicit(&l->thread->names->waiting, 1, memory_order_relaxed);
	stat_add(STAT_NAMES_SENT_LATER, 1);
	wake(l);
}

static void drop_first(struct names_listener *l)
{
	struct unsent *u = container_of(list_pop(&l->unsent), struct unsent, link);

	l->unsent_bytes -= bytes_of(u->n);
	atomic_fetch_sub_explicit(&l->thread->names->waiting, 1, memory_order_relaxed);
	mem_free(u);
}

static void send_waiting(struct names_listener *l)
{
	while (!list_empty(&l->unsent)) {
		const struct unsent *u = container_of(l->unsent.next, struct unsent, link);

		if (!send_to(l, &u->way, u->p, u->n))
			return;
		drop_first(l);
	}
}

static void lose_waiting(struct names_listener *l)
{
	while (!list_empty(&l->unsent)) {
		stat_add(STAT_NAMES_SEND_ERRORS, 1);
		drop_first(l);
	}
}

static bool owes_nothing(const struct names_listener *l)
{
	return list_empty(&l->unsent);
}

/* Suspends until something is to be sent; false: nothing ever will. */
static bool wait_for_work(struct names_listener *l)
{
	int r = 0;

	pthread_mutex_lock(&l->lock);
	/* Answers come when they come. */
	while (r == 0 && owes_nothing(l) && !names_listener_is_done(l))
		r = task_cond_wait(&l->turned, &l->lock, DEADLINE_NEVER);
	pthread_mutex_unlock(&l->lock);
	return r == 0 && !owes_nothing(l);
}

static void run(void *arg)
{
	struct names_listener *l = arg;

	while (wait_for_work(l)) {
		if (loop_fd_wait_write(&l->fd, deadline_in(SEND_WAIT_MS)) < 0)
			lose_waiting(l);
		else
			send_waiting(l);
		if (owes_nothing(l))
			wake(l);
	}
	lose_waiting(l);
	l->sender = NULL;
	names_listener_free_if_done(l);
}

/* ---- for the listener ---- */

void names_sender_start(struct names_listener *l)
{
	list_init(&l->unsent);
	pthread_mutex_init(&l->lock, NULL);
	task_cond_init(&l->turned);
	l->sender = task_spawn("names-udp-send", run, l);
	must(l->sender);
}

void names_sender_end(struct names_listener *l)
{
	if (l->sender)
		wake(l);
	else
		names_listener_free_if_done(l);
}

void names_send(struct names_listener *l, const struct names_way *to, const void *p, size_t n)
{
	if (!owes_nothing(l) || !send_to(l, to, p, n))
		wait_with(l, to, p, n);
}

void names_send_all(struct names_listener *l, struct mmsghdr *v, unsigned n)
{
	unsigned sent = 0;

	while (sent < n && owes_nothing(l)) {
		int r = sendmmsg(l->fd.fd, v + sent, n - sent, MSG_DONTWAIT);

		if (r > 0) {
			sent += (unsigned)r;
		} else if (errno == EAGAIN) {
			l->fd.writable = false;
			break;
		} else if (errno != EINTR) {
			stat_add(STAT_NAMES_SEND_ERRORS, 1);
			sent++;
		}
	}
	if (sent == n)
		return;
	for (; sent < n; sent++) {
		const struct msghdr *m = &v[sent].msg_hdr;
		struct names_way way;

		names_way_init(&way, m);
		wait_with(l, &way, m->msg_iov->iov_base, m->msg_iov->iov_len);
	}
	pthread_mutex_lock(&l->lock);
	/* As long as the sender does. */
	while (!owes_nothing(l) && task_cond_wait(&l->turned, &l->lock, DEADLINE_NEVER) == 0)
		continue;
	pthread_mutex_unlock(&l->lock);
}
