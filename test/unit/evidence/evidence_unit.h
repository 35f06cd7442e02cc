/* A store in a folder of its own, evidence that is written to it, and short words for what the
 * tests tell it. */
#pragma once
#include "../store/store_unit.h"
#include "evidence/evidence_priv.h"

#define NOW 1795600000 /* 2026-11-25 09:46:40 UTC */

static struct writer *writer;
static struct evidence *evidence;
static struct net_addr addresses[8];

/* One of a few that the tests name by their texts; valid until eight others were named. */
static inline const struct net_addr *address(const char *text)
{
	static unsigned next;
	struct net_addr *a = &addresses[next++ % 8];

	assert_int_equal(net_addr_parse(span_of(text), 25, a), 0);
	return a;
}

static inline struct evidence_peer peer(const char *addr, const char *helo)
{
	return (struct evidence_peer){ address(addr), span_of(helo) };
}

static inline void start_evidence(void)
{
	writer = writer_new(url);
	evidence = evidence_new(writer);
	writer_start(writer);
}

static inline void stop_evidence(void)
{
	if (writer)
		writer_stop(writer);
	evidence = evidence_free(evidence);
	writer = writer_free(writer);
}

static inline int make_evidence(void **state)
{
	struct store *s;

	if (make_folder(state) < 0)
		return -1;
	s = open_store(true);
	store_close(s);
	start_evidence();
	return s ? 0 : -1;
}

static inline int remove_evidence(void **state)
{
	stop_evidence();
	return remove_folder(state);
}

/* Writes what was told, and begins anew as the next worker would. */
static inline void restart(void)
{
	stop_evidence();
	start_evidence();
}

/* Until the thread has read what there is. */
static inline void wait_until_loaded(void)
{
	for (int i = 0; i < 2000; i++) {
		bool ready;

		pthread_mutex_lock(&evidence->lock);
		ready = evidence->recent_n > 0 || evidence->graces.count > 0;
		pthread_mutex_unlock(&evidence->lock);
		if (ready)
			return;
		usleep(5000);
	}
	fail_msg("nothing was read");
}

static inline void fail_handshake(const char *addr, const char *helo, enum fault_code code, struct span hello,
	int64_t now)
{
	struct tls_explanation *why = mem_new(struct tls_explanation);
	struct evidence_peer p = peer(addr, helo);

	why->causes_n = 1;
	fault_set(&why->causes[0], code);
	fault_fact(&why->causes[0], "suites", "14");
	why->proven = code == FAULT_TLS_NO_RSA_CERT;
	why->suite = "ECDHE-RSA-AES256-GCM-SHA384";
	evidence_failed(evidence, &p, why, hello, now);
	mem_free(why);
}

static inline void shake_hands(const char *addr, const char *helo, struct span hello, int64_t now)
{
	const struct tls_info tls = { "TLSv1.3", "TLS_AES_256_GCM_SHA384", .key = TLS_KEY_RSA };
	struct evidence_peer p = peer(addr, helo);

	evidence_handshake(evidence, &p, &tls, hello, now);
}

static inline void deliver_from(struct evidence_peer from, const char *version, enum domain_tls policy, int64_t now)
{
	const struct evidence_mail m = { .peer = from,
		.domain = SPAN("a.example"),
		.sender = SPAN("s@b.example"),
		.recipient = SPAN("r@a.example"),
		.recipients = 2,
		.bytes = 1000,
		.version = version,
		.suite = version ? "TLS_AES_256_GCM_SHA384" : NULL,
		.hop = "TLSv1.2",
		.policy = policy,
		.verdict = EVIDENCE_DELIVERED,
		.at = now };

	evidence_mail(evidence, &m);
}

static inline void deliver(const char *addr, const char *helo, const char *version, enum domain_tls policy, int64_t now)
{
	deliver_from(peer(addr, helo), version, policy, now);
}

/* ---- what the store says ---- */

static inline int print_peer(void *arg, const struct store_peer *p)
{
	buf_addf(arg, "%.*s %.*s %.*s tls=%u failed=%u refused=%u mails=%u clear=%u %.*s %.*s at=%d..%d",
		SPAN_ARG(p->network), SPAN_ARG(p->helo), SPAN_ARG(p->address), (unsigned)p->handshakes,
		(unsigned)p->failures, (unsigned)p->refusals, (unsigned)p->mails, (unsigned)p->mails_clear,
		SPAN_ARG(p->version), SPAN_ARG(p->key), (int)(p->first_at - NOW), (int)(p->last_at - NOW));
	if (p->failed_at)
		buf_addf(arg, " [%d %.*s proof=%.*s]", (int)(p->failed_at - NOW), (int)span_index(p->fault, '\n'),
			p->fault.p, SPAN_ARG(p->proof));
	buf_add_char(arg, '\n');
	return 0;
}

static inline int print_hello(void *arg, const struct store_peer *p, const struct store_hello *h)
{
	buf_addf(arg, "%.*s %u bytes ok=%u failed=%u at=%d..%d\n", SPAN_ARG(p->helo), (unsigned)h->bytes.n,
		(unsigned)h->succeeded, (unsigned)h->failed, (int)(h->first_at - NOW), (int)(h->last_at - NOW));
	return 0;
}

static inline int print_failure(void *arg, const struct store_failure *f)
{
	buf_addf(arg, "%.*s %.*s %.*s %u times at=%d..%d proof=%.*s\n", SPAN_ARG(f->network), SPAN_ARG(f->helo),
		SPAN_ARG(f->code), (unsigned)f->times, (int)(f->first_at - NOW), (int)(f->last_at - NOW),
		SPAN_ARG(f->proof));
	return 0;
}

static inline int print_refusal(void *arg, const struct store_refusal *f)
{
	buf_addf(arg, "%.*s: %.*s <%.*s> to <%.*s> %u times at=%d..%d code=%.*s earlier=%.*s\n", SPAN_ARG(f->domain),
		SPAN_ARG(f->helo), SPAN_ARG(f->sender), SPAN_ARG(f->recipient), (unsigned)f->times,
		(int)(f->first_at - NOW), (int)(f->last_at - NOW), SPAN_ARG(f->code), SPAN_ARG(f->earlier));
	return 0;
}

static inline int print_mail(void *arg, const struct store_mail *m)
{
	buf_addf(arg, "%d %.*s %.*s hop=%.*s %.*s: %u mails, %u recipients, %u bytes\n", (int)(m->day - NOW / 86400),
		SPAN_ARG(m->version), SPAN_ARG(m->suite), SPAN_ARG(m->hop), SPAN_ARG(m->verdict), (unsigned)m->mails,
		(unsigned)m->recipients, (unsigned)m->bytes);
	return 0;
}

enum table { PEERS, FAILED_PEERS, HELLOS, FAILURES, REFUSALS, MAILS };

static inline int read_table(struct store *s, enum table table, struct buf *out)
{
	switch (table) {
	case PEERS:
		return store_peer_each(s, false, print_peer, out, &fault);
	case FAILED_PEERS:
		return store_peer_each(s, true, print_peer, out, &fault);
	case HELLOS:
		return store_hello_each(s, print_hello, out, &fault);
	case FAILURES:
		return store_failure_each(s, 0, INT64_MAX, print_failure, out, &fault);
	case REFUSALS:
		return store_refusal_each(s, SPAN("a.example"), 0, INT64_MAX, print_refusal, out, &fault);
	case MAILS:
		return store_mail_each(s, SPAN("a.example"), 0, 1 << 20, print_mail, out, &fault);
	}
	return -EINVAL;
}

/* What is in the store now, a row a line. Good until the next call. */
static inline const char *rows(enum table table)
{
	static char text[1 << 17];
	struct buf out = BUF_INIT(sizeof(text) - 1);
	struct store *s = open_store(false);
	int r = s ? read_table(s, table, &out) : -ENOENT;

	store_close(s);
	snprintf(text, sizeof(text), "%s", r < 0 ? fault_code_text(fault.code) : buf_text(&out));
	buf_done(&out);
	return text;
}

/* The same once everything told so far is written. */
static inline const char *written(enum table table)
{
	restart();
	return rows(table);
}
