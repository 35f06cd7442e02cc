/*
 * The file of results, and what of it holds for whom. See survey/scan_cache.h.
 *
 * Lines stay text until one is wanted. Two maps lead to them: by address, port, way and name; and,
 * for what is said before the name is heard, without the name. The later line wins.
 */
#include "survey/scan_cache.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#define LINE_MAX_ (4 << 20)
#define FILE_MAX  (2 * SCAN_CACHE_BYTES_MAX)
#define LOCK_MS   10000 /* the longest that we wait for another scan to write */
#define LOCK_TRY  20
/* that another scan's clock reading may be ahead of ours: we may have waited for it since */
#define AHEAD_S 60

struct scan_cache {
	const char *path;
	bool writable; /* the file is ours, or not there yet */
	struct arena arena;
	struct buf text; /* the file */
	struct map by_name, by_address;
	struct scan_kept **v;
	unsigned n;
	unsigned damaged;
	bool changed; /* against the file */
};

/* ---- entries ---- */

static bool precedes_name(enum probe_verdict v)
{
	return v == PROBE_RATE_LIMITED || v == PROBE_NOT_OFFERED || v == PROBE_MASKED || v == PROBE_REFUSED;
}

/* name: "" for what holds for all of them. */
static struct span key_of(struct arena *a, struct span starttls, struct span address, uint16_t port, struct span name)
{
	return arena_spanf(a, "%.*s %.*s %u %.*s", SPAN_ARG(starttls), SPAN_ARG(address), port, SPAN_ARG(name));
}

static void put_later(struct map *m, struct span key, struct scan_kept *k)
{
	const struct scan_kept *known = map_find(m, key);

	if (!known || known->asked_at <= k->asked_at)
		map_put(m, key, k);
}

static void enter(struct scan_cache *c, struct scan_kept *k)
{
	if ((c->n & (c->n - 1)) == 0)
		c->v = mem_resize(c->v, c->n ? 2 * (size_t)c->n : 1, sizeof(struct scan_kept *));
	c->v[c->n++] = k;
	put_later(&c->by_name, key_of(&c->arena, k->starttls, k->address, k->port, k->host), k);
	if (precedes_name(k->verdict))
		put_later(&c->by_address, key_of(&c->arena, k->starttls, k->address, k->port, SPAN("")), k);
}

/* Neither too old nor, after the clock was set, of the future. */
static bool is_of_today(const struct scan_kept *k, int64_t now_s)
{
	return k->asked_at > now_s - SCAN_CACHE_AGE_S && k->asked_at <= now_s + AHEAD_S;
}

static void enter_lines(struct scan_cache *c, int64_t now_s)
{
	struct span rest = buf_span(&c->text), line;

	while (span_cut(&rest, '\n', &line)) {
		struct scan_kept *k = arena_new(&c->arena, struct scan_kept);

		if (line.n == 0)
			continue;
		if (line.n > LINE_MAX_ || scan_kept_read(line, &c->arena, k) < 0)
			c->damaged++;
		else if (is_of_today(k, now_s))
			enter(c, k);
	}
}

static void empty(struct scan_cache *c)
{
	c->v = mem_free(c->v);
	c->n = c->damaged = 0;
	map_done(&c->by_name);
	map_done(&c->by_address);
	arena_done(&c->arena);
	buf_done(&c->text);
}

static void init(struct scan_cache *c, const char *path)
{
	*c = (struct scan_cache){ .path = path, .text = BUF_INIT(FILE_MAX) };
	arena_init(&c->arena, 1 << 16);
	map_init(&c->by_name);
	map_init(&c->by_address);
}

/* ---- the file ---- */

/* A file that somebody else could have written would let him say what servers speak. */
static int open_ours(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		return fd;
	close(fd);
	return -EPERM;
}

static int read_all(int fd, struct buf *out)
{
	ssize_t n;

	do {
		char *room = buf_room(out, 1 << 16);

		if (!room)
			return -EFBIG;
		n = read(fd, room, 1 << 16);
		if (n > 0)
			buf_grew(out, (size_t)n);
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

/* A file that is not there is an empty one, one that is too long counts as damaged. */
static int load(struct scan_cache *c, int64_t now_s)
{
	int fd = open_ours(c->path), r;

	c->writable = fd >= 0 || fd == -ENOENT;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = read_all(fd, &c->text);
	close(fd);
	if (r < 0)
		buf_reset(&c->text);
	enter_lines(c, now_s);
	return r;
}

static void tell(struct fault *f, enum fault_code code, const char *path, const char *why)
{
	fault_set(f, code);
	fault_fact(f, "file", "%s", path);
	fault_fact(f, "error", "%s", why);
}

struct scan_cache *scan_cache_new(const char *path, int64_t now_s, struct fault *ret_fault)
{
	struct scan_cache *c = mem_new(struct scan_cache);
	int r;

	init(c, mem_text(path));
	fault_clear(ret_fault);
	r = load(c, now_s);
	if (r < 0)
		tell(ret_fault, FAULT_SCAN_CACHE_UNUSABLE, path,
			r == -EPERM || r == -ELOOP ? "it is no file of this user" : strerror(-r));
	else if (c->damaged) {
		tell(ret_fault, FAULT_SCAN_CACHE_DAMAGED, path, "");
		fault_fact(ret_fault, "count", "%u", c->damaged);
	}
	return c;
}

struct scan_cache *scan_cache_free(struct scan_cache *c)
{
	if (!c)
		return NULL;
	empty(c);
	mem_free((char *)c->path);
	return mem_free(c);
}

/* ---- asking ---- */

static bool is_deep_enough(const struct scan_kept *k, const struct probe *p)
{
	if (k->verdict != PROBE_TLS && !span_eq(k->helo, span_of(p->settings->helo ? p->settings->helo : "")))
		return false;
	if (k->verdict == PROBE_SILENT && k->answer_ms < p->settings->answer_ms)
		return false;
	return !k->quick || p->settings->quick || precedes_name(k->verdict);
}

bool scan_cache_find(struct scan_cache *c, struct probe *p, int64_t since_s, int64_t *ret_asked_at)
{
	struct span way = p->settings->smtp ? SPAN("smtp") : SPAN("none"), address;
	char text[NET_ADDR_SIZE];

	net_addr_host_text(&p->addr, text);
	address = span_of(text);
	for (int whole = 1; whole >= 0; whole--) {
		const struct scan_kept *k = map_find(whole ? &c->by_name : &c->by_address,
			key_of(p->arena, way, address, net_addr_port(&p->addr), whole ? p->host : SPAN("")));

		if (!k || k->asked_at <= since_s || !is_deep_enough(k, p) ||
			scan_kept_restore(k, whole, clock_wall_s(), p) < 0)
			continue;
		*ret_asked_at = k->asked_at;
		return true;
	}
	return false;
}

void scan_cache_add(struct scan_cache *c, const struct probe *p, int64_t now_s)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(LINE_MAX_);
	struct scan_kept *k = arena_new(&c->arena, struct scan_kept);

	if (p->verdict == PROBE_UNREACHABLE || p->verdict == PROBE_UNRESOLVED)
		return;
	scan_kept_write(p, now_s, &line);
	if (buf_error(&line) || scan_kept_read(arena_span(&c->arena, buf_span(&line)), &c->arena, k) < 0)
		return;
	enter(c, k);
	c->changed = true;
}

/* ---- saving ---- */

static int make_folders(const char *path)
{
	char *text = mem_text(path);
	int r = 0;

	for (char *at = strchr(text + 1, '/'); at && r == 0; at = strchr(at + 1, '/')) {
		*at = 0;
		r = mkdir(text, 0700) < 0 && errno != EEXIST ? -errno : 0;
		*at = '/';
	}
	mem_free(text);
	return r;
}

static int take_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	const struct timespec pause = { .tv_nsec = LOCK_TRY * 1000000L };

	for (unsigned waited = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; waited += LOCK_TRY) {
		if (waited >= LOCK_MS || (errno != EWOULDBLOCK && errno != EINTR)) {
			int error = errno;

			close(fd);
			return -error;
		}
		nanosleep(&pause, NULL);
	}
	return fd < 0 ? -errno : fd;
}

static int by_age(const void *a, const void *b)
{
	const struct scan_kept *const *x = a, *const *y = b;

	return ((*x)->asked_at < (*y)->asked_at) - ((*x)->asked_at > (*y)->asked_at);
}

/* The latest of each kind, until there is no more room. */
static void write_lines(struct scan_cache *c, int64_t now_s, FILE *f)
{
	size_t written = 0;

	if (c->n)
		qsort(c->v, c->n, sizeof(struct scan_kept *), by_age);
	for (unsigned i = 0; i < c->n; i++) {
		const struct scan_kept *k = c->v[i];

		if (!is_of_today(k, now_s) ||
			map_find(&c->by_name, key_of(&c->arena, k->starttls, k->address, k->port, k->host)) != k)
			continue;
		written += k->line.n + 1;
		if (written > SCAN_CACHE_BYTES_MAX)
			return;
		fwrite(k->line.p, 1, k->line.n, f);
		fputc('\n', f);
	}
}

/* Written beside its place and moved there, so that a reader sees the old file or the new one. */
static int replace(struct scan_cache *c, int64_t now_s)
{
	_cleanup_(mem_freep) char *beside = mem_textf("%s.new", c->path);
	FILE *f;
	int fd, r;

	unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	must(f);
	write_lines(c, now_s, f);
	r = fflush(f) != 0 || fsync(fd) < 0 ? -errno : 0;
	fclose(f);
	if (r == 0 && rename(beside, c->path) < 0)
		r = -errno;
	if (r < 0)
		unlink(beside);
	return r;
}

/* What is in the file by now, and what we have. */
static int merge(struct scan_cache *c, int64_t now_s)
{
	struct scan_cache both;
	int r;

	init(&both, c->path);
	r = load(&both, now_s);
	if (both.writable) {
		for (unsigned i = 0; i < c->n; i++)
			enter(&both, c->v[i]);
		r = replace(&both, now_s);
	}
	empty(&both);
	return r;
}

int scan_cache_save(struct scan_cache *c, int64_t now_s, struct fault *ret_fault)
{
	_cleanup_(mem_freep) char *lock = mem_textf("%s.lock", c->path);
	int fd, r;

	/* That it is not ours has been told. */
	if (!c->writable || !(c->changed || c->damaged))
		return 0;
	r = make_folders(c->path);
	fd = r < 0 ? r : take_lock(lock);
	r = fd < 0 ? fd : merge(c, now_s);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		tell(ret_fault, FAULT_SCAN_CACHE_UNUSABLE, c->path, strerror(-r));
	return r;
}
