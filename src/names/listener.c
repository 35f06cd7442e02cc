/*
 * Datagrams: received and answered in batches, so that two system calls serve up to 64 questions.
 *
 * One task per socket. What can be answered from memory leaves with the batch; what has to be asked
 * elsewhere leaves when its answer comes. On a wildcard address each datagram tells which of our
 * addresses it came to (IP_PKTINFO), and its answer leaves from that one. Answers leave by
 * sender.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "names/names_priv.h"

#define BATCH          64
#define QUESTION_MAX   1500 /* longer ones by UDP are cut and thereby malformed */
#define BATCHES_IN_ROW 8    /* then others of the loop have their turn */

struct batch {
	struct names_listener *l;
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	struct net_addr peers[BATCH];
	uint8_t questions[BATCH][QUESTION_MAX];
	uint8_t answers[BATCH][DNS_UDP_MAX];
	uint8_t control[BATCH][NAMES_CONTROL_MAX] __attribute__((aligned(8)));
};

static struct batch *batch_new(struct names_listener *l)
{
	struct batch *b = mem_new(struct batch);

	b->l = l;
	for (unsigned i = 0; i < BATCH; i++) {
		b->in_iov[i] = (struct iovec){ b->questions[i], QUESTION_MAX };
		b->out_iov[i].iov_base = b->answers[i];
		b->in[i].msg_hdr = (struct msghdr){ .msg_name = &b->peers[i].sa,
			.msg_iov = &b->in_iov[i],
			.msg_iovlen = 1,
			.msg_control = l->any ? b->control[i] : NULL };
	}
	return b;
}

/* What was read goes nowhere else: only lengths have to be set again. */
static int receive(struct batch *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->in[i].msg_hdr.msg_namelen = sizeof(b->peers[i].un);
		b->in[i].msg_hdr.msg_controllen = b->l->any ? NAMES_CONTROL_MAX : 0;
	}
	return recvmmsg(b->l->fd.fd, b->in, BATCH, MSG_DONTWAIT, NULL);
}

static void answer_batch(struct batch *b, unsigned n)
{
	struct names_from from = { .listener = b->l };
	unsigned answers = 0;

	for (unsigned i = 0; i < n; i++) {
		struct msghdr *in = &b->in[i].msg_hdr;
		size_t length;

		b->peers[i].n = in->msg_namelen;
		from.peer = &b->peers[i];
		from.datagram = in;
		length = names_respond(b->l->thread, span_make(b->questions[i], b->in[i].msg_len), &from,
			b->answers[answers], DNS_UDP_MAX);
		if (length == 0)
			continue;
		b->out_iov[answers].iov_len = length;
		b->out[answers].msg_hdr = (struct msghdr){ .msg_name = in->msg_name,
			.msg_namelen = in->msg_namelen,
			.msg_iov = &b->out_iov[answers],
			.msg_iovlen = 1,
			.msg_control = in->msg_controllen > 0 ? in->msg_control : NULL,
			.msg_controllen = in->msg_controllen };
		answers++;
	}
	names_send_all(b->l, b->out, answers);
}

/* All that is there; of a listener that ends, what fits into a turn. */
static void answer_all(struct batch *b)
{
	for (unsigned rounds = 1; !b->l->closing || rounds <= BATCHES_IN_ROW; rounds++) {
		int n = receive(b);

		if (n > 0) {
			answer_batch(b, (unsigned)n);
		} else if (errno != EINTR) {
			b->l->fd.readable = false;
			return;
		}
		if (rounds % BATCHES_IN_ROW == 0)
			task_yield();
	}
}

static void run(void *arg)
{
	struct names_listener *l = arg;
	struct batch *b = batch_new(l);

	do
		answer_all(b);
	/* Clients ask when they like. */
	while (!l->closing && loop_fd_wait_read(&l->fd, DEADLINE_NEVER) == 0);
	answer_all(b);
	mem_free(b);
	l->ended = true;
	names_sender_end(l);
}

void names_listener_leave(struct names_listener *l)
{
	l->waiting--;
	if (names_listener_is_done(l))
		names_sender_end(l);
}

bool names_listener_is_done(const struct names_listener *l)
{
	return l->ended && l->waiting == 0;
}

void names_listener_free_if_done(struct names_listener *l)
{
	if (l->sender || !names_listener_is_done(l))
		return;
	list_remove(&l->link);
	loop_fd_remove(&l->fd);
	close(l->fd.fd);
	pthread_mutex_destroy(&l->lock);
	mem_free(l);
}

/* A socket on a wildcard address has to be told that we want to know where a datagram came to. */
static bool ask_for_address(int fd)
{
	struct net_addr a = { .n = sizeof(a.un) };
	int on = 1;

	if (getsockname(fd, &a.sa, &a.n) < 0)
		return false;
	if (a.sa.sa_family == AF_INET && a.in.sin_addr.s_addr == INADDR_ANY)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0;
	if (a.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr))
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0;
	return false;
}

void names_listen_udp(struct names_thread *t, int fd)
{
	struct names_listener *l = mem_new(struct names_listener);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	must(own >= 0);
	l->thread = t;
	l->original = fd;
	l->any = ask_for_address(fd);
	list_push_back(&t->listeners, &l->link);
	must(loop_fd_add(&l->fd, own) == 0);
	names_sender_start(l);
	l->task = task_spawn("names-udp", run, l);
	must(l->task);
}

static void end(struct names_listener *l)
{
	if (l->closing)
		return;
	l->closing = true;
	task_cancel(l->task);
}

void names_unlisten_udp(struct names_thread *t, int fd)
{
	list_each_safe (it, &t->listeners) {
		struct names_listener *l = container_of(it, struct names_listener, link);

		if (fd < 0 || l->original == fd)
			end(l);
	}
}
