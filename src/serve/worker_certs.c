/*
 * The certificates in service.
 *
 * Files come from the supervisor, which alone may read keys. A helper thread builds the set, with
 * what works of the set before in place of what is faulty now, publishes it, and proves it; the set
 * before may be that of the worker before, whose files the supervisor keeps. The proof: for
 * every pair a handshake with ourselves over a real listener must get that very certificate. The
 * same proof runs each minute.
 *
 * Proofs of many pairs are spread: at most PROOFS_MAX at a time, going round.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "io/helper.h"
#include "serve/serve_priv.h"
#include "store/store.h"
#include "predict/predict.h"
#include "probe/served.h"

#define PROOFS_MAX        64
#define PROVE_TIMEOUT_S   5
#define TICKET_LIFETIME_S (24 * 3600)

struct built {
	struct certs *certs;
	int fd;
	uint32_t tag;
};

static void to_report(void *arg, const struct fault *f)
{
	report_add(arg, f);
}

static void log_all(const struct report *r, enum log_level level, const char *event)
{
	for (unsigned i = 0; i < r->n; i++)
		log_fault(level, "tls", event, &r->v[i]);
}

static void replace_report(struct report *to, struct report *from)
{
	report_done(to);
	*to = *from;
	*from = (struct report){ 0 };
}

static bool is_in_report(const struct report *r, const struct fault *f)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->v[i].code == f->code && span_eq(fault_value(&r->v[i], "file"), fault_value(f, "file")))
			return true;
	return false;
}

/* ---- dates ---- */

/* What has become of the pairs since the last look: a line in the log for each that is new. told:
 * those that were logged for another reason. */
static void log_dates(const struct report *now, const struct report *before, const struct report *told)
{
	for (unsigned i = 0; i < now->n; i++) {
		const struct fault *f = &now->v[i];
		bool soon = f->code == FAULT_CERT_EXPIRES_SOON;

		if (!is_in_report(before, f) && !is_in_report(told, f))
			log_fault(soon ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "tls", soon ? "cert-note" : "cert-faulty",
				f);
	}
}

/* Certificates run out while they are in service. */
static void look_at_dates(struct certs *c)
{
	struct report dates = { 0 };

	tls_set_dates(c->set, to_report, &dates);
	log_dates(&dates, &c->dates, &c->faults);
	pthread_mutex_lock(&c->lock);
	replace_report(&c->dates, &dates);
	pthread_mutex_unlock(&c->lock);
}

/* ---- proof ---- */

/* A wildcard is asked for by a name that it covers. */
static struct span name_to_ask(struct span name, char room[300])
{
	if (!span_starts(name, SPAN("*.")) || name.n > 290)
		return name;
	memcpy(room, "torhaus", 7);
	memcpy(room + 7, name.p + 1, name.n - 1);
	return span_make(room, name.n + 6);
}

/* Is pair the one of its type that the set itself chooses for the name? Another may stand for the
 * same name. */
static bool is_chosen(const struct tls_set *set, const struct tls_pair *pair, struct span name)
{
	const struct tls_pair *chosen[8];
	unsigned n = tls_set_pairs_for(set, name, chosen, array_len(chosen));

	for (unsigned i = 0; i < n; i++)
		if (chosen[i] == pair)
			return true;
	return false;
}

static void not_served(struct report *r, const struct tls_pair *pair, struct span name, const char *where,
	const char *why)
{
	struct fault f;

	fault_set(&f, FAULT_CERT_NOT_SERVED);
	fault_fact(&f, "name", "%.*s", SPAN_ARG(name));
	fault_fact(&f, "type", "%s", tls_key_type_text(pair->type));
	fault_fact(&f, "file", "%s", pair->cert_path);
	fault_fact(&f, "error", "%s: %s", where, why);
	report_add(r, &f);
}

static bool is_proxied(const struct net_prefix *proxies, unsigned n, const struct net_addr *address)
{
	for (unsigned i = 0; i < n; i++)
		if (net_prefix_contains(&proxies[i], address))
			return true;
	return false;
}

/* A listener of ours, as it has to be spoken to. */
struct place {
	struct served_place where;
	char text[NET_ADDR_SIZE];
	/* our own name: the mail edge neither logs that session nor keeps it as evidence */
	char ehlo[256];
};

static void prove_pair(struct tls_set *set, const struct tls_pair *pair, const struct place *at, struct report *r)
{
	const char *why = "another certificate came";
	struct served_leaf served;
	uint8_t in_memory[32];
	struct span name;
	char room[300];

	if (pair->names_n == 0)
		return;
	name = name_to_ask(pair->names[0], room);
	if (!is_chosen(set, pair, name))
		return;
	if (tls_set_prove(set, name, pair->type, in_memory) < 0 || memcmp(in_memory, pair->fingerprint, 32) != 0)
		not_served(r, pair, name, "in memory", why);
	else if (served_ask(&at->where, name, pair->type, &served, &why) < 0)
		not_served(r, pair, name, at->text, why);
	else if (memcmp(served.fingerprint, pair->fingerprint, 32) != 0)
		not_served(r, pair, name, at->text, why);
}

/* The first listener of that kind. */
static bool find_listener(struct worker *w, enum listener_kind kind, struct net_addr *ret)
{
	bool found = false;

	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; !found && i < w->birth->listeners->n; i++) {
		const struct listener *l = &w->birth->listeners->v[i];

		found = l->kind == kind;
		if (found)
			*ret = l->actual;
	}
	pthread_mutex_unlock(&w->lock);
	return found;
}

/* Where certificates are served; false: nowhere. */
static bool find_place(struct worker *w, struct place *ret)
{
	struct settings *s = worker_settings(w);
	struct net_addr *address = &ret->where.address;
	bool web = find_listener(w, LISTENER_WEB_TLS, address), mail = !web && find_listener(w, LISTENER_MAIL, address);
	bool found = web || mail || find_listener(w, LISTENER_MAIL_TLS, address);

	snprintf(ret->ehlo, sizeof(ret->ehlo), "%.*s", SPAN_ARG(s->mail.hostname));
	ret->where.timeout_s = PROVE_TIMEOUT_S;
	ret->where.starttls = mail;
	ret->where.ehlo = ret->ehlo;
	if (found) {
		net_addr_text(address, ret->text);
		ret->where.proxied = web ? is_proxied(s->web.proxies, s->web.proxy_from.n, address)
					 : is_proxied(s->mail.proxies, s->mail.proxy_from.n, address);
	}
	settings_unref(s);
	return found;
}

/* fresh: the set is new, success is worth a line. */
static void prove(struct certs *c, bool fresh)
{
	struct tls_set *set = c->set;
	struct report faults = { 0 };
	struct place at;
	unsigned n = tls_set_count(set), first = c->proofs++ * PROOFS_MAX;

	if (!find_place(c->worker, &at))
		return;
	for (unsigned i = 0; i < n && i < PROOFS_MAX; i++)
		prove_pair(set, tls_set_pair(set, (first + i) % n), &at, &faults);
	log_all(&faults, LOG_LEVEL_ERROR, "cert-not-served");
	if (faults.n == 0 && n > 0 && (fresh || c->proved_at == 0 || c->proof.n > 0))
		log_event(LOG_LEVEL_INFO, "tls", "cert-served", "pairs=%u address=%s", n, at.text);
	pthread_mutex_lock(&c->lock);
	replace_report(&c->proof, &faults);
	c->proved_at = clock_wall_s();
	pthread_mutex_unlock(&c->lock);
}

/* ---- building ---- */

static const struct tls_set_settings set_settings = { .session_lifetime_s = TICKET_LIFETIME_S, .judge_reach = true };

/* The files that are packed in fd; none, if that is -1 or no such thing. */
static struct tls_files *unpack(int fd)
{
	struct buf blob = BUF_INIT(LARGE_MAX);
	struct tls_files *files = NULL;

	if (fd >= 0 && memfd_read(fd, &blob) == 0)
		tls_files_unpack(buf_span(&blob), &files);
	if (blob.p)
		explicit_bzero(blob.p, blob.n);
	buf_done(&blob);
	if (!files)
		tls_files_unpack(SPAN(""), &files);
	return files;
}

static struct tls_file *find_file(const struct tls_files *files, const char *path)
{
	for (unsigned i = 0; i < files->n; i++)
		if (strcmp(files->v[i].path, path) == 0)
			return &files->v[i];
	return NULL;
}

/* The file of earlier takes the place of what files has there, and leaves its own. */
static void put_back(struct tls_files *files, struct tls_files *earlier, const char *path)
{
	struct tls_file *from = find_file(earlier, path), *to = find_file(files, path), was;

	if (!from)
		return;
	if (!to) {
		files->v = mem_resize(files->v, files->n + 1, sizeof(*files->v));
		to = &files->v[files->n++];
		*to = (struct tls_file){ .path = mem_text(path) };
	}
	was = *to;
	*to = *from;
	*from = was;
}

/* files with those in the place of faulty ones that the kept pairs of the set came from, as a
 * memfd; -1: no pair is kept, it is just these files that are in service. */
static int served_instead(struct certs *c, struct tls_files *files, const struct tls_set *set)
{
	struct buf blob = BUF_INIT(LARGE_MAX);
	struct tls_files *earlier = NULL;
	int fd = -1;

	for (unsigned i = 0; i < tls_set_count(set); i++) {
		const struct tls_pair *p = tls_set_pair(set, i);

		if (!p->kept)
			continue;
		if (!earlier)
			earlier = unpack(c->served);
		put_back(files, earlier, p->cert_path);
		if (strcmp(p->cert_path, p->key_path) != 0)
			put_back(files, earlier, p->key_path);
	}
	if (earlier) {
		tls_files_pack(files, &blob);
		fd = memfd_from("torhaus-served", buf_span(&blob));
		explicit_bzero(blob.p, blob.n);
		buf_done(&blob);
		tls_files_free(earlier);
	}
	return fd;
}

/* What is in service survives this worker: the supervisor keeps it for the next. */
static void hand_to_supervisor(struct certs *c, int fd, uint32_t tag, struct tls_files *files,
	const struct tls_set *set)
{
	int instead = served_instead(c, files, set);

	channel_send(c->worker->birth->channel, CHANNEL_SERVED, tag, SPAN(""), &instead, instead >= 0);
	if (c->served >= 0)
		close(c->served);
	c->served = instead >= 0 ? instead : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static struct tls_set *build(struct certs *c, int fd, uint32_t tag)
{
	struct tls_files *files = unpack(fd);
	struct report faults = { 0 }, notes = { 0 }, dates = { 0 }, told = { 0 };
	struct tls_set *set = tls_set_build(files, &set_settings, c->set, to_report, &faults);

	if (fd >= 0)
		hand_to_supervisor(c, fd, tag, files, set);
	tls_files_free(files);
	tls_set_compare(set, c->set, to_report, &notes);
	tls_set_dates(set, to_report, &dates);
	log_all(&faults, LOG_LEVEL_ERROR, "cert-faulty");
	log_all(&notes, LOG_LEVEL_WARNING, "cert-note");
	log_dates(&dates, &c->dates, &faults);
	/* Dates have a list of their own, since they change by themselves. */
	for (unsigned i = 0; i < faults.n; i++)
		if (!is_in_report(&dates, &faults.v[i]))
			report_add(&told, &faults.v[i]);
	told.more += faults.more;
	report_done(&faults);
	pthread_mutex_lock(&c->lock);
	replace_report(&c->faults, &told);
	replace_report(&c->notes, &notes);
	replace_report(&c->dates, &dates);
	pthread_mutex_unlock(&c->lock);
	return set;
}

/* Consumes set. */
static void publish(struct certs *c, struct tls_set *set)
{
	struct tls_set *old;

	pthread_mutex_lock(&c->lock);
	old = c->set;
	c->set = set;
	c->since = clock_wall_s();
	pthread_mutex_unlock(&c->lock);
	edges_publish(c->worker, NULL, NULL, set);
	tls_set_unref(old);
}

/* What the mail edge serves is kept as evidence. */
static void tell_evidence(struct certs *c)
{
	struct settings *s = worker_settings(c->worker);

	if (s->mail.listen.n + s->mail.listen_tls.n > 0)
		evidence_certificates(c->worker->evidence, c->set, s->mail.hostname, clock_wall_s());
	settings_unref(s);
}

/* "RSA and ECDSA" */
static void add_types(const struct tls_set *set, struct fault *f)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(256);

	for (enum tls_key_type t = 0; t < TLS_KEY_TYPES_MAX; t++)
		for (unsigned i = 0; i < tls_set_count(set); i++)
			if (tls_set_pair(set, i)->type == t) {
				buf_addf(&text, "%s%s", text.n ? ", " : "", tls_key_type_text(t));
				break;
			}
	fault_fact(f, "types", "%s", text.n ? buf_text(&text) : "-");
}

static void tell_breakers(struct certs *c, const struct predict_result *r)
{
	const struct predict_breaker *b = &r->breakers[0];
	struct fault f;

	fault_set(&f, FAULT_CERT_CHANGE_BREAKS);
	add_types(c->set, &f);
	fault_fact(&f, "count", "%u", r->broken);
	fault_fact(&f, "mails", "%llu", (unsigned long long)r->mails_recent);
	fault_fact(&f, "peer", "%.*s", SPAN_ARG(b->helo.n > 0 ? b->helo : b->network));
	fault_fact(&f, "code", "%s", fault_code_text(b->cause.code));
	log_fault(LOG_LEVEL_ERROR, "tls", "cert-change-breaks", &f);
	pthread_mutex_lock(&c->lock);
	report_add(&c->notes, &f);
	pthread_mutex_unlock(&c->lock);
}

/* Whom does the new set keep out that got through before, as far as the kept peers tell? A store
 * that cannot be read has its own fault elsewhere. */
static void predict(struct certs *c)
{
	struct settings *s = worker_settings(c->worker);
	bool mail = s->mail.listen.n + s->mail.listen_tls.n > 0;
	struct predict_result result;
	struct store *store = NULL;
	struct fault fault;
	struct arena a;

	arena_init(&a, 65536);
	if (mail && store_open(s->store.p, false, &store, &fault) == 0 &&
		predict_peers(store, TLS_FOR_MAIL, NULL, c->set, NULL, &a, &result, &fault) == 0 &&
		result.breakers_n > 0)
		tell_breakers(c, &result);
	store_close(store);
	arena_done(&a);
	settings_unref(s);
}

static void rebuild(void *arg)
{
	struct built *b = arg;
	struct certs *c = b->certs;

	for (int fd = b->fd; fd >= 0;) {
		publish(c, build(c, fd, b->tag));
		close(fd);
		tell_evidence(c);
		prove(c, true);
		predict(c);
		pthread_mutex_lock(&c->lock);
		fd = c->waiting;
		b->tag = c->waiting_tag;
		c->waiting = -1;
		c->building = fd >= 0;
		pthread_mutex_unlock(&c->lock);
	}
	mem_free(b);
}

static void check(void *arg)
{
	struct certs *c = arg;
	struct built *b;
	uint32_t tag;
	int fd;

	look_at_dates(c);
	tell_evidence(c);
	prove(c, false);
	pthread_mutex_lock(&c->lock);
	fd = c->waiting;
	tag = c->waiting_tag;
	c->waiting = -1;
	c->building = fd >= 0;
	pthread_mutex_unlock(&c->lock);
	if (fd < 0)
		return;
	b = mem_new(struct built);
	*b = (struct built){ c, fd, tag };
	rebuild(b);
}

void certs_take(struct certs *c, int fd, uint32_t tag)
{
	struct built *b;
	bool later;

	pthread_mutex_lock(&c->lock);
	later = c->building;
	if (later && c->waiting >= 0)
		close(c->waiting);
	if (later) {
		c->waiting = fd;
		c->waiting_tag = tag;
	}
	c->building = true;
	pthread_mutex_unlock(&c->lock);
	if (later)
		return;
	b = mem_new(struct built);
	*b = (struct built){ c, fd, tag };
	must(helper_post(rebuild, b) == 0);
}

void certs_check(struct certs *c)
{
	bool busy;

	pthread_mutex_lock(&c->lock);
	busy = c->building;
	c->building = true;
	pthread_mutex_unlock(&c->lock);
	if (!busy)
		must(helper_post(check, c) == 0);
}

static void no_report(void *arg, const struct fault *f)
{
	(void)arg;
	(void)f;
}

/* The worker before told of its faults; those that are still there come with the new files. */
static void begin_with_served(struct certs *c, int served)
{
	struct tls_files *files = unpack(served);

	c->set = tls_set_build(files, &set_settings, NULL, no_report, NULL);
	c->served = fcntl(served, F_DUPFD_CLOEXEC, 0);
	tls_files_free(files);
}

void certs_init(struct certs *c, struct worker *w)
{
	const struct birth *b = w->birth;

	*c = (struct certs){ .worker = w, .waiting = -1, .served = -1 };
	pthread_mutex_init(&c->lock, NULL);
	if (b->served >= 0 && !memfd_same(b->served, b->certs))
		begin_with_served(c, b->served);
	publish(c, build(c, b->certs, b->certs_tag));
}

void certs_done(struct certs *c)
{
	if (c->waiting >= 0)
		close(c->waiting);
	if (c->served >= 0)
		close(c->served);
	tls_set_unref(c->set);
	report_done(&c->faults);
	report_done(&c->notes);
	report_done(&c->dates);
	report_done(&c->proof);
	pthread_mutex_destroy(&c->lock);
}

/* ---- what is said of them ---- */

static void pair_json(struct jsonw *j, const struct tls_pair *p)
{
	struct buf hex = BUF_INIT(64);

	buf_add_hex(&hex, p->fingerprint, sizeof(p->fingerprint));
	jsonw_object(j, NULL);
	jsonw_text(j, "certificate", p->cert_path);
	jsonw_text(j, "key", p->key_path);
	jsonw_array(j, "names");
	for (unsigned i = 0; i < p->names_n; i++)
		jsonw_span(j, NULL, p->names[i]);
	jsonw_end(j);
	jsonw_text(j, "type", tls_key_type_text(p->type));
	jsonw_uint(j, "bits", p->bits);
	jsonw_int(j, "not_before", p->not_before);
	jsonw_int(j, "not_after", p->not_after);
	jsonw_span(j, "sha256", buf_span(&hex));
	jsonw_text(j, "issuer", p->issuer);
	jsonw_bool(j, "self_signed", p->self_signed);
	jsonw_bool(j, "staple", p->has_staple);
	jsonw_bool(j, "kept", p->kept);
	jsonw_end(j);
	buf_done(&hex);
}

void certs_json(struct certs *c, struct jsonw *j)
{
	pthread_mutex_lock(&c->lock);
	jsonw_object(j, "certificates");
	jsonw_int(j, "since", c->since);
	jsonw_int(j, "proved_at", c->proved_at);
	jsonw_bool(j, "proved", c->proved_at >= c->since && c->proof.n == 0);
	jsonw_array(j, "pairs");
	for (unsigned i = 0; i < tls_set_count(c->set); i++)
		pair_json(j, tls_set_pair(c->set, i));
	jsonw_end(j);
	jsonw_end(j);
	pthread_mutex_unlock(&c->lock);
}

void certs_report(struct certs *c, struct report *r)
{
	const struct report *all[] = { &c->faults, &c->notes, &c->dates, &c->proof };

	pthread_mutex_lock(&c->lock);
	for (unsigned k = 0; k < array_len(all); k++)
		for (unsigned i = 0; i < all[k]->n; i++)
			report_add(r, &all[k]->v[i]);
	pthread_mutex_unlock(&c->lock);
}
