/*
 * The files of the certificate folders: read, fingerprinted, and packed for the way from the
 * supervisor, which may read them, to the worker, which may not.
 *
 * A folder's own files and those of its subfolders (certbot keeps live/NAME/) count, links are
 * followed. The packed form is a sequence of: path length, path, mtime, mode, errno, byte length,
 * bytes; numbers as 8 bytes in host order (both ends are the same program on the same machine).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tls/tls.h"

#define ERRNO_MAX 4095 /* Linux's */
#define FILE_MAX  (256 * 1024)

typedef void visit_fn(void *arg, const char *path, const struct stat *st);

static bool is_ours(const char *name)
{
	static const char *const suffixes[] = { ".pem", ".crt", ".cer", ".key", ".chain", ".ocsp" };
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && name[0] != '.' && i < array_len(suffixes); i++)
		if (strcasecmp(suffix, suffixes[i]) == 0)
			return true;
	return false;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The folder itself if everybody may write to it, files, then subfolders, each by name. */
static void visit_folder(const char *folder, bool deeper, visit_fn *fn, void *arg)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, by_name);
	struct stat own;

	if (n >= 0 && stat(folder, &own) == 0 && (own.st_mode & S_IWOTH))
		fn(arg, folder, &own);
	for (int i = 0; i < n; i++) {
		_cleanup_(mem_freep) char *path = mem_textf("%s/%s", folder, entries[i]->d_name);
		struct stat st;

		if (is_ours(entries[i]->d_name) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			fn(arg, path, &st);
	}
	for (int i = 0; i < n; i++) {
		_cleanup_(mem_freep) char *path = mem_textf("%s/%s", folder, entries[i]->d_name);
		struct stat st;

		if (deeper && entries[i]->d_name[0] != '.' && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			visit_folder(path, false, fn, arg);
		mem_free(entries[i]);
	}
	if (n >= 0)
		mem_free(entries);
}

static void visit_folders(const struct span *folders, unsigned count, visit_fn *fn, void *arg)
{
	for (unsigned i = 0; i < count; i++) {
		_cleanup_(mem_freep) char *folder = span_text(folders[i]);

		visit_folder(folder, true, fn, arg);
	}
}

static int64_t changed_ns(const struct stat *st)
{
	return st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

/* ---- reading ---- */

static int read_whole(const char *path, char *p, size_t n)
{
	/* What was a file when it was looked at may be a FIFO by now, which would wait for a
	 * writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t at = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	while (at < n) {
		ssize_t got = read(fd, p + at, n - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		at += (size_t)got;
	}
	close(fd);
	return (int)at;
}

static void read_file(struct tls_file *f, size_t n)
{
	int got;

	f->bytes = mem_alloc(n + 1);
	got = read_whole(f->path, f->bytes, n);
	f->readable = got >= 0;
	f->error = got < 0 ? -got : 0;
	f->n = got < 0 ? 0 : (size_t)got;
}

static void add_file(void *arg, const char *path, const struct stat *st)
{
	struct tls_files *files = arg;
	struct tls_file *f;

	if (files->n > TLS_FILES_MAX)
		return;
	files->v = mem_resize(files->v, files->n + 1, sizeof(*files->v));
	f = &files->v[files->n++];
	*f = (struct tls_file){ .path = mem_text(path), .changed_ns = changed_ns(st), .mode = st->st_mode };
	if (files->n > TLS_FILES_MAX)
		f->error = EMFILE;
	else if (S_ISDIR(st->st_mode))
		f->readable = true;
	else if (st->st_size > FILE_MAX)
		f->error = EFBIG;
	else
		read_file(f, (size_t)st->st_size);
}

struct tls_files *tls_files_read(const struct span *folders, unsigned count)
{
	struct tls_files *files = mem_new(struct tls_files);

	visit_folders(folders, count, add_file, files);
	return files;
}

struct tls_files *tls_files_read_named(const char *const *paths, unsigned count)
{
	struct tls_files *files = mem_new(struct tls_files);

	for (unsigned i = 0; i < count; i++) {
		struct stat st = { 0 };

		if (stat(paths[i], &st) == 0 && S_ISREG(st.st_mode)) {
			add_file(files, paths[i], &st);
			files->v[files->n - 1].mode = 0;
			continue;
		}
		files->v = mem_resize(files->v, files->n + 1, sizeof(*files->v));
		files->v[files->n++] =
			(struct tls_file){ .path = mem_text(paths[i]), .error = st.st_ino == 0 ? ENOENT : EISDIR };
	}
	return files;
}

struct tls_files *tls_files_free(struct tls_files *files)
{
	if (!files)
		return NULL;
	for (unsigned i = 0; i < files->n; i++) {
		OPENSSL_cleanse(files->v[i].bytes, files->v[i].n);
		mem_free(files->v[i].bytes);
		mem_free(files->v[i].path);
	}
	mem_free(files->v);
	return mem_free(files);
}

static void add_stamp(void *arg, const char *path, const struct stat *st)
{
	uint64_t *stamp = arg;
	uint64_t facts[] = { *stamp, (uint64_t)changed_ns(st), (uint64_t)st->st_size, (uint64_t)st->st_ino,
		st->st_mode };

	*stamp = span_hash(span_of(path), span_hash(span_make(facts, sizeof(facts)), 1));
}

uint64_t tls_files_stamp(const struct span *folders, unsigned count)
{
	uint64_t stamp = 0;

	visit_folders(folders, count, add_stamp, &stamp);
	return stamp;
}

/* ---- packed ---- */

static void pack_u64(struct buf *out, uint64_t v)
{
	buf_add(out, &v, sizeof(v));
}

void tls_files_pack(const struct tls_files *files, struct buf *out)
{
	pack_u64(out, files->n);
	for (unsigned i = 0; i < files->n; i++) {
		const struct tls_file *f = &files->v[i];

		pack_u64(out, strlen(f->path));
		buf_add_text(out, f->path);
		pack_u64(out, (uint64_t)f->changed_ns);
		pack_u64(out, f->mode);
		pack_u64(out, f->readable ? 0 : (uint64_t)f->error);
		pack_u64(out, f->n);
		buf_add(out, f->bytes, f->n);
	}
}

/* Reads with a sticky error: once it is set, everything is empty. */
struct unpack {
	struct span rest;
	bool bad;
};

static struct span unpack_bytes(struct unpack *u, uint64_t n)
{
	struct span s;

	if (u->bad || n > u->rest.n) {
		u->bad = true;
		return (struct span){ "", 0 };
	}
	s = span_sub(u->rest, 0, (size_t)n);
	u->rest = span_from(u->rest, (size_t)n);
	return s;
}

static uint64_t unpack_u64(struct unpack *u)
{
	struct span s = unpack_bytes(u, sizeof(uint64_t));
	uint64_t v = 0;

	if (s.n == sizeof(v))
		memcpy(&v, s.p, sizeof(v));
	return v;
}

int tls_files_unpack(struct span blob, struct tls_files **ret)
{
	struct unpack u = { .rest = blob };
	struct tls_files *files = mem_new(struct tls_files);
	uint64_t count = unpack_u64(&u);

	for (uint64_t i = 0; i < count && !u.bad; i++) {
		struct span path = unpack_bytes(&u, unpack_u64(&u));
		int64_t changed = (int64_t)unpack_u64(&u);
		uint64_t mode = unpack_u64(&u);
		uint64_t error = unpack_u64(&u);
		struct span bytes = unpack_bytes(&u, unpack_u64(&u));
		struct tls_file *f;

		if (u.bad || error > ERRNO_MAX || mode > UINT32_MAX || span_index(path, '\0') >= 0) {
			u.bad = true;
			break;
		}
		files->v = mem_resize(files->v, files->n + 1, sizeof(*files->v));
		f = &files->v[files->n++];
		*f = (struct tls_file){ .path = span_text(path),
			.changed_ns = changed,
			.mode = (uint32_t)mode,
			.bytes = span_text(bytes),
			.n = bytes.n,
			.readable = error == 0,
			.error = (int)error };
	}
	if (u.bad || u.rest.n > 0) {
		tls_files_free(files);
		return -EINVAL;
	}
	*ret = files;
	return 0;
}
