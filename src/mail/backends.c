/* What is known of the backends. See mail/mta.h. */
#include <errno.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/rand.h"
#include "dns/resolver.h"
#include "mail/mta_priv.h"

#define FAULTS_MAX 20 /* of backends in trouble that are told at a time */

struct backends *backends_new(unsigned threads)
{
	struct backends *b = mem_new(struct backends);

	b->threads_n = threads;
	b->caps = ~0u;
	snprintf(b->mark, sizeof(b->mark), "%016llx", (unsigned long long)rand_fast());
	pthread_mutex_init(&b->lock, NULL);
	map_init(&b->by_text);
	return b;
}

static void backend_free(struct backend *b)
{
	pthread_mutex_destroy(&b->lock);
	mem_free(b->host);
	mem_free(b->text);
	mem_free(b->kept);
	mem_free(b->trouble);
	mem_free(b);
}

struct backends *backends_free(struct backends *b)
{
	struct span text;
	size_t at = 0;
	void *one;

	if (!b)
		return NULL;
	while (map_next(&b->by_text, &at, &text, &one))
		backend_free(one);
	map_done(&b->by_text);
	pthread_mutex_destroy(&b->lock);
	return mem_free(b);
}

static struct backend *backend_new(unsigned threads, struct span host, uint16_t port, struct span text)
{
	struct backend *b = mem_new(struct backend);
	struct net_addr address;

	b->host = span_text(host);
	b->port = port;
	b->text = span_text(text);
	b->is_address = net_addr_parse_host(host, &address) == 0;
	b->kept = mem_zalloc(threads, sizeof(*b->kept));
	b->kept_max = MTA_KEPT_MAX / threads > 2 ? MTA_KEPT_MAX / threads : 2;
	for (unsigned i = 0; i < threads; i++)
		kept_list_init(&b->kept[i]);
	pthread_mutex_init(&b->lock, NULL);
	return b;
}

/* Lock held. */
static struct backend *find_or_add(struct backends *all, struct span host, uint16_t port)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(512);
	struct backend *b;

	if (span_index(host, ':') >= 0)
		buf_addf(&text, "[%.*s]:%u", SPAN_ARG(host), port);
	else
		buf_addf(&text, "%.*s:%u", SPAN_ARG(host), port);
	b = map_find(&all->by_text, buf_span(&text));
	if (!b) {
		b = backend_new(all->threads_n, host, port, buf_span(&text));
		map_put(&all->by_text, span_of(b->text), b);
	}
	return b;
}

struct backend *backend_get(struct backends *all, struct span host, uint16_t port)
{
	struct backend *b;

	pthread_mutex_lock(&all->lock);
	b = find_or_add(all, host, port);
	pthread_mutex_unlock(&all->lock);
	return b;
}

const char *backends_mark(const struct backends *b)
{
	return b->mark;
}

/* ---- capabilities ---- */

/* Lock of all held. */
static void recompute_caps(struct backends *all)
{
	unsigned caps = ~0u;
	uint64_t size_max = 0;
	bool limited = true; /* every one of them has said a limit */
	struct span text;
	size_t at = 0;
	void *p;

	while (map_next(&all->by_text, &at, &text, &p)) {
		struct backend *b = p;

		if (!b->watched)
			continue;
		pthread_mutex_lock(&b->lock);
		if (b->known)
			caps &= b->caps.mask;
		limited = limited && b->known && b->caps.size_max > 0;
		if (b->known && b->caps.size_max > size_max)
			size_max = b->caps.size_max;
		pthread_mutex_unlock(&b->lock);
	}
	all->caps = caps;
	/* The largest: senders bounce what is larger without asking. Each backend then refuses by
	 * its own. */
	all->size_max = limited ? size_max : 0;
}

void backends_watch(struct backends *all, const struct snapshot *s)
{
	struct span text;
	size_t at = 0;
	void *p;

	pthread_mutex_lock(&all->lock);
	while (map_next(&all->by_text, &at, &text, &p))
		((struct backend *)p)->watched = false;
	for (unsigned i = 0; i < snapshot_count(s); i++) {
		const struct domain *d = snapshot_at(s, i);

		if (d->mail.host.n > 0)
			find_or_add(all, d->mail.host, d->mail.port)->watched = true;
	}
	recompute_caps(all);
	pthread_mutex_unlock(&all->lock);
}

unsigned backends_caps(const struct backends *b, uint64_t *ret_size_max)
{
	*ret_size_max = b->size_max;
	return b->caps;
}

void backend_learn(struct backends *all, struct backend *b, const struct smtp_caps *caps)
{
	bool same;

	pthread_mutex_lock(&b->lock);
	same = b->known && b->caps.mask == caps->mask && b->caps.size_max == caps->size_max;
	b->known = true;
	b->caps = *caps;
	pthread_mutex_unlock(&b->lock);
	if (same)
		return;
	pthread_mutex_lock(&all->lock);
	recompute_caps(all);
	pthread_mutex_unlock(&all->lock);
}

/* ---- addresses ---- */

int backend_addrs(struct backend *b, uint64_t deadline, struct net_addr ret[BACKEND_ADDRS_MAX])
{
	struct net_addr fresh[BACKEND_ADDRS_MAX];
	uint64_t now = loop_now_ms(), patience = deadline_in(BACKEND_ASK_MS);
	int known, n;
	bool old;

	pthread_mutex_lock(&b->lock);
	known = (int)b->addrs_n;
	memcpy(ret, b->addrs, sizeof(b->addrs));
	old = b->resolved_ms == 0 || (!b->is_address && now - b->resolved_ms > BACKEND_RESOLVE_MS);
	pthread_mutex_unlock(&b->lock);
	if (known > 0 && !old)
		return known;
	n = dns_resolve(span_of(b->host), b->port, fresh, BACKEND_ADDRS_MAX,
		known > 0 && patience < deadline ? patience : deadline);
	if (n <= 0 && known == 0)
		return n < 0 ? n : -ENOENT;
	pthread_mutex_lock(&b->lock);
	if (n > 0) {
		memcpy(b->addrs, fresh, sizeof(fresh));
		b->addrs_n = (unsigned)n;
	}
	/* An older answer is better than none, and not to be asked for again by every mail. */
	b->resolved_ms = now;
	n = (int)b->addrs_n;
	memcpy(ret, b->addrs, sizeof(b->addrs));
	pthread_mutex_unlock(&b->lock);
	return n;
}

/* ---- how it fares ---- */

bool backend_tls_is_broken(struct backend *b)
{
	bool broken;

	pthread_mutex_lock(&b->lock);
	broken = loop_now_ms() < b->no_tls_until_ms;
	pthread_mutex_unlock(&b->lock);
	return broken;
}

void backend_tls_broke(struct backend *b)
{
	pthread_mutex_lock(&b->lock);
	b->no_tls_until_ms = deadline_in(BACKEND_NO_TLS_MS);
	pthread_mutex_unlock(&b->lock);
}

void backend_went(struct backend *b, const struct fault *trouble)
{
	pthread_mutex_lock(&b->lock);
	if (!trouble) {
		b->trouble = mem_free(b->trouble);
	} else if (!b->trouble) {
		b->trouble = mem_new(struct fault);
		b->trouble_since = clock_wall_s();
	}
	if (trouble)
		*b->trouble = *trouble;
	pthread_mutex_unlock(&b->lock);
}

void backends_faults(struct backends *all, edge_fault_fn *on_fault, void *arg)
{
	unsigned told = 0;
	struct span text;
	size_t at = 0;
	void *p;

	pthread_mutex_lock(&all->lock);
	while (told < FAULTS_MAX && map_next(&all->by_text, &at, &text, &p)) {
		struct backend *b = p;

		pthread_mutex_lock(&b->lock);
		if (b->watched && b->trouble) {
			on_fault(arg, b->trouble);
			told++;
		}
		pthread_mutex_unlock(&b->lock);
	}
	pthread_mutex_unlock(&all->lock);
}

static void backend_json(struct jsonw *j, struct backend *b)
{
	pthread_mutex_lock(&b->lock);
	jsonw_object(j, NULL);
	jsonw_text(j, "backend", b->text);
	jsonw_bool(j, "known", b->known);
	if (b->trouble) {
		jsonw_text(j, "code", fault_code_text(b->trouble->code));
		jsonw_int(j, "since", b->trouble_since);
	}
	jsonw_end(j);
	pthread_mutex_unlock(&b->lock);
}

void backends_json(struct backends *all, struct jsonw *j)
{
	struct span text;
	size_t at = 0;
	void *one;

	jsonw_array(j, "backends");
	pthread_mutex_lock(&all->lock);
	while (map_next(&all->by_text, &at, &text, &one))
		if (((struct backend *)one)->watched)
			backend_json(j, one);
	pthread_mutex_unlock(&all->lock);
	jsonw_end(j);
}
