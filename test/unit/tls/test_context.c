/* The contexts as clients see them: versions, suites, both key types, staples, tickets and their
 * rotation. */
#include "hand.h"
#include <openssl/ocsp.h>
#include "base/clock.h"

static struct made rsa, ecdsa;
static struct tls_set *both;

static int make_both(void **state)
{
	struct folder f = folder_make();
	struct told told;

	(void)state;
	rsa = make_simple("DNS:a.example", maker_key(TLS_KEY_RSA, 0));
	ecdsa = make_simple("DNS:a.example", maker_key(TLS_KEY_ECDSA, 0));
	folder_put_pair(&f, "rsa.pem", &rsa);
	folder_put_pair(&f, "ecdsa.pem", &ecdsa);
	both = folder_build(&f, NULL, &told);
	folder_remove(&f);
	return told.n == 0 ? 0 : -1;
}

static int free_both(void **state)
{
	(void)state;
	both = tls_set_unref(both);
	return 0;
}

/* ---- versions, suites, keys ---- */

static void test_what_clients_get(void **state)
{
	static const struct {
		struct client_recipe client;
		const char *version, *suite; /* NULL: refused by the web's context */
		bool mail;                   /* though mail's would take it */
		bool rsa;
	} cases[] = {
		{ { 0 }, "TLSv1.3", "TLS_AES_128_GCM_SHA256", true, false },
		{ { .max = TLS1_2_VERSION }, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", true, false },
		{ { .max = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES256-GCM-SHA384" }, "TLSv1.2",
			"ECDHE-RSA-AES256-GCM-SHA384", true, true },
		{ { .min = TLS1_3_VERSION, .signatures = "rsa_pss_rsae_sha256" }, "TLSv1.3", "TLS_AES_128_GCM_SHA256",
			true, true },
		/* Without AES instructions ChaCha20 stands first. */
		{ { .suites13 = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256" }, "TLSv1.3",
			"TLS_CHACHA20_POLY1305_SHA256", true, false },
		{ { .max = TLS1_2_VERSION, .suites = "ECDHE-RSA-AES128-SHA" }, NULL, NULL, true, true },
		{ { .max = TLS1_2_VERSION, .suites = "AES256-SHA" }, NULL, NULL, true, true },
		{ { .max = TLS1_2_VERSION, .suites = "DHE-RSA-AES128-GCM-SHA256" }, NULL, NULL, true, true },
		{ { .max = TLS1_2_VERSION, .suites = "aNULL", .level = 1 }, NULL, NULL, false, false },
		{ { .max = TLS1_1_VERSION, .suites = "ALL", .level = 1 }, NULL, NULL, false, false },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct attempt web, mail;

		attempt_client(both, TLS_FOR_WEB, &cases[i].client, &web);
		attempt_client(both, TLS_FOR_MAIL, &cases[i].client, &mail);
		assert_int_equal(web.client_done && web.server_done, cases[i].version != NULL);
		assert_int_equal(mail.client_done && mail.server_done, cases[i].mail);
		if (cases[i].version) {
			assert_string_equal(SSL_get_version(web.client), cases[i].version);
			assert_string_equal(SSL_get_cipher_name(web.client), cases[i].suite);
			assert_int_equal(X509_cmp(web.served, (cases[i].rsa ? rsa : ecdsa).x), 0);
		}
		if (cases[i].mail)
			assert_int_equal(X509_cmp(mail.served, (cases[i].rsa ? rsa : ecdsa).x), 0);
		attempt_done(&web);
		attempt_done(&mail);
	}
}

/* ---- staples ---- */

static size_t stapled_to(struct tls_set *set, struct span *ret)
{
	const struct client_recipe recipe = { .name = "a.example" };
	SSL *client = client_make(&recipe), *server = SSL_new(set->ctx[TLS_FOR_WEB]);
	BIO *a, *b;
	const unsigned char *p;
	long n;

	SSL_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
	BIO_new_bio_pair(&a, 65536, &b, 65536);
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_accept_state(server);
	for (unsigned i = 0; i < 4; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	assert_true(SSL_is_init_finished(client));
	n = SSL_get_tlsext_status_ocsp_resp(client, &p);
	if (n > 0 && ret)
		assert_true(span_eq(span_make(p, (size_t)n), *ret));
	SSL_free(client);
	SSL_free(server);
	return n > 0 ? (size_t)n : 0;
}

static void test_staples_are_sent_while_they_are_in_date(void **state)
{
	struct family f = make_family("DNS:a.example", NULL);
	struct span staple = make_staple(&f.leaf, &f.middle, &f.middle, true, V_OCSP_CERTSTATUS_GOOD, -60, DAY);
	struct folder folder = folder_make();
	struct told told;
	struct tls_set *set;

	folder_put(&folder, "a.pem", CERTS(&f.leaf, &f.middle), f.leaf.key);
	folder_put_bytes(&folder, "a.ocsp", staple.p, staple.n);
	set = folder_build(&folder, NULL, &told);
	assert_int_equal(stapled_to(set, &staple), staple.n);
	/* The set stays in service longer than the response is good. */
	set->pairs.v[0]->staple_until = clock_wall_s();
	assert_int_equal(stapled_to(set, NULL), 0);
	tls_set_unref(set);
	folder_remove(&folder);
}

/* ---- tickets ---- */

static SSL_SESSION *got; /* what the last handshake left the client with */

/* A handshake that may begin with a session; takes the ticket that comes. Was it resumed? */
static bool resumes(int max, SSL_SESSION *session)
{
	const struct client_recipe recipe = { .max = max, .name = "a.example" };
	SSL *client = client_make(&recipe), *server = SSL_new(both->ctx[TLS_FOR_WEB]);
	BIO *a, *b;
	char byte;
	bool resumed;

	/* A copy: OpenSSL gives up a session for which it was issued a new ticket. */
	if (session) {
		SSL_SESSION *copy = SSL_SESSION_dup(session);

		assert_int_equal(SSL_set_session(client, copy), 1);
		SSL_SESSION_free(copy);
	}
	BIO_new_bio_pair(&a, 65536, &b, 65536);
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_accept_state(server);
	for (unsigned i = 0; i < 4; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	assert_int_equal(SSL_read(client, &byte, 1), -1); /* takes the ticket in */
	assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
	resumed = SSL_session_reused(server);
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN); /* or the session is no good */
	SSL_SESSION_free(got);
	got = SSL_get1_session(client);
	SSL_free(client);
	SSL_free(server);
	return resumed;
}

static bool same_ticket(const SSL_SESSION *a, const SSL_SESSION *b)
{
	const unsigned char *ticket_a, *ticket_b;
	size_t n_a, n_b;

	SSL_SESSION_get0_ticket(a, &ticket_a, &n_a);
	SSL_SESSION_get0_ticket(b, &ticket_b, &n_b);
	return span_eq(span_make(ticket_a, n_a), span_make(ticket_b, n_b));
}

static void test_tickets(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < array_len(versions); i++) {
		struct tls_ticket_keys keys = { 0 };
		SSL_SESSION *old, *newer;

		tls_ticket_keys_rotate(&keys, clock_wall_s());
		tls_ticket_keys_use(&keys);
		assert_false(resumes(versions[i], NULL));
		old = SSL_SESSION_dup(got);
		/* Under a key that was rotated twice it still resumes; after the third it is a
		 * stranger's. */
		for (unsigned turn = 0; turn < 3; turn++) {
			assert_true(resumes(versions[i], old));
			/* A ticket of TLS 1.3 is for one connection: there is always a next one. */
			assert_true(versions[i] != TLS1_3_VERSION || !same_ticket(old, got));
			tls_ticket_keys_rotate(&keys, clock_wall_s());
			tls_ticket_keys_use(&keys);
		}
		/* What the last resumption issued anew was under a newer key. */
		newer = SSL_SESSION_dup(got);
		assert_false(resumes(versions[i], old));
		assert_true(resumes(versions[i], newer));
		SSL_SESSION_free(old);
		SSL_SESSION_free(newer);
		SSL_SESSION_free(got);
		got = NULL;
	}
}

static void test_without_keys_there_are_no_tickets(void **state)
{
	const struct tls_ticket_keys none = { 0 };

	tls_ticket_keys_use(&none);
	assert_false(resumes(TLS1_2_VERSION, NULL));
	assert_true(!got || !SSL_SESSION_has_ticket(got));
	SSL_SESSION_free(got);
	got = NULL;
}

static void test_rotation(void **state)
{
	struct tls_ticket_keys keys = { 0 }, before;

	for (int64_t now = 1; now <= 5; now++) {
		before = keys;
		tls_ticket_keys_rotate(&keys, now);
		assert_int_equal(keys.key[0].made_at, now);
		assert_memory_equal(&keys.key[1], &before.key[0], sizeof(keys.key[0]) * 2);
		assert_memory_not_equal(keys.key[0].aes, before.key[0].aes, 32);
		assert_memory_not_equal(keys.key[0].hmac, keys.key[0].aes, 32);
		assert_memory_not_equal(keys.key[0].name, before.key[0].name, 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_clients_get),
		cmocka_unit_test(test_staples_are_sent_while_they_are_in_date),
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_without_keys_there_are_no_tickets),
		cmocka_unit_test(test_rotation),
	};

	return cmocka_run_group_tests(tests, make_both, free_both);
}
