/* A store in a folder of its own for the tests that need one. */
#pragma once
#include "domain_unit.h"
#include <ftw.h>
#include <sys/stat.h>

static char folder[64];
static struct store *store;

static inline int make_store(void **state)
{
	char url[96];

	snprintf(folder, sizeof(folder), "/tmp/torhaus-domain-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s/torhaus.db", folder);
	return store_open(url, true, &store, &fault);
}

static inline int remove_entry(const char *entry, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(entry);
}

static inline int remove_store(void **state)
{
	store_close(store);
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline int print_row(void *arg, const struct store_domain *d)
{
	buf_addf(arg, "%.*s [%s", SPAN_ARG(d->name), d->changed_by);
	for (unsigned i = 0; i < d->web_n; i++)
		buf_addf(arg, " %.*s", SPAN_ARG(d->web[i]));
	buf_addf(arg, "]\n%.*s", SPAN_ARG(d->text));
	return 0;
}

/* "name [by web…]\nbody" of all domains. */
static inline const char *stored(void)
{
	struct buf out = BUF_INIT(1 << 20);
	const char *text;

	assert_int_equal(store_domain_each(store, print_row, &out, &fault), 0);
	text = arena_text(&arena, buf_span(&out));
	buf_done(&out);
	return text;
}

/* "+a.de -b.de ~c.de " */
static inline const char *summary(const struct domain_change *changes, int n)
{
	struct buf out = BUF_INIT(1 << 16);
	const char *text;

	for (int i = 0; i < n; i++)
		buf_addf(&out, "%c%.*s ", "+-~"[changes[i].kind], SPAN_ARG(changes[i].name));
	text = arena_text(&arena, buf_span(&out));
	buf_done(&out);
	return text;
}
