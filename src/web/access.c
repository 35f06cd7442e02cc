/* The access log; the essay is in web/access.h. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/jsonw.h"
#include "io/helper.h"
#include "web/web_priv.h"

#define FLUSH_BYTES    32768
#define FLUSH_MS       1000
#define READER_MS      3000
#define WAITING_MAX    (1024 * 1024)
#define LINE_FIELD_MAX 2048 /* of a target, referrer or user agent in a line */

struct access_sink {
	atomic_uint refs;
	atomic_bool asleep; /* its reader took nothing for READER_MS */
	int fd;
};

struct access_log {
	struct loop *loop;
	struct access_sink *sink;
	struct buf lines;
	struct loop_timer timer;
	bool timer_set;
	struct flush *writing; /* the one under way */
	int64_t second;        /* for which clf is made */
	char clf[CLOCK_CLF_SIZE];
	char rfc3339[CLOCK_RFC3339_SIZE];
};

static _Atomic uint64_t lost_lines;

uint64_t access_log_lost(void)
{
	return atomic_load(&lost_lines);
}

struct access_sink *access_sink_open(const char *to)
{
	int fd = log_sink_open(strcmp(to, "stderr") == 0 ? NULL : to);
	struct access_sink *s;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	s = mem_new(struct access_sink);
	s->refs = 1;
	s->fd = fd;
	return s;
}

struct access_sink *access_sink_ref(struct access_sink *s)
{
	if (s)
		atomic_fetch_add(&s->refs, 1);
	return s;
}

struct access_sink *access_sink_unref(struct access_sink *s)
{
	if (s && atomic_fetch_sub(&s->refs, 1) == 1) {
		close(s->fd);
		mem_free(s);
	}
	return NULL;
}

/* ---- writing out ---- */

struct flush {
	struct access_log *log;
	struct loop *loop;
	struct access_sink *sink;
	struct buf lines;
};

static void count_lost(struct span lines)
{
	ptrdiff_t at;

	while ((at = span_index(lines, '\n')) >= 0) {
		atomic_fetch_add(&lost_lines, 1);
		lines = span_from(lines, (size_t)at + 1);
	}
}

/* Does the sink take bytes again soon? A helper thread waits for a reader that is slow, but only
 * once for one that has gone to sleep. */
static bool has_room(struct access_sink *sink)
{
	struct pollfd p = { .fd = sink->fd, .events = POLLOUT };
	bool room = poll(&p, 1, atomic_load(&sink->asleep) ? 0 : READER_MS) > 0 && (p.revents & POLLOUT);

	atomic_store(&sink->asleep, !room);
	return room;
}

/* A disk that is full, or a pipe that nobody reads, loses the rest of these lines, and is tried
 * again with the next. */
static void write_lines(struct access_sink *sink, struct span lines)
{
	while (lines.n > 0) {
		ssize_t n = write(sink->fd, lines.p, lines.n);

		if (n < 0 && (errno == EINTR || (errno == EAGAIN && has_room(sink))))
			continue;
		if (n <= 0) {
			count_lost(lines);
			return;
		}
		lines = span_from(lines, (size_t)n);
	}
}

static void flush_soon(struct access_log *log);

static struct flush *flush_free(struct flush *f)
{
	if (!f)
		return NULL;
	access_sink_unref(f->sink);
	buf_done(&f->lines);
	return mem_free(f);
}

static void on_flushed(void *arg)
{
	struct access_log *log = ((struct flush *)arg)->log;

	log->writing = flush_free(log->writing);
	if (log->lines.n > 0)
		flush_soon(log);
}

static void flush_on_helper(void *arg)
{
	struct flush *f = arg;

	write_lines(f->sink, buf_span(&f->lines));
	loop_post(f->loop, on_flushed, f);
}

static void flush(struct access_log *log)
{
	struct flush *f;

	if (log->writing || log->lines.n == 0 || !log->sink)
		return;
	f = mem_new(struct flush);
	f->log = log;
	f->loop = log->loop;
	f->sink = access_sink_ref(log->sink);
	f->lines = log->lines;
	log->lines = BUF_INIT(WAITING_MAX);
	log->writing = f;
	if (helper_post(flush_on_helper, f) == 0)
		return;
	count_lost(buf_span(&f->lines));
	on_flushed(f);
}

static void on_timer(void *arg)
{
	struct access_log *log = arg;

	log->timer_set = false;
	flush(log);
}

static void flush_soon(struct access_log *log)
{
	if (log->lines.n >= FLUSH_BYTES) {
		flush(log);
	} else if (!log->timer_set) {
		log->timer_set = true;
		loop_timer_set(&log->timer, deadline_in(FLUSH_MS), on_timer, log);
	}
}

struct access_log *access_log_new(void)
{
	struct access_log *log = mem_new(struct access_log);

	log->loop = loop_self();
	log->lines = BUF_INIT(WAITING_MAX);
	return log;
}

struct access_log *access_log_free(struct access_log *log)
{
	if (!log)
		return NULL;
	/* It is written, only the news came after the loop's end. */
	flush_free(log->writing);
	if (log->sink)
		write_lines(log->sink, buf_span(&log->lines));
	access_sink_unref(log->sink);
	buf_done(&log->lines);
	return mem_free(log);
}

void access_log_to(struct access_log *log, struct access_sink *sink)
{
	if (sink == log->sink)
		return;
	flush(log);
	access_sink_unref(log->sink);
	log->sink = access_sink_ref(sink);
}

/* ---- lines ---- */

static struct span field(const struct web_request *r, enum http_field_id id)
{
	return span_sub(http_fields_value(&r->x->req.fields, id), 0, LINE_FIELD_MAX);
}

static void tick(struct access_log *log)
{
	int64_t now = loop_wall_s();

	if (now == log->second)
		return;
	log->second = now;
	clock_clf(now, log->clf);
	clock_rfc3339(now, log->rfc3339);
}

static void add_json(struct access_log *log, const struct web_request *r)
{
	const struct http_exchange *x = r->x;
	char client[NET_ADDR_SIZE];
	struct jsonw j;

	net_addr_host_text(r->asked.client, client);
	jsonw_init(&j, &log->lines);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "time", log->rfc3339);
	jsonw_text(&j, "client", client);
	jsonw_span(&j, "site", r->asked.site ? r->asked.site->name : SPAN(""));
	jsonw_text(&j, "scheme", x->req.tls ? "https" : "http");
	jsonw_span(&j, "host", x->req.host);
	jsonw_span(&j, "method", x->req.method_text);
	jsonw_span(&j, "target", span_sub(x->req.target, 0, LINE_FIELD_MAX));
	jsonw_uint(&j, "status", x->status);
	jsonw_uint(&j, "bytes_sent", x->body_bytes_sent);
	jsonw_uint(&j, "bytes_received", x->body_bytes_received);
	jsonw_uint(&j, "duration_ms", loop_now_ms() - x->started_ms);
	jsonw_text(&j, "cache", cache_status_word(&r->status));
	if (r->origin_text)
		jsonw_text(&j, "origin", r->origin_text);
	if (r->code)
		jsonw_text(&j, "code", fault_code_text(r->code));
	jsonw_span(&j, "referrer", field(r, HTTP_REFERER));
	jsonw_span(&j, "user_agent", field(r, HTTP_USER_AGENT));
	jsonw_end(&j);
	buf_add_char(&log->lines, '\n');
}

/* Quotes, backslashes and bytes outside printable ASCII as \xNN, as Apache and nginx do. */
static void add_escaped(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			buf_addf(out, "\\x%02X", c);
		else
			buf_add_char(out, (char)c);
	}
	if (s.n == 0)
		buf_add_char(out, '-');
}

static void add_combined(struct access_log *log, const struct web_request *r)
{
	const struct http_exchange *x = r->x;
	char client[NET_ADDR_SIZE];

	net_addr_host_text(r->asked.client, client);
	/* The site first (Apache's vhost_combined): whose line it is. */
	buf_addf(&log->lines, "%.*s:%u %s - - [%s] \"", SPAN_ARG(r->asked.site ? r->asked.site->name : SPAN("-")),
		net_addr_port(x->local), client, log->clf);
	add_escaped(&log->lines, x->req.method_text);
	buf_add_char(&log->lines, ' ');
	add_escaped(&log->lines, span_sub(x->req.target, 0, LINE_FIELD_MAX));
	buf_addf(&log->lines, " HTTP/%.*s\" %u %llu \"", SPAN_ARG(x->req.version), x->status,
		(unsigned long long)x->body_bytes_sent);
	add_escaped(&log->lines, field(r, HTTP_REFERER));
	buf_add_text(&log->lines, "\" \"");
	add_escaped(&log->lines, field(r, HTTP_USER_AGENT));
	buf_add_text(&log->lines, "\"\n");
}

void access_log_add(struct access_log *log, const struct web_request *r)
{
	enum access_format format = r->state->settings.access;
	size_t before = log->lines.n;

	if (format == ACCESS_OFF || !log->sink)
		return;
	tick(log);
	if (format == ACCESS_JSON)
		add_json(log, r);
	else
		add_combined(log, r);
	if (buf_error(&log->lines)) {
		atomic_fetch_add(&lost_lines, 1);
		log->lines.n = before; /* whole lines only */
		log->lines.error = 0;
	}
	flush_soon(log);
}
