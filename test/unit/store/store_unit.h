/* A store in a folder of its own, and short words for what the tests do with it. */
#pragma once
#include "../unit.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "store/store.h"

static char folder[64];
static char path[96];
static char url[112];
static struct fault fault;

static inline int make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/torhaus-store-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/torhaus.db", folder);
	snprintf(url, sizeof(url), "sqlite:%s", path);
	return 0;
}

static inline int remove_entry(const char *entry, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(entry);
}

static inline int remove_folder(void **state)
{
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct store *open_store(bool create)
{
	struct store *s = NULL;

	return store_open(url, create, &s, &fault) == 0 ? s : NULL;
}

/* Puts a domain whose one web name is its name. */
static inline int put(struct store *s, const char *name, const char *text)
{
	struct span web = span_of(name);

	return store_domain_put(s,
		&(struct store_domain){ .name = web,
			.text = span_of(text),
			.web = &web,
			.web_n = 1,
			.changed_at = 1704442461,
			.changed_by = "ada" },
		&fault);
}

static inline int copy_text(void *arg, const struct store_domain *d)
{
	buf_addf(arg, "%.*s: %.*s", SPAN_ARG(d->name), SPAN_ARG(d->text));
	for (unsigned i = 0; i < d->web_n; i++)
		buf_addf(arg, " [%.*s]", SPAN_ARG(d->web[i]));
	buf_addf(arg, "\n");
	return 0;
}

/* "name: text [web]…" a line; the -errno as text if it fails. Good until the next call. */
static inline const char *list(struct store *s)
{
	static char text[4096];
	struct buf out = BUF_INIT(sizeof(text) - 1);
	int r = store_domain_each(s, copy_text, &out, &fault);

	snprintf(text, sizeof(text), "%s", r < 0 ? strerror(-r) : buf_text(&out));
	buf_done(&out);
	return text;
}

static inline uint64_t version(struct store *s)
{
	uint64_t v = 0;

	assert_int_equal(store_version(s, &v, &fault), 0);
	return v;
}
