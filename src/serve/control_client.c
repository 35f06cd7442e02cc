/* The command line's side of the control socket: one blocking request. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "http/http.h"
#include "serve/serve.h"

#define LIMIT_S    60 /* a reload waits for its new worker */
#define LOOK_S     10 /* what only looks waits for nothing */
#define ANSWER_MAX ((size_t)128 << 20)

static int connect_to(const char *path, time_t limit_s)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = limit_s };
	int fd, r = 0;

	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
		connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int send_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bytes = span_from(bytes, (size_t)n);
	}
	return 0;
}

/* Until the server closes: every answer is the only one on its connection. */
static int receive_all(int fd, struct buf *in)
{
	ssize_t n;

	do {
		char *room = buf_room(in, 65536);

		if (!room)
			return -EFBIG;
		n = recv(fd, room, 65536, 0);
		if (n > 0)
			buf_grew(in, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 ? 0 : errno == EAGAIN ? -ETIMEDOUT : -errno;
}

static int parse_answer(struct span in, unsigned *ret_status, struct buf *ret)
{
	struct http_resp resp;
	struct span body;
	struct arena a;
	int r;

	arena_init(&a, 4096);
	r = http_response_parse(in, &a, &resp, &body);
	arena_done(&a);
	if (r < 0)
		return r;
	*ret_status = resp.status;
	buf_add_span(ret, body);
	return buf_error(ret);
}

int control_request(const char *socket_path, const char *method, const char *path, struct span body,
	unsigned *ret_status, struct buf *ret)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(ANSWER_MAX);
	_cleanup_(buf_done) struct buf in = BUF_INIT(ANSWER_MAX);
	int fd = connect_to(socket_path, strcmp(method, "GET") == 0 ? LOOK_S : LIMIT_S);
	int r;

	if (fd < 0)
		return fd;
	buf_addf(&out, "%s %s HTTP/1.1\r\nHost: control\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", method,
		path, body.n);
	buf_add_span(&out, body);
	r = send_all(fd, buf_span(&out));
	if (r == 0)
		r = receive_all(fd, &in);
	close(fd);
	return r < 0 ? r : parse_answer(buf_span(&in), ret_status, ret);
}
