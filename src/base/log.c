/*
 * The log.
 *
 * An event is put together in memory of its own and leaves by one write(). Nobody ever waits for a
 * reader: pipes, FIFOs and terminals are opened anew so that writing to them does not block (the
 * flag belongs to what was opened, and stderr's is shared with whoever started us); what such a
 * sink does not take at once stays in a buffer of BACKLOG_MAX bytes, in order, and goes first the
 * next time. What does not fit there is lost, counted, and told in a line once the sink takes lines
 * again. Writers share a lock, which they hold for as long as one write() takes.
 */
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"

#define LINE_MAX_BYTES  4096
#define EVENT_MAX_BYTES (4 * LINE_MAX_BYTES)
#define VALUE_MAX_BYTES 400 /* a list of suites fits */
#define VALUES_IN_RING  16
#define BACKLOG_MAX     ((size_t)256 << 10)

static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static char *path;                                          /* NULL: stderr */
static int sink = -1;                                       /* -1: not opened yet */
static bool is_socket;
static struct buf backlog = BUF_INIT(BACKLOG_MAX);
static uint64_t lost_untold;

static atomic_bool journald;
static atomic_uint level_max = LOG_LEVEL_INFO;
static atomic_uint lang = FAULT_EN;
static atomic_ullong lost;

/* ---- the sink ---- */

/* stderr, as something that is ours alone if it can be had: the supervisor may open it so, and the
 * worker behind its fence duplicates what was opened then. */
static int open_stderr(void)
{
	static atomic_int ours = -1;
	struct stat st;
	int fd = -1;

	if (fstat(STDERR_FILENO, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 && ours < 0)
		ours = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		fd = fcntl(ours >= 0 ? ours : STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd;
}

int log_sink_open(const char *file)
{
	struct stat st;
	int fd;

	if (!file)
		fd = open_stderr();
	else if (stat(file, &st) == 0 && S_ISFIFO(st.st_mode))
		/* Reading, too: without a reader there is no other way to open it, and a reader may
		 * come later. */
		fd = open(file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	else
		fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
	return fd < 0 ? -errno : fd;
}

/* Makes file (NULL: stderr) the sink. */
static int switch_sink(const char *file)
{
	struct stat st;
	int fd = log_sink_open(file);

	if (fd < 0)
		return fd;
	/* stderr is opened while it can be: access lines may go there. */
	if (file && sink < 0)
		close(open_stderr());
	if (sink >= 0)
		close(sink);
	sink = fd;
	is_socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	return 0;
}

int log_open(const char *to)
{
	bool to_journald = strcmp(to, "journald") == 0;
	const char *file = to_journald || strcmp(to, "stderr") == 0 ? NULL : to;
	int r;

	pthread_mutex_lock(&writing);
	r = switch_sink(file);
	if (r == 0) {
		mem_free(path);
		path = file ? mem_text(file) : NULL;
		journald = to_journald;
	}
	pthread_mutex_unlock(&writing);
	return r;
}

int log_reopen(void)
{
	int r = 0;

	pthread_mutex_lock(&writing);
	if (path)
		r = switch_sink(path);
	pthread_mutex_unlock(&writing);
	return r;
}

void log_level_max(enum log_level level)
{
	level_max = level;
}

void log_lang(enum fault_lang l)
{
	lang = l;
}

uint64_t log_lost(void)
{
	return lost;
}

/* ---- writing ---- */

/* How much of it the sink takes now; -errno: it is not to be had. */
static ssize_t write_now(struct span bytes)
{
	ssize_t n;

	if (sink < 0)
		switch_sink(NULL);
	do
		n = is_socket ? send(sink, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL)
			      : write(sink, bytes.p, bytes.n);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void lose(uint64_t events)
{
	lost += events;
	lost_untold += events;
}

/* What waits goes first. True: nothing waits any more. */
static bool write_backlog(void)
{
	ssize_t n = backlog.n > 0 ? write_now(buf_span(&backlog)) : 0;

	if (n > 0)
		buf_consume(&backlog, (size_t)n);
	if (backlog.n == 0)
		buf_done(&backlog);
	return backlog.n == 0;
}

/* Lock held. Whole events only are lost: one of which a part has left waits with its rest. */
static void write_or_keep(struct span event)
{
	ssize_t n = write_backlog() ? write_now(event) : -EAGAIN;

	if (n == (ssize_t)event.n)
		return;
	if (n < 0 && n != -EAGAIN)
		lose(1);
	else if (n <= 0 && backlog.n + event.n > BACKLOG_MAX)
		lose(1);
	else
		buf_add_span(&backlog, span_from(event, n > 0 ? (size_t)n : 0));
}

static void tell_lost(void)
{
	uint64_t n = lost_untold;

	lost_untold = 0;
	pthread_mutex_unlock(&writing);
	log_event(LOG_LEVEL_WARNING, "log", "events-lost", "events=%llu", (unsigned long long)n);
	pthread_mutex_lock(&writing);
}

static void write_event(struct buf *event)
{
	pthread_mutex_lock(&writing);
	write_or_keep(buf_span(event));
	pthread_mutex_unlock(&writing);
}

void log_flush(void)
{
	pthread_mutex_lock(&writing);
	if (write_backlog() && lost_untold > 0)
		tell_lost();
	pthread_mutex_unlock(&writing);
}

void log_forget_backlog(void)
{
	buf_done(&backlog);
	lost_untold = 0;
}

static void add_priority(struct buf *event, enum log_level level)
{
	if (journald)
		buf_addf(event, "<%d>", (int)level);
}

static void begin_line(struct buf *event, enum log_level level, const char *area, const char *name)
{
	char time[CLOCK_RFC3339_SIZE];

	add_priority(event, level);
	if (!journald) {
		clock_rfc3339(clock_wall_s(), time);
		buf_addf(event, "%s ", time);
	}
	buf_addf(event, "%s %s", area, name);
}

/* Ends the line that the event consists of, and sees to it that it is one. */
static void end_line(struct buf *event)
{
	for (size_t i = 0; i < event->n; i++)
		if ((unsigned char)event->p[i] < 0x20)
			event->p[i] = '?';
	buf_add_char(event, '\n');
}

/* What is longer than a line may be is cut. */
static void add_details(struct buf *event, const char *fmt, va_list ap)
{
	size_t left = event->n + 2 < LINE_MAX_BYTES ? LINE_MAX_BYTES - event->n - 2 : 0;
	char *at;
	int n;

	buf_add_char(event, ' ');
	at = buf_room(event, left + 1);
	n = at ? vsnprintf(at, left + 1, fmt, ap) : 0;
	if (n > 0)
		buf_grew(event, (size_t)n < left ? (size_t)n : left);
}

void log_event(enum log_level level, const char *area, const char *event, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_MAX_BYTES);
	va_list ap;

	if (level > level_max)
		return;
	begin_line(&text, level, area, event);
	va_start(ap, fmt);
	if (*fmt)
		add_details(&text, fmt, ap);
	va_end(ap);
	end_line(&text);
	write_event(&text);
}

static void add_evidence(struct buf *event, const struct fault *f)
{
	buf_addf(event, " code=%s", fault_code_text(f->code));
	for (unsigned i = 0; i < f->facts; i++)
		/* The German form of other evidence is for the sentences only. */
		if (!span_ends(span_of(f->fact[i].name), SPAN("_de")))
			buf_addf(event, " %s=%s", f->fact[i].name, log_value(fault_value(f, f->fact[i].name)));
}

/* The half of "English|German" in the log's language, as a line of its own. */
static void add_more(struct buf *event, enum log_level level, const char *more)
{
	struct span rest = span_of(more), half;

	for (int l = FAULT_EN; span_cut(&rest, '|', &half); l++)
		if (l == (int)lang) {
			add_priority(event, level);
			buf_addf(event, "  %.*s\n", SPAN_ARG(half));
		}
}

/* Cause and remedy, each with a priority of its own: to journald every line is an entry. */
static void add_sentences(struct buf *event, enum log_level level, const struct fault *f)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_MAX_BYTES / 2);
	struct span rest, line;

	fault_print(f, lang, &text);
	rest = buf_span(&text);
	while (span_cut(&rest, '\n', &line) && line.n > 0) {
		add_priority(event, level);
		buf_add_span(event, line);
		buf_add_char(event, '\n');
	}
}

void log_fault(enum log_level level, const char *area, const char *event, const struct fault *f)
{
	log_fault_about(level, area, event, NULL, f, NULL);
}

void log_fault_about(enum log_level level, const char *area, const char *event, const char *who, const struct fault *f,
	const char *more)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_MAX_BYTES);

	if (level > level_max)
		return;
	begin_line(&text, level, area, event);
	if (who)
		buf_addf(&text, " %s", who);
	if (f && f->code != FAULT_NONE)
		add_evidence(&text, f);
	end_line(&text);
	if (f && f->code != FAULT_NONE)
		add_sentences(&text, level, f);
	if (more)
		add_more(&text, level, more);
	write_event(&text);
}

#define FAULTS_PER_SECOND 10

bool log_rate_allows(const char *area, const struct fault *f)
{
	static _Thread_local struct {
		int64_t second;
		uint16_t logged[FAULT_COUNT];
		unsigned suppressed;
	} rate;

	if (rate.second != clock_wall_s()) {
		if (rate.suppressed > 0)
			log_event(LOG_LEVEL_WARNING, area, "suppressed", "lines=%u", rate.suppressed);
		memset(&rate, 0, sizeof(rate));
		rate.second = clock_wall_s();
	}
	if (rate.logged[f->code] >= FAULTS_PER_SECOND) {
		rate.suppressed++;
		return false;
	}
	rate.logged[f->code]++;
	return true;
}

void log_fault_rated(enum log_level level, const char *area, const char *event, const struct fault *f)
{
	if (log_rate_allows(area, f))
		log_fault(level, area, event, f);
}

static bool needs_quotes(struct span s)
{
	return s.n == 0 || span_index(s, ' ') >= 0 || span_index(s, '"') >= 0;
}

const char *log_value(struct span s)
{
	static _Thread_local char ring[VALUES_IN_RING][VALUE_MAX_BYTES + 3];
	static _Thread_local unsigned next;
	char *out = ring[next++ % VALUES_IN_RING];
	bool quotes = needs_quotes(s);
	size_t n = 0;

	if (quotes)
		out[n++] = '"';
	n += fmt_safe(s, "\"\\", out + n, VALUE_MAX_BYTES);
	if (quotes)
		out[n++] = '"';
	out[n] = '\0';
	return out;
}
