/* Results that are kept: lines and back, what holds for whom, the file and its accidents; lists of
 * those who are not asked. */
#include "../tls/maker.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "survey/scan.h"

#define MX "mx.example.net"

static struct arena arena;
static struct folder folder;
static char path[128];
static struct probe_settings settings, quick;
static struct scan_cache *cache;
static struct fault fault;

static int set_up(void **state)
{
	settings = (struct probe_settings){ .smtp = true, .helo = "probe.example.net", .answer_ms = 30000 };
	quick = settings;
	quick.quick = true;
	arena_init(&arena, 1 << 16);
	folder = folder_make();
	snprintf(path, sizeof(path), "%s/deep/er/tls-scan", folder.path);
	cache = scan_cache_new(path, clock_wall_s(), &fault);
	assert_int_equal(fault.code, FAULT_NONE);
	return 0;
}

static int tear_down(void **state)
{
	cache = scan_cache_free(cache);
	folder_remove(&folder);
	arena_done(&arena);
	return 0;
}

static struct probe probe_of(const char *host, const char *address, const struct probe_settings *s)
{
	struct probe p = { .settings = s, .host = arena_span(&arena, span_of(host)), .arena = &arena };

	assert_int_equal(net_addr_parse_host(span_of(address), &p.addr), 0);
	net_addr_set_port(&p.addr, 25);
	return p;
}

static struct span der_of(X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	struct span copy = arena_span(&arena, span_make(der, (size_t)n));

	OPENSSL_free(der);
	return copy;
}

static void add_cert(struct probe *p, const struct made *made)
{
	struct span chain[] = { der_of(made->x) };

	p->certs[p->certs_n++] = probe_cert_read(chain, 1, p->host, NULL, clock_wall_s(), &arena);
}

/* A result with something in every corner. */
static struct probe full_probe(void)
{
	struct made made = make(&(struct recipe){ .san = "DNS:" MX, .until_s = 20 * DAY });
	struct probe p = probe_of(MX, "192.0.2.1", &settings);

	p.versions[PROBE_TLS12] = p.versions[PROBE_TLS13] = PROBE_YES;
	p.versions[PROBE_TLS10] = PROBE_NO;
	offer_suites(&p.suites);
	offer_suites_13(&p.suites_13);
	offer_groups(&p.groups);
	offer_signatures(&p.signatures);
	p.suites.v[0] = 0xfefe; /* nobody knows it */
	p.groups.v[0] = 0xfefd;
	p.signatures.v[0] = 0xfefc;
	p.full = p.ordered = p.session = p.compression = p.no_secure_renegotiation = true;
	p.dh_bits = 1024;
	p.obsolete = PROBE_NO;
	p.connections = 43;
	p.said = SPAN("250 \x1b[2J fine");
	p.session_version = "TLSv1.3";
	p.session_suite = "TLS_AES_256_GCM_SHA384";
	p.session_group = "x25519";
	p.session_fault = arena_new(&arena, struct fault);
	fault_set(p.session_fault, FAULT_TLS_DH_TOO_SMALL);
	fault_fact(p.session_fault, "place", MX);
	add_cert(&p, &made);
	return p;
}

static void assert_offer(const struct offer *a, const struct offer *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->v, b->v, a->n * sizeof(a->v[0]));
}

static const char *json_of(const struct probe *p)
{
	struct buf out = BUF_INIT(1 << 20);
	struct jsonw j;
	char *text;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	probe_json(&j, p, 7);
	jsonw_end(&j);
	text = arena_text(&arena, buf_span(&out));
	buf_done(&out);
	return text;
}

/* ---- lines ---- */

static void test_a_line_and_back(void **state)
{
	struct probe was = full_probe(), is = probe_of(MX, "192.0.2.1", &settings);
	struct buf line = BUF_INIT(1 << 20);
	struct scan_kept k;

	scan_kept_write(&was, 1700000000, &line);
	assert_int_equal(scan_kept_read(buf_span(&line), &arena, &k), 0);
	assert_span(k.host, MX);
	assert_span(k.address, "192.0.2.1");
	assert_span(k.helo, "probe.example.net");
	assert_int_equal(k.port, 25);
	assert_int_equal(k.asked_at, 1700000000);
	assert_false(k.quick);
	assert_int_equal(scan_kept_restore(&k, true, clock_wall_s(), &is), 0);
	assert_offer(&is.suites, &was.suites);
	assert_offer(&is.suites_13, &was.suites_13);
	assert_offer(&is.groups, &was.groups);
	assert_offer(&is.signatures, &was.signatures);
	assert_memory_equal(is.versions, was.versions, sizeof(is.versions));
	assert_true(is.compression && is.no_secure_renegotiation && is.session && !is.suite_not_offered);
	assert_int_equal(is.session_fault->code, was.session_fault->code);
	assert_int_equal(is.certs_n, 1);
	assert_span(is.said, "250 \\x1b[2J fine"); /* made safe */
	was.said = is.said;
	assert_string_equal(json_of(&is), json_of(&was));
	buf_done(&line);
}

static void test_lines_that_are_none(void **state)
{
	static const char *const lines[] = {
		"", "{", "[]", "7", "{\"schema\":\"torhaus.tls-scan/1\"}",
		"{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"a\",\"cache\":{}}",
		"{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"a\",\"host\":\"b\",\"cache\":{}}",
		"{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"a\",\"address\":\"b\",\"port\":25,\"verdict\":\"what\",\"cache\":{}}",
		"{\"schema\":\"torhaus.tls-scan/1\",\"host\":7,\"address\":\"b\",\"port\":25,\"verdict\":\"tls\",\"cache\":{}}",
		"{\"schema\":\"torhaus.tls-scan/1\",\"host\":\"a\",\"address\":\"b\",\"port\":-1,\"verdict\":\"tls\",\"cache\":{}}"
	};
	struct scan_kept k;

	for (size_t i = 0; i < array_len(lines); i++)
		assert_int_equal(scan_kept_read(span_of(lines[i]), &arena, &k), -EINVAL);
}

/* A line whose certificates cannot be read again, or whose lists hold what nobody knows, is no
 * result: "none" would be wrong. */
static void test_half_a_result_is_none(void **state)
{
	static const char *const edits[][2] = { { "\"chains\":[[\"", "\"chains\":[[\"!" },
		{ "\"chains\"", "\"chain_s\"" }, { "\"suites\":[", "\"suites\":[\"NO-SUCH-SUITE\"," },
		{ "\"groups\":[", "\"groups\":[7," }, { "\"signatures\":[", "\"signatures\":{},\"x\":[" } };
	struct probe was = full_probe();
	struct buf line = BUF_INIT(1 << 20);

	scan_kept_write(&was, 1700000000, &line);
	for (size_t i = 0; i < array_len(edits); i++) {
		struct probe is = probe_of(MX, "192.0.2.1", &settings);
		struct buf edited = BUF_INIT(1 << 20);
		ptrdiff_t at = span_find(buf_span(&line), span_of(edits[i][0]));
		struct scan_kept k;

		assert_true(at > 0);
		buf_add_span(&edited, span_sub(buf_span(&line), 0, (size_t)at));
		buf_add_text(&edited, edits[i][1]);
		buf_add_span(&edited, span_from(buf_span(&line), (size_t)at + strlen(edits[i][0])));
		assert_int_equal(scan_kept_read(buf_span(&edited), &arena, &k), 0);
		assert_int_equal(scan_kept_restore(&k, true, clock_wall_s(), &is), -EINVAL);
		assert_int_equal(is.certs_n + is.suites.n + is.versions[PROBE_TLS13], 0);
		buf_done(&edited);
	}
	buf_done(&line);
}

/* ---- what holds for whom ---- */

static bool finds_since(const struct probe *p, int64_t age_s)
{
	struct probe is = probe_of("x", "192.0.2.1", p->settings);
	int64_t asked_at;

	is.host = p->host;
	is.addr = p->addr;
	return scan_cache_find(cache, &is, clock_wall_s() - age_s, &asked_at);
}

static bool finds(const char *host, const char *address, const struct probe_settings *s)
{
	struct probe p = probe_of(host, address, s);

	return finds_since(&p, SCAN_CACHE_AGE_S);
}

static void keep(const struct probe_settings *s, enum probe_verdict verdict)
{
	struct probe p = probe_of(MX, "192.0.2.1", s);

	p.verdict = verdict;
	p.said = SPAN("421 enough");
	scan_cache_add(cache, &p, clock_wall_s());
}

static void test_a_result_is_of_an_address_and_a_name(void **state)
{
	struct probe_settings implicit = settings;
	struct probe other_port = probe_of(MX, "192.0.2.1", &settings);

	keep(&settings, PROBE_TLS);
	assert_true(finds(MX, "192.0.2.1", &settings));
	/* Another name may get another certificate. */
	assert_false(finds("mx2.example.net", "192.0.2.1", &settings));
	assert_false(finds("192.0.2.1", "192.0.2.1", &settings));
	assert_false(finds(MX, "192.0.2.2", &settings));
	net_addr_set_port(&other_port.addr, 26);
	assert_false(finds_since(&other_port, SCAN_CACHE_AGE_S));
	implicit.smtp = false;
	assert_false(finds(MX, "192.0.2.1", &implicit));
}

static void test_depth(void **state)
{
	struct probe_settings other = quick;

	keep(&quick, PROBE_TLS);
	assert_true(finds(MX, "192.0.2.1", &quick));
	assert_false(finds(MX, "192.0.2.1", &settings));
	keep(&settings, PROBE_TLS);
	assert_true(finds(MX, "192.0.2.1", &quick));
	/* Who says EHLO does not matter where TLS was spoken. */
	other.helo = "else.example.net";
	assert_true(finds(MX, "192.0.2.1", &other));
}

static void test_what_is_said_before_the_name(void **state)
{
	static const enum probe_verdict verdicts[] = { PROBE_RATE_LIMITED, PROBE_NOT_OFFERED, PROBE_MASKED,
		PROBE_REFUSED };
	struct probe_settings other = settings;

	other.helo = "else.example.net";
	for (size_t i = 0; i < array_len(verdicts); i++) {
		keep(&quick, verdicts[i]);
		/* For a full scan, too, and for every name there. */
		assert_true(finds(MX, "192.0.2.1", &settings));
		assert_true(finds("mx2.example.net", "192.0.2.1", &settings));
		/* It may have been about the EHLO name. */
		assert_false(finds(MX, "192.0.2.1", &other));
	}
}

static void test_another_name_learns_the_verdict_alone(void **state)
{
	struct probe was = full_probe(), is = probe_of("mx2.example.net", "192.0.2.1", &settings);
	int64_t asked_at;

	was.verdict = PROBE_RATE_LIMITED;
	scan_cache_add(cache, &was, clock_wall_s());
	assert_true(scan_cache_find(cache, &is, 0, &asked_at));
	assert_int_equal(is.verdict, PROBE_RATE_LIMITED);
	assert_int_equal(is.certs_n + is.suites.n + is.versions[PROBE_TLS12], 0);
}

static void test_silence_and_patience(void **state)
{
	struct probe_settings patient = settings;

	keep(&settings, PROBE_SILENT);
	assert_true(finds(MX, "192.0.2.1", &settings));
	patient.answer_ms++;
	assert_false(finds(MX, "192.0.2.1", &patient));
	keep(&settings, PROBE_UNREACHABLE); /* nobody was asked: nothing new is known */
	assert_true(finds(MX, "192.0.2.1", &settings));
}

static void test_age(void **state)
{
	struct probe p = probe_of(MX, "192.0.2.1", &settings);
	int64_t now = clock_wall_s();

	scan_cache_add(cache, &p, now - 7200);
	assert_true(finds_since(&p, 7300));
	assert_false(finds_since(&p, 7100));
	assert_false(finds_since(&p, 0));
}

/* Days left are counted from today, names compared with the name of today's question. */
static void test_certificates_are_judged_anew(void **state)
{
	struct made made = make(&(struct recipe){ .san = "DNS:" MX, .from_s = -90 * DAY, .until_s = -1 });
	struct probe was = full_probe(), is = probe_of(MX, "192.0.2.1", &settings);
	struct fault found[PROBE_FINDINGS_MAX];
	int64_t asked_at;
	bool expired = false;

	was.certs_n = 0;
	add_cert(&was, &made);
	was.certs[0]->verify_error = 0; /* it was all right then */
	scan_cache_add(cache, &was, clock_wall_s() - 3600);
	assert_true(scan_cache_find(cache, &is, 0, &asked_at));
	assert_int_equal(asked_at, clock_wall_s() - 3600);
	for (unsigned i = probe_findings(&is, clock_wall_s(), found); i-- > 0;)
		expired |= found[i].code == FAULT_TLS_CERT_EXPIRED;
	assert_true(expired);
}

/* ---- the file ---- */

static void reopen(void)
{
	scan_cache_free(cache);
	cache = scan_cache_new(path, clock_wall_s(), &fault);
}

static void save(void)
{
	assert_int_equal(scan_cache_save(cache, clock_wall_s(), &fault), 0);
}

static void write_file(const char *text, const char *mode)
{
	FILE *f = fopen(path, mode);

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static size_t file_lines(void)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;

	for (int c; (c = getc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

static void test_saved_and_read_again(void **state)
{
	struct stat st;

	keep(&settings, PROBE_TLS);
	keep(&settings, PROBE_TLS);
	save();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_lines(), 1); /* the later one */
	reopen();
	assert_int_equal(fault.code, FAULT_NONE);
	assert_true(finds(MX, "192.0.2.1", &settings));
}

static void test_a_damaged_file(void **state)
{
	keep(&settings, PROBE_TLS);
	save();
	write_file("{\"schema\":\"torhaus.tl", "a");
	reopen();
	assert_int_equal(fault.code, FAULT_SCAN_CACHE_DAMAGED);
	assert_span(fault_value(&fault, "count"), "1");
	assert_true(finds(MX, "192.0.2.1", &settings));
	save();
	reopen();
	assert_int_equal(fault.code, FAULT_NONE);
	write_file("", "w");
	reopen();
	assert_int_equal(fault.code, FAULT_NONE);
	assert_false(finds(MX, "192.0.2.1", &settings));
}

static void test_old_and_future_lines_go(void **state)
{
	struct probe p = probe_of(MX, "192.0.2.1", &settings), q = probe_of(MX, "192.0.2.2", &settings);

	scan_cache_add(cache, &p, clock_wall_s() - SCAN_CACHE_AGE_S - 1);
	scan_cache_add(cache, &q, clock_wall_s() + 3600);
	save();
	assert_int_equal(file_lines(), 0);
}

/* Who waits for another scan to write has read the clock before that one did. */
static void test_a_little_ahead(void **state)
{
	struct probe p = probe_of(MX, "192.0.2.1", &settings);

	scan_cache_add(cache, &p, clock_wall_s() + 10);
	save();
	assert_int_equal(file_lines(), 1);
}

/* What is no file of ours is neither read nor replaced. */
static void test_foreign_files(void **state)
{
	char elsewhere[160];

	keep(&settings, PROBE_TLS);
	save();
	snprintf(elsewhere, sizeof(elsewhere), "%s.real", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	reopen();
	assert_int_equal(fault.code, FAULT_SCAN_CACHE_UNUSABLE);
	assert_false(finds(MX, "192.0.2.1", &settings));
	keep(&settings, PROBE_TLS); /* it works all the same, for this scan */
	assert_true(finds(MX, "192.0.2.1", &settings));
	save();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	reopen();
	assert_int_equal(fault.code, FAULT_SCAN_CACHE_UNUSABLE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	reopen();
	assert_int_equal(fault.code, FAULT_SCAN_CACHE_UNUSABLE);
}

static void test_no_place_for_it(void **state)
{
	cache = scan_cache_free(cache);
	cache = scan_cache_new("/proc/no/such/tls-scan", clock_wall_s(), &fault);
	assert_int_equal(fault.code, FAULT_NONE);
	keep(&settings, PROBE_TLS);
	assert_true(scan_cache_save(cache, clock_wall_s(), &fault) < 0);
	assert_int_equal(fault.code, FAULT_SCAN_CACHE_UNUSABLE);
}

/* Each process has hosts of its own; none may lose those of another. */
static void test_many_scans_at_once(void **state)
{
	enum { SCANS = 8, HOSTS = 20 };
	char address[32];
	pid_t children[SCANS];

	for (int i = 0; i < SCANS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] > 0)
			continue;
		for (int k = 0; k < HOSTS; k++) {
			struct probe p;

			snprintf(address, sizeof(address), "192.0.2.%d", i * HOSTS + k);
			p = probe_of(MX, address, &settings);
			scan_cache_add(cache, &p, clock_wall_s());
		}
		_exit(scan_cache_save(cache, clock_wall_s(), &fault) == 0 ? 0 : 1);
	}
	for (int i = 0; i < SCANS; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	reopen();
	assert_int_equal(fault.code, FAULT_NONE);
	assert_int_equal(file_lines(), SCANS * HOSTS);
}

/* ---- those who are not asked ---- */

static bool excepted(const struct scan_except *e, const char *address)
{
	struct net_addr a;

	assert_int_equal(net_addr_parse_host(span_of(address), &a), 0);
	return scan_except_address(e, &a);
}

static void test_lists(void **state)
{
	static const char *const good[] = { "Example.NET.", "only.example.org", "192.0.2.7", "198.51.100.0/24",
		"2001:db8::/32" };
	static const char *const bad[] = { "", ".", "*.example.net", "192.0.2.256", "192.0.2.0/33", "192.0.2", "mx:25",
		"a b", "[2001:db8::1]", "2001:db8::/129", "-x", "ex\xc3\xa4mple.net" };
	struct scan_except e;

	scan_except_init(&e);
	for (size_t i = 0; i < array_len(good); i++)
		assert_int_equal(scan_except_add(&e, span_of(good[i])), 0);
	for (size_t i = 0; i < array_len(bad); i++)
		assert_int_equal(scan_except_add(&e, span_of(bad[i])), -EINVAL);
	assert_true(scan_except_name(&e, SPAN("example.net")));
	assert_true(scan_except_name(&e, SPAN("a.mx.example.net")));
	assert_true(scan_except_name(&e, SPAN("only.example.org")));
	assert_false(scan_except_name(&e, SPAN("example.org")));
	assert_false(scan_except_name(&e, SPAN("badexample.net")));
	assert_false(scan_except_name(&e, SPAN("net")));
	assert_true(excepted(&e, "192.0.2.7") && excepted(&e, "198.51.100.200") && excepted(&e, "2001:db8:1::9"));
	assert_true(excepted(&e, "::ffff:192.0.2.7"));
	assert_false(excepted(&e, "192.0.2.8") || excepted(&e, "198.51.101.1") || excepted(&e, "2001:db9::"));
	scan_except_done(&e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_line_and_back),
		TEST(test_lines_that_are_none),
		TEST(test_half_a_result_is_none),
		TEST(test_a_result_is_of_an_address_and_a_name),
		TEST(test_depth),
		TEST(test_what_is_said_before_the_name),
		TEST(test_another_name_learns_the_verdict_alone),
		TEST(test_silence_and_patience),
		TEST(test_age),
		TEST(test_certificates_are_judged_anew),
		TEST(test_saved_and_read_again),
		TEST(test_a_damaged_file),
		TEST(test_old_and_future_lines_go),
		TEST(test_a_little_ahead),
		TEST(test_foreign_files),
		TEST(test_no_place_for_it),
		TEST(test_many_scans_at_once),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
