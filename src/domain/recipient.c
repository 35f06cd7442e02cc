/*
 * What a domain's mail has beside its web: the backend's address, and recipients with an encryption
 * of their own.
 *
 * Addresses are compared without regard to the case of ASCII letters, also before the @ (RFC 5321
 * 2.4 would let Anna and anna be two people): what is required for anna must not be had for ANNA.
 * Local parts in quotes have no exceptions of their own; theirs is the domain's level.
 */
#include <errno.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "domain/domain_priv.h"

#define LOCAL_MAX 64 /* RFC 5321 4.5.3.1.1 */
#define MAIL_PORT 25
#define DAY_S     86400

static const char *const levels[] = { "off", "report", "require" };

const char *domain_tls_text(enum domain_tls t)
{
	return levels[t];
}

const char *domain_mail_tls_text(enum domain_mail_tls t)
{
	static const char *const texts[] = { "off", "opportunistic", "required", "verified" };

	return texts[t];
}

/* ---- the backend ---- */

static const char *parse_mail(struct span text, struct domain_mail *ret)
{
	struct origin_spec spec = { .port = MAIL_PORT };
	const char *why;

	if (span_find(text, SPAN("//")) >= 0)
		return "a mail server has no scheme before its name|vor dem Namen eines Mailservers steht kein Schema";
	why = origin_authority_parse(text, &spec);
	ret->host = spec.host;
	ret->port = spec.port;
	return why;
}

int domain_mail_parse(struct span text, struct domain_mail *ret, const char **ret_why)
{
	*ret = (struct domain_mail){ 0 };
	*ret_why = parse_mail(text, ret);
	return *ret_why ? -EINVAL : 0;
}

/* ---- recipients ---- */

/* atext of RFC 5322 3.2.3 and RFC 6531 3.3, and the dots between. */
static const char *judge_local(struct span local)
{
	if (local.n == 0 || local.n > LOCAL_MAX)
		return "the part before its @ has 1 to 64 bytes|der Teil vor dem @ hat 1 bis 64 Bytes";
	for (size_t i = 0; i < local.n; i++) {
		size_t n = span_utf8(span_from(local, i));
		char c = local.p[i];

		if (n == 0)
			return "it is not UTF-8|sie ist nicht UTF-8";
		if (n == 1 && (c <= ' ' || c == 0x7f || span_index(SPAN("\"(),:;<>@[\\]"), c) >= 0))
			return "before its @ stand letters, digits and signs such as . + - _ only, no quotes and no blanks|"
			       "vor dem @ stehen nur Buchstaben, Ziffern und Zeichen wie . + - _, keine Anführungs- und "
			       "Leerzeichen";
		i += n - 1;
	}
	return NULL;
}

static const char *normalise_address(struct span text, struct arena *a, struct span *ret, struct span *ret_domain)
{
	ptrdiff_t at = span_index(text, '@');
	char domain[NAME_MAX_BYTES + 2], *p;
	struct span local = span_sub(text, 0, at < 0 ? 0 : (size_t)at);
	const char *why;
	size_t n;

	if (at < 0)
		return "it is no address: the @ is missing|es ist keine Adresse: Das @ fehlt";
	why = judge_local(local);
	if (!why)
		why = name_normalise(span_from(text, (size_t)at + 1), false, domain, &n);
	if (why)
		return why;
	p = arena_alloc(a, local.n + 1 + n);
	for (size_t i = 0; i < local.n; i++)
		p[i] = ascii_lower(local.p[i]);
	p[local.n] = '@';
	memcpy(p + local.n + 1, domain, n);
	*ret = span_make(p, local.n + 1 + n);
	*ret_domain = span_from(*ret, local.n + 1);
	return NULL;
}

int domain_address_normalise(struct span text, struct arena *a, struct span *ret, struct span *ret_domain,
	const char **ret_why)
{
	*ret_why = normalise_address(text, a, ret, ret_domain);
	return *ret_why ? -EINVAL : 0;
}

static const char *parse_level(struct span word, enum domain_tls *ret)
{
	for (unsigned i = 0; i < array_len(levels); i++)
		if (span_eq(word, span_of(levels[i]))) {
			*ret = (enum domain_tls)i;
			return NULL;
		}
	return "after the address stands off, report or require|nach der Adresse steht off, report oder require";
}

/* A day: the hour would depend on where the text is written. */
static const char *parse_day(struct span text, int64_t *ret)
{
	if (text.n != 10 || clock_parse_rfc3339(text, ret) < 0 || *ret <= 0)
		return "its date is not of the form YYYY-MM-DD|das Datum hat nicht die Form JJJJ-MM-TT";
	return NULL;
}

static const char *parse_word(struct span word, struct domain_recipient *r)
{
	if (span_starts(word, SPAN("by=")) && r->by.n == 0) {
		r->by = span_from(word, 3);
		if (r->by.n == 0 || r->by.n > DOMAIN_BY_MAX)
			return "who set it has 1 to 32 bytes|wer es setzte, hat 1 bis 32 Bytes";
		for (size_t i = 0, n; i < r->by.n; i += n) {
			n = span_utf8(span_from(r->by, i));
			if (n == 0 || (unsigned char)r->by.p[i] <= ' ' || r->by.p[i] == 0x7f)
				return "who set it is text without blanks|wer es setzte, ist Text ohne Leerzeichen";
		}
		return NULL;
	}
	if (span_starts(word, SPAN("at=")) && r->at == 0)
		return parse_day(span_from(word, 3), &r->at);
	if (span_starts(word, SPAN("until=")) && r->until == 0)
		return parse_day(span_from(word, 6), &r->until);
	return "only by=WHO, at=YYYY-MM-DD and until=YYYY-MM-DD may follow, each once|"
	       "danach können nur by=WER, at=JJJJ-MM-TT und until=JJJJ-MM-TT stehen, jedes einmal";
}

static const char *parse_recipient(struct span text, struct arena *a, struct domain_recipient *ret)
{
	struct span rest = span_trim(text), word = { 0 }, domain;
	const char *why;

	span_cut(&rest, ' ', &word);
	why = normalise_address(word, a, &ret->address, &domain);
	word = (struct span){ 0 };
	rest = span_trim(rest);
	span_cut(&rest, ' ', &word);
	if (!why)
		why = parse_level(word, &ret->tls);
	while (!why && span_cut(&rest, ' ', &word))
		if (word.n > 0)
			why = parse_word(word, ret);
	return why;
}

int domain_recipient_parse(struct span text, struct arena *a, struct domain_recipient *ret, const char **ret_why)
{
	*ret = (struct domain_recipient){ 0 };
	*ret_why = parse_recipient(text, a, ret);
	return *ret_why ? -EINVAL : 0;
}

static void print_day(const char *name, int64_t day, struct buf *out)
{
	struct tm tm;
	time_t t = day;

	if (day > 0 && gmtime_r(&t, &tm))
		buf_addf(out, " %s=%04d-%02d-%02d", name, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

bool domain_recipient_holds(const struct domain_recipient *r, int64_t now)
{
	return r->until == 0 || now < r->until + DAY_S;
}

void domain_recipient_print(const struct domain_recipient *r, struct buf *out)
{
	buf_addf(out, "%.*s %s", SPAN_ARG(r->address), levels[r->tls]);
	if (r->by.n > 0)
		buf_addf(out, " by=%.*s", SPAN_ARG(r->by));
	print_day("at", r->at, out);
	print_day("until", r->until, out);
}

/* Like memcmp() of the address and the mailbox in lower case; a shorter prefix first. */
static int compare(struct span mailbox, struct span address)
{
	for (size_t i = 0; i < mailbox.n && i < address.n; i++) {
		unsigned char m = (unsigned char)ascii_lower(mailbox.p[i]), c = (unsigned char)address.p[i];

		if (m != c)
			return m < c ? -1 : 1;
	}
	return mailbox.n == address.n ? 0 : mailbox.n < address.n ? -1 : 1;
}

static const struct domain_recipient *search(const struct domain *d, struct span mailbox)
{
	unsigned low = 0, high = d->recipient_n;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int order = compare(mailbox, d->recipient[middle].address);

		if (order == 0)
			return &d->recipient[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct domain_recipient *find_local(const struct domain *d, struct span local)
{
	char own[LOCAL_MAX + 1 + NAME_MAX_BYTES];

	if (d->recipient_n == 0 || local.n > LOCAL_MAX)
		return NULL;
	memcpy(own, local.p, local.n);
	own[local.n] = '@';
	memcpy(own + local.n + 1, d->name.p, d->name.n);
	return search(d, span_make(own, local.n + 1 + d->name.n));
}

/* The domain may be written in another form (U-labels): it is d, as the caller knows. */
const struct domain_recipient *domain_find_recipient(const struct domain *d, struct span mailbox)
{
	ptrdiff_t at = span_index(mailbox, '@');

	return at > 0 ? find_local(d, span_sub(mailbox, 0, (size_t)at)) : NULL;
}

enum domain_tls domain_tls_of(const struct domain *d, struct span mailbox, int64_t now)
{
	ptrdiff_t at = span_index(mailbox, '@'), plus;
	/* <postmaster> has no domain */
	struct span local = span_sub(mailbox, 0, at < 0 ? mailbox.n : (size_t)at);
	const struct domain_recipient *own = find_local(d, local), *person;

	plus = span_index(local, '+');
	person = plus > 0 ? find_local(d, span_sub(local, 0, (size_t)plus)) : NULL;
	if (own && domain_recipient_holds(own, now))
		return own->tls;
	return person && domain_recipient_holds(person, now) && person->tls > d->tls ? person->tls : d->tls;
}
