/*
 * What the mail edge keeps, in SQLite: for each kind of evidence, whose record is in evidence.c, an
 * addition, which is an upsert that adds counts, and a reading. The statements are in
 * sqlite_query.c, the tables in sqlite_schema.c.
 */
#include "base/mem.h"
#include "store/sqlite_priv.h"

#define DAY_S 86400

static struct sqlite *of(struct store *s)
{
	return container_of(s, struct sqlite, store);
}

/* Makes a statement ready to be bound. */
static int prepare(struct store *s, enum sqlite_query which, sqlite3_stmt **ret, struct fault *fault)
{
	int r = sqlite_ready(of(s), fault);

	return r < 0 ? r : sqlite_query(of(s), which, ret, fault);
}

/* ---- additions ---- */

static int add(struct store *s, enum sqlite_query which, const struct record *record, const void *from,
	struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = prepare(s, which, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind_record(stmt, record, from);
	return sqlite_change(of(s), stmt, fault);
}

/* The same, with the number that the row got. */
static int add_returning(struct store *s, enum sqlite_query which, const struct record *record, const void *from,
	int64_t *ret_id, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = prepare(s, which, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind_record(stmt, record, from);
	return sqlite_numbers(of(s), stmt, ret_id, 1, fault);
}

static int hello_add(struct store *s, int64_t peer, const struct store_hello *h, struct fault *fault)
{
	int64_t id = 0;
	int r = add_returning(s, Q_HELLO_ADD, &store_hello_record, h, &id, fault);

	if (r < 0)
		return r;
	of(s)->large_hello |= h->bytes.n > STORE_HELLOS_BYTES / STORE_HELLOS_MAX;
	return sqlite_run(of(s), Q_PEER_HELLO_ADD, fault, "iiiiii", peer, id, (int64_t)h->succeeded, (int64_t)h->failed,
		h->first_at, h->last_at);
}

static int peer_add(struct store *s, const struct store_peer *p, const struct store_hello *hellos, unsigned n,
	struct fault *fault)
{
	struct sqlite *q = of(s);
	int64_t id = 0;
	int r = add_returning(s, Q_PEER_ADD, &store_peer_record, p, &id, fault);

	if (r == 0 && p->mails > 0)
		r = sqlite_run(q, Q_PEER_DAY_ADD, fault, "iii", id, p->last_at / DAY_S, (int64_t)p->mails);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = hello_add(s, id, &hellos[i], fault);
	if (r == 0 && n > 0)
		r = sqlite_run(q, Q_PEER_HELLO_TRIM, fault, "ii", id, (int64_t)STORE_PEER_HELLOS);
	if (r == 0)
		r = sqlite_run(q, Q_PEER_TRIM_NETWORK, fault, "ti", p->network, (int64_t)STORE_PEERS_PER_NETWORK);
	return r;
}

/* Has a network room in this hour for a row, or has it the row already? which: counts its rows, and
 * whether this is one. */
static int has_room(struct store *s, enum sqlite_query which, const struct record *record, const void *from, bool *ret,
	struct fault *fault)
{
	int64_t v[2] = { 0 };
	sqlite3_stmt *stmt;
	int r = prepare(s, which, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind_record(stmt, record, from);
	r = sqlite_numbers(of(s), stmt, v, 2, fault);
	*ret = v[0] < STORE_ROWS_PER_HOUR || v[1] != 0;
	return r;
}

static int failure_add(struct store *s, const struct store_failure *f, struct fault *fault)
{
	struct store_failure row = *f;
	bool room = true;
	int r = has_room(s, Q_FAILURE_ROOM, &store_failure_record, f, &room, fault);

	if (!room)
		row.helo = SPAN("*");
	return r < 0 ? r : add(s, Q_FAILURE_ADD, &store_failure_record, &row, fault);
}

static int refusal_add(struct store *s, const struct store_refusal *f, struct fault *fault)
{
	struct store_refusal row = *f;
	bool room = true;
	int r = has_room(s, Q_REFUSAL_ROOM, &store_refusal_record, f, &room, fault);

	if (!room)
		row.helo = row.sender = row.recipient = SPAN("*");
	return r < 0 ? r : add(s, Q_REFUSAL_ADD, &store_refusal_record, &row, fault);
}

static int mail_add(struct store *s, const struct store_mail *m, struct fault *fault)
{
	return add(s, Q_MAIL_ADD, &store_mail_record, m, fault);
}

static int grace_put(struct store *s, const struct store_grace *g, struct fault *fault)
{
	return add(s, g->first_at != 0 ? Q_GRACE_PUT : Q_GRACE_REMOVE, &store_grace_record, g, fault);
}

static int certificate_add(struct store *s, const struct store_certificate *c, struct fault *fault)
{
	return add(s, Q_CERTIFICATE_ADD, &store_certificate_record, c, fault);
}

/* ---- bounds and ages ---- */

static int trim(struct store *s, struct fault *fault)
{
	static const struct {
		enum sqlite_query which;
		int64_t most;
	} bounds[] = {
		{ Q_PEER_TRIM, STORE_PEERS_MAX },
		{ Q_HELLO_TRIM, STORE_HELLOS_MAX },
		{ Q_FAILURE_TRIM, STORE_ROWS_MAX },
		{ Q_REFUSAL_TRIM, STORE_ROWS_MAX },
		{ Q_GRACE_TRIM, STORE_GRACES_MAX },
		{ Q_CERTIFICATE_TRIM, STORE_CERTIFICATES_MAX },
	};
	struct sqlite *q = of(s);
	int r = sqlite_ready(q, fault);

	for (size_t i = 0; r == 0 && i < array_len(bounds); i++)
		r = sqlite_run(q, bounds[i].which, fault, "i", bounds[i].most);
	/* As long as none is larger than its share, their number bounds their bytes, too. */
	if (r == 0 && q->large_hello)
		r = sqlite_run(q, Q_HELLO_TRIM_BYTES, fault, "i", (int64_t)STORE_HELLOS_BYTES);
	if (r == 0)
		q->large_hello = false;
	return r;
}

static int expire(struct store *s, int64_t now, uint64_t *ret_rows, struct fault *fault)
{
	const struct {
		enum sqlite_query which;
		int64_t before;
	} ages[] = {
		{ Q_PEER_EXPIRE, now - (int64_t)STORE_COUNTS_DAYS * DAY_S },
		{ Q_PEER_DAY_EXPIRE, now / DAY_S - STORE_RECENT_DAYS },
		{ Q_FAILURE_EXPIRE, now - (int64_t)STORE_ROWS_DAYS * DAY_S },
		{ Q_REFUSAL_EXPIRE, now - (int64_t)STORE_ROWS_DAYS * DAY_S },
		{ Q_MAIL_EXPIRE, now / DAY_S - STORE_COUNTS_DAYS },
		{ Q_CERTIFICATE_EXPIRE, now - (int64_t)STORE_COUNTS_DAYS * DAY_S },
		{ Q_GRACE_EXPIRE, now - (int64_t)STORE_GRACE_DAYS * DAY_S },
		{ Q_HELLO_EXPIRE, 0 }, /* whose last peer went */
	};
	struct sqlite *q = of(s);
	int r = sqlite_ready(q, fault);

	*ret_rows = 0;
	for (size_t i = 0; r == 0 && i < array_len(ages); i++) {
		r = sqlite_run(q, ages[i].which, fault, "ii", ages[i].before, (int64_t)STORE_EXPIRE_BATCH);
		if (r == 0)
			*ret_rows += (uint64_t)sqlite3_changes64(q->db);
	}
	return r;
}

/* ---- reading ---- */

/* Where rows go; one of fn. */
struct reader {
	union {
		store_peer_fn *peer;
		store_hello_fn *hello;
		store_failure_fn *failure;
		store_refusal_fn *refusal;
		store_mail_fn *mail;
		store_grace_fn *grace;
		store_certificate_fn *certificate;
	} fn;
	void *arg;
};

/* Gives the rows of a statement to row, which makes structs of them. kinds: of the parameters, as
 * in sqlite_bind(). */
static int each(struct store *s, enum sqlite_query which, sqlite_row_fn *row, const struct reader *to,
	struct fault *fault, const char *kinds, ...)
{
	sqlite3_stmt *stmt;
	int r = prepare(s, which, &stmt, fault);
	va_list ap;

	if (r < 0)
		return r;
	va_start(ap, kinds);
	sqlite_vbind(stmt, kinds, ap);
	va_end(ap);
	return sqlite_each(of(s), stmt, row, to, fault);
}

/* KIND_row() makes a struct store_KIND of a row and gives it to the reader. */
#define ROW(kind) \
	static int kind##_row(const void *arg, sqlite3_stmt *row) \
	{ \
		const struct reader *to = arg; \
		struct store_##kind one = { 0 }; \
\
		sqlite_read_record(row, 0, &store_##kind##_record, &one); \
		return to->fn.kind(to->arg, &one); \
	}
ROW(peer)
ROW(failure)
ROW(refusal)
ROW(mail)
ROW(grace)
ROW(certificate)
#undef ROW

static int peer_each(struct store *s, bool failed, store_peer_fn *fn, void *arg, struct fault *fault)
{
	return each(s, failed ? Q_PEERS_FAILED : Q_PEERS, peer_row, &(struct reader){ .fn.peer = fn, .arg = arg },
		fault, "");
}

/* The columns of a peer, then those of its hello. */
static int hello_row(const void *arg, sqlite3_stmt *row)
{
	const struct reader *to = arg;
	struct store_peer p = { 0 };
	struct store_hello h = { 0 };

	sqlite_read_record(row, 0, &store_peer_record, &p);
	sqlite_read_record(row, store_peer_record.count, &store_hello_record, &h);
	return to->fn.hello(to->arg, &p, &h);
}

static int hello_each(struct store *s, store_hello_fn *fn, void *arg, struct fault *fault)
{
	return each(s, Q_PEER_HELLOS, hello_row, &(struct reader){ .fn.hello = fn, .arg = arg }, fault, "");
}

static int failure_each(struct store *s, int64_t from, int64_t to, store_failure_fn *fn, void *arg, struct fault *fault)
{
	return each(s, Q_FAILURES, failure_row, &(struct reader){ .fn.failure = fn, .arg = arg }, fault, "ii", from,
		to);
}

static int refusal_each(struct store *s, struct span domain, int64_t from, int64_t to, store_refusal_fn *fn, void *arg,
	struct fault *fault)
{
	return each(s, Q_REFUSALS, refusal_row, &(struct reader){ .fn.refusal = fn, .arg = arg }, fault, "tii", domain,
		from, to);
}

static int mail_each(struct store *s, struct span domain, int64_t first, int64_t last, store_mail_fn *fn, void *arg,
	struct fault *fault)
{
	return each(s, Q_MAILS, mail_row, &(struct reader){ .fn.mail = fn, .arg = arg }, fault, "tii", domain, first,
		last);
}

static int grace_each(struct store *s, store_grace_fn *fn, void *arg, struct fault *fault)
{
	return each(s, Q_GRACES, grace_row, &(struct reader){ .fn.grace = fn, .arg = arg }, fault, "");
}

static int certificate_each(struct store *s, struct span name, int64_t from, int64_t to, store_certificate_fn *fn,
	void *arg, struct fault *fault)
{
	return each(s, Q_CERTIFICATES, certificate_row, &(struct reader){ .fn.certificate = fn, .arg = arg }, fault,
		"tii", name, from, to);
}

static int since(struct store *s, int64_t *ret, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_EVIDENCE_SINCE, &stmt, fault);

	return r < 0 ? r : sqlite_numbers(of(s), stmt, ret, 1, fault);
}

const struct store_evidence_engine sqlite_evidence = {
	.peer_add = peer_add,
	.failure_add = failure_add,
	.refusal_add = refusal_add,
	.mail_add = mail_add,
	.grace_put = grace_put,
	.certificate_add = certificate_add,
	.trim = trim,
	.expire = expire,
	.peer_each = peer_each,
	.hello_each = hello_each,
	.failure_each = failure_each,
	.refusal_each = refusal_each,
	.mail_each = mail_each,
	.certificate_each = certificate_each,
	.grace_each = grace_each,
	.since = since,
};
