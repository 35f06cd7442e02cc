/* The channel's packets and the memfds that travel in them. See serve/channel.h. */
#include "serve/channel.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

struct head {
	uint32_t type, tag;
};

int channel_pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

static void add_fds(struct msghdr *msg, union control *control, const int *fds, unsigned n)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(n * sizeof(int));
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
}

int channel_send(int channel, uint32_t type, uint32_t tag, struct span text, const int *fds, unsigned fds_n)
{
	struct head head = { type, tag };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (char *)text.p, text.n } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	union control control;
	ssize_t n;

	if (text.n > CHANNEL_TEXT_MAX || fds_n > CHANNEL_FDS_MAX)
		return -EMSGSIZE;
	if (fds_n > 0)
		add_fds(&msg, &control, fds, fds_n);
	do
		n = sendmsg(channel, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int channel_send_large(int channel, uint32_t type, uint32_t tag, struct span text, struct span large)
{
	int fd = memfd_from("torhaus", large);
	int r;

	if (fd < 0)
		return fd;
	r = channel_send(channel, type, tag, text, &fd, 1);
	close(fd);
	return r;
}

static void take_fds(struct msghdr *msg, struct channel_message *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		must(ret->fds_n + n <= CHANNEL_FDS_MAX);
		memcpy(ret->fds + ret->fds_n, CMSG_DATA(c), n * sizeof(int));
		ret->fds_n += n;
	}
}

int channel_receive(int channel, struct channel_message *ret)
{
	struct head head;
	struct iovec iov[2] = { { &head, sizeof(head) }, { ret->bytes, sizeof(ret->bytes) } };
	union control control;
	struct msghdr msg = { .msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	ret->fds_n = 0;
	do
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
	take_fds(&msg, ret);
	if (n == 0)
		return -EPIPE;
	if (n < (ssize_t)sizeof(head) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		channel_message_done(ret);
		return -EPROTO;
	}
	ret->type = head.type;
	ret->tag = head.tag;
	ret->text = span_make(ret->bytes, (size_t)n - sizeof(head));
	return 1;
}

void channel_message_done(struct channel_message *m)
{
	for (unsigned i = 0; i < m->fds_n; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	m->fds_n = 0;
}

/* ---- sealed memfds ---- */

static int write_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

bool memfd_is_sealed(int fd, size_t max)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 && (uint64_t)st.st_size <= max;
}

int memfd_from(const char *name, struct span bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

bool memfd_same(int a, int b)
{
	char one[16384], other[16384];
	struct stat sa, sb;

	if (a < 0 || b < 0 || fstat(a, &sa) < 0 || fstat(b, &sb) < 0 || sa.st_size != sb.st_size)
		return false;
	for (off_t at = 0; at < sa.st_size;) {
		ssize_t n = pread(a, one, sizeof(one), at);

		if (n <= 0 || pread(b, other, (size_t)n, at) != n || memcmp(one, other, (size_t)n) != 0)
			return false;
		at += n;
	}
	return true;
}

int memfd_read(int fd, struct buf *out)
{
	struct stat st;
	size_t at = 0, size;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	while (at < size) {
		char *room = buf_room(out, size - at);
		ssize_t n;

		if (!room)
			return -EFBIG;
		n = pread(fd, room, size - at, (off_t)at);
		if (n == 0)
			return -EIO;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf_grew(out, (size_t)n);
			at += (size_t)n;
		}
	}
	return 0;
}
