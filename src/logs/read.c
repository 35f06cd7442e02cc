/*
 * Files: plain ones, and compressed by gzip or zstd, told by their first bytes. All are read by the
 * same buffer, which ends at a line; a line longer than the buffer is cut. Rotated files are put in
 * the order of their first dated lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "base/mem.h"
#include "logs/logs_priv.h"

#define BUFFER_BYTES (128 * 1024) /* stays in the second level of cache */
#define PEEK_BYTES   65536

/* One file, whatever it is compressed with: reads up to n bytes; 0 at the end, or -errno. */
struct source {
	int fd;
	gzFile gz; /* of gzip; also reads what is not compressed */
	ZSTD_DStream *zstd;
	char *in; /* zstd's input */
	ZSTD_inBuffer input;
	size_t wanted; /* by zstd to end its frame; 0: it is complete */
	int64_t changed_at;
};

static int source_open(const char *path, struct source *ret)
{
	unsigned char magic[4] = { 0 };
	struct stat st;

	*ret = (struct source){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (ret->fd < 0)
		return -errno;
	if (fstat(ret->fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(ret->fd);
		return -EISDIR;
	}
	ret->changed_at = st.st_mtim.tv_sec;
	if (pread(ret->fd, magic, sizeof(magic), 0) < 0)
		return 0; /* a pipe: it is read as it is */
	if (magic[0] == 0x1f && magic[1] == 0x8b) {
		ret->gz = gzdopen(ret->fd, "rb");
		must(ret->gz);
		gzbuffer(ret->gz, 256 * 1024);
	} else if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0) {
		ret->zstd = ZSTD_createDStream();
		must(ret->zstd);
		ret->in = mem_alloc(ZSTD_DStreamInSize());
		ret->input = (ZSTD_inBuffer){ ret->in, 0, 0 };
	}
	return 0;
}

static void source_close(struct source *s)
{
	ZSTD_freeDStream(s->zstd);
	mem_free(s->in);
	if (s->gz)
		gzclose(s->gz);
	else
		close(s->fd);
}

static ssize_t read_fd(int fd, char *p, size_t n)
{
	ssize_t r;

	do
		r = read(fd, p, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static ssize_t read_zstd(struct source *s, char *p, size_t n)
{
	ZSTD_outBuffer out = { p, n, 0 };

	while (out.pos == 0) {
		size_t before, r;

		if (s->input.pos == s->input.size) {
			ssize_t got = read_fd(s->fd, s->in, ZSTD_DStreamInSize());

			if (got <= 0)
				return got < 0 ? got : s->wanted > 0 ? -EBADMSG : 0;
			s->input = (ZSTD_inBuffer){ s->in, (size_t)got, 0 };
		}
		before = s->input.pos;
		r = ZSTD_decompressStream(s->zstd, &out, &s->input);
		if (ZSTD_isError(r) || (s->input.pos == before && out.pos == 0))
			return -EBADMSG;
		s->wanted = r;
	}
	return (ssize_t)out.pos;
}

/* A file that ends too early is told at its end. */
static ssize_t read_gz(struct source *s, char *p, size_t n)
{
	int r = gzread(s->gz, p, (unsigned)n), error = Z_OK;

	if (r == 0)
		gzerror(s->gz, &error);
	return r < 0 || error < 0 ? -EBADMSG : r;
}

static ssize_t source_read(struct source *s, char *p, size_t n)
{
	if (s->gz)
		return read_gz(s, p, n);
	return s->zstd ? read_zstd(s, p, n) : read_fd(s->fd, p, n);
}

/* ---- one file ---- */

/* Feeds whole lines; what follows the last line end waits for more. */
static int read_source(struct logs *l, struct source *s, char *buffer)
{
	size_t held = 0;

	for (;;) {
		ssize_t got = source_read(s, buffer + held, BUFFER_BYTES - held);
		const char *last;
		size_t whole;

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		held += (size_t)got;
		last = memrchr(buffer, '\n', held);
		if (!last && held < BUFFER_BYTES)
			continue;
		/* A line without end is cut at the buffer's. */
		whole = last ? (size_t)(last - buffer) + 1 : held;
		logs_feed(l, span_make(buffer, whole), s->changed_at);
		memmove(buffer, buffer + whole, held - whole);
		held -= whole;
	}
	if (held > 0)
		logs_feed(l, span_make(buffer, held), s->changed_at);
	return 0;
}

static int read_file(struct logs *l, const char *path, char *buffer)
{
	struct source s;
	int r = source_open(path, &s);

	if (r < 0)
		return r;
	r = read_source(l, &s, buffer);
	source_close(&s);
	return r;
}

/* ---- their order ---- */

struct file {
	const char *path;
	int64_t begins_at; /* INT64_MAX: unknown, it is read last */
	unsigned place;
};

static int64_t begin_of(const char *path, char *buffer)
{
	struct logs *peek = logs_new(0, 1);
	int64_t at = INT64_MAX;
	struct source s;
	struct stat st;
	ssize_t got;

	/* A pipe can be read once only. */
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && source_open(path, &s) == 0) {
		got = source_read(&s, buffer, PEEK_BYTES);
		if (got > 0 && logs_first_time(peek, span_make(buffer, (size_t)got), s.changed_at, &at))
			at = at < 0 ? 0 : at;
		source_close(&s);
	}
	logs_free(peek);
	return at;
}

static int by_begin(const void *va, const void *vb)
{
	const struct file *a = va, *b = vb;

	if (a->begins_at != b->begins_at)
		return a->begins_at < b->begins_at ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

/* Was little of this file understood, whatever there was of others? */
static bool is_little_of_file(struct logs *l, const struct logs_totals *before, const char *path, struct fault *ret)
{
	struct logs_totals file = { .lines = l->totals.lines - before->lines,
		.understood = l->totals.understood - before->understood,
		.neighbours = l->totals.neighbours - before->neighbours,
		.foreign = l->totals.foreign - before->foreign,
		.undated = l->totals.undated - before->undated };
	bool is_little = logs_is_little(&file);

	fault_set(ret, FAULT_LOG_NOT_UNDERSTOOD);
	fault_fact(ret, "file", "%s", path);
	fault_fact(ret, "lines", "%llu", (unsigned long long)file.lines);
	fault_fact(ret, "understood", "%llu", (unsigned long long)file.understood);
	fault_fact(ret, "foreign", "%llu", (unsigned long long)file.foreign);
	fault_fact(ret, "undated", "%llu", (unsigned long long)file.undated);
	fault_fact(ret, "first", "%s", l->totals.first_odd[0] ? l->totals.first_odd : "-");
	if (before->first_odd[0])
		memcpy(l->totals.first_odd, before->first_odd, sizeof(before->first_odd));
	return is_little;
}

int logs_read(struct logs *l, const char *const *paths, unsigned n, logs_fault_fn *on_fault, void *arg)
{
	struct file *files = mem_zalloc(n + 1, sizeof(*files));
	char *buffer = mem_alloc(BUFFER_BYTES);
	struct logs_totals before;
	struct fault fault;
	int result = 0;

	for (unsigned i = 0; i < n; i++)
		files[i] = (struct file){ paths[i], n > 1 ? begin_of(paths[i], buffer) : 0, i };
	qsort(files, n, sizeof(*files), by_begin);
	for (unsigned i = 0; i < n; i++) {
		int r;

		before = l->totals;
		l->totals.first_odd[0] = '\0';
		r = read_file(l, files[i].path, buffer);
		if (r == 0) {
			l->totals.files++;
			if (is_little_of_file(l, &before, files[i].path, &fault)) {
				result = -ENOMSG;
				on_fault(arg, &fault);
			}
			continue;
		}
		result = r;
		fault_set(&fault, FAULT_FILE_UNREADABLE);
		fault_fact(&fault, "file", "%s", files[i].path);
		fault_fact(&fault, "error", "%s", r == -EBADMSG ? "damaged compressed data" : strerror(-r));
		on_fault(arg, &fault);
	}
	mem_free(buffer);
	mem_free(files);
	return result;
}
