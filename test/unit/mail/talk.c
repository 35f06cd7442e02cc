/* See talk.h. The script runs on the test's thread with blocking sockets, the gateway on a loop
 * beside it. */
#include "talk.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/helper.h"

#define PATIENCE_MS 20000

static const struct mail_settings settings = {
	.hostname = "mx.test",
	.message_size_max = 100000,
	.tls_timeout_ms = 5000,
	.command_timeout_ms = 10000,
	.data_timeout_ms = 10000,
	.connect_timeout_ms = 5000,
	.backend_timeout_ms = 5000,
	.final_timeout_ms = 5000,
	.connections_max = 100,
	.connections_per_network = 100,
	.commands_max = 1000,
	.errors_max = 100,
	.recipients_max = 10,
};

static void *run_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void on_thread_start(void *arg)
{
	mail_edge.thread_start(arg, 0);
}

static int listen_somewhere(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void publish(struct talk *t, const char *domains)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(65536);
	struct conf_errors errors;
	struct snapshot *s;
	struct span rest = span_of(domains), piece;
	struct arena a;

	for (bool first = true; span_cut(&rest, '$', &piece); first = false) {
		if (!first)
			buf_addf(&text, "%u", t->port);
		buf_add_span(&text, piece);
	}
	arena_init(&a, 4096);
	assert_int_equal(snapshot_from_text(buf_span(&text), &a, &s, &errors), 0);
	mail_edge.publish(t->mail, &(struct edge_news){ .snapshot = s, .settings = &t->settings });
	snapshot_unref(s);
	arena_done(&a);
}

void talk_begin(struct talk *t, const char *domains)
{
	*t = (struct talk){ .client = -1, .backend = -1, .settings = settings };
	helper_start(1);
	t->listener = listen_somewhere(&t->port);
	t->loop = loop_new(NULL);
	t->mail = mail_new(1, NULL);
	publish(t, domains ? domains : "domain \"example.test\" { mail = \"127.0.0.1:$\" }\n");
	loop_post(t->loop, on_thread_start, t->mail);
	assert_int_equal(pthread_create(&t->thread, NULL, run_loop, t->loop), 0);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void talk_end(struct talk *t)
{
	shut(&t->client);
	shut(&t->backend);
	for (unsigned i = 0; mail_edge.busy(t->mail) > 0 && i < PATIENCE_MS; i++)
		usleep(1000);
	assert_int_equal(mail_edge.busy(t->mail), 0);
	loop_stop(t->loop);
	pthread_join(t->thread, NULL);
	helper_stop();
	mail_free(t->mail);
	loop_free(t->loop);
	close(t->listener);
}

/* ---- clients ---- */

struct arrival {
	struct talk *talk;
	int fd;
};

static void on_arrival(void *arg)
{
	struct arrival a = *(struct arrival *)arg;
	struct mail_thread *t = &a.talk->mail->threads[0];
	struct edge_arrival welcome = { .door = &t->door, .state = &t->state->published };
	int error;

	mem_free(arg);
	atomic_fetch_add(&a.talk->mail->sessions, 1);
	published_ref(welcome.state);
	welcome.conn = conn_new(a.fd, &error);
	must(welcome.conn);
	session_begin(t, &welcome);
}

static void on_arrival_posted(void *arg)
{
	must(task_spawn("session", on_arrival, arg));
}

void talk_connect(struct talk *t)
{
	struct arrival *a = mem_new(struct arrival);
	int pair[2];

	shut(&t->client);
	t->client_n = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	t->client = pair[0];
	*a = (struct arrival){ t, pair[1] };
	loop_post(t->loop, on_arrival_posted, a);
}

/* ---- steps ---- */

static bool wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1;
}

static void say(int fd, const char *text)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(65536);

	buf_addf(&line, "%s\r\n", text);
	assert_int_equal(send(fd, line.p, line.n, MSG_NOSIGNAL), line.n);
}

/* The next line without its CRLF; false at the end. */
static bool hear(int fd, char *in, size_t *n, char *ret, size_t room)
{
	char *end;

	while (!(end = memmem(in, *n, "\r\n", 2))) {
		ssize_t got;

		if (!wait_readable(fd))
			fail_msg("nothing is heard");
		got = recv(fd, in + *n, 65536 - *n, 0);
		if (got <= 0)
			return false;
		*n += (size_t)got;
	}
	snprintf(ret, room, "%.*s", (int)(end - in), in);
	*n -= (size_t)(end + 2 - in);
	memmove(in, end + 2, *n);
	return true;
}

static void expect(int fd, char *in, size_t *n, const char *want, const char *step)
{
	size_t length = strlen(want);
	char line[4096];

	if (!hear(fd, in, n, line, sizeof(line)))
		fail_msg("\"%s\" is expected, but the connection ended", step);
	if (length > 0 && want[length - 1] == '*' ? strncmp(line, want, length - 1) != 0 : strcmp(line, want) != 0)
		fail_msg("\"%s\" is expected, \"%s\" was heard", step, line);
}

static void expect_end(int fd, char *in, size_t *n)
{
	char line[4096];

	if (hear(fd, in, n, line, sizeof(line)))
		fail_msg("the end is expected, \"%s\" was heard", line);
}

static void accept_backend(struct talk *t)
{
	shut(&t->backend);
	t->backend_n = 0;
	assert_true(wait_readable(t->listener));
	t->backend = accept(t->listener, NULL, NULL);
	assert_true(t->backend >= 0);
}

static void play(struct talk *t, const char *step)
{
	if (strcmp(step, "+") == 0)
		accept_backend(t);
	else if (strcmp(step, "-") == 0)
		shut(&t->backend);
	else if (strcmp(step, "b-") == 0)
		expect_end(t->backend, t->backend_in, &t->backend_n);
	else if (strcmp(step, "x") == 0)
		shut(&t->client);
	else if (strcmp(step, ">-") == 0)
		expect_end(t->client, t->client_in, &t->client_n);
	else if (strncmp(step, "b> ", 3) == 0)
		expect(t->backend, t->backend_in, &t->backend_n, step + 3, step);
	else if (strncmp(step, "b< ", 3) == 0)
		say(t->backend, step + 3);
	else if (strncmp(step, "> ", 2) == 0)
		expect(t->client, t->client_in, &t->client_n, step + 2, step);
	else if (strncmp(step, "< ", 2) == 0)
		say(t->client, step + 2);
	else
		fail_msg("\"%s\" is no step", step);
}

void talk_play(struct talk *t, const char *const *steps)
{
	for (; *steps; steps++)
		play(t, *steps);
}

void talk_hello(struct talk *t)
{
	PLAY(t, "> 220 mx.test ESMTP *", "< EHLO client.test", "> 250-mx.test", "> 250-PIPELINING", "> 250-SIZE 100000",
		"> 250-ENHANCEDSTATUSCODES", "> 250-8BITMIME", "> 250-DSN", "> 250-SMTPUTF8", "> 250 CHUNKING");
}
