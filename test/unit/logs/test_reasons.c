/* Every text that OpenSSL and GnuTLS have for the end of a handshake means something: by walking
 * over the libraries' own tables. */
#include "../unit.h"
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "base/mem.h"
#include "feed.h"

static void assert_means_something(const char *way, const char *call, const char *reason)
{
	struct buf line = BUF_INIT(4096);

	buf_addf(&line, "2024-01-05 09:14:21 TLS error on connection %s h.example [192.0.2.1] (%s): %s\n", way, call,
		reason);
	logs_free(logs);
	logs = logs_new(0, 8); /* a large table for each of a thousand texts would take its time */
	logs_feed(logs, buf_span(&line), 0);
	logs_conclude(logs);
	if (logs_count(logs) != 1 || strcmp(peer("192.0.2.1")->causes[0].en, "the words do not tell") == 0)
		fail_msg("%s", reason);
	buf_done(&line);
}

static void test_openssl(void **state)
{
	unsigned n = 0;

	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
	for (int r = 1; r < 4096; r++) {
		const char *text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, r));
		char reason[256];

		if (!text)
			continue;
		snprintf(reason, sizeof(reason), "error:%08lX:SSL routines::%s",
			(unsigned long)ERR_PACK(ERR_LIB_SSL, 0, r), text);
		assert_means_something("from", "SSL_accept", reason);
		assert_means_something("to", "SSL_connect", reason);
		n++;
	}
	assert_true(n > 300);
}

/* Of each alert, by its number and by the library's name. */
static void test_alerts(void **state)
{
	for (int a = 0; a < 256; a++) {
		const char *text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, 1000 + a));
		char reason[256];

		snprintf(reason, sizeof(reason),
			"error:0A000000:SSL routines::%s:../x.c:1:SSL alert number %d:", text ? text : "", a);
		assert_means_something("from", "SSL_accept", reason);
		snprintf(reason, sizeof(reason), "error:0A000000:SSL routines::reason(%d)", 1000 + a);
		assert_means_something("from", "SSL_accept", reason);
	}
}

static void test_gnutls(void **state)
{
	void *library = dlopen("libgnutls.so.30", RTLD_NOW);
	const char *(*strerror_name)(int), *(*error_text)(int), *(*alert_name)(int);
	unsigned n = 0;

	if (!library)
		skip();
	*(void **)&strerror_name = dlsym(library, "gnutls_strerror_name");
	*(void **)&error_text = dlsym(library, "gnutls_strerror");
	*(void **)&alert_name = dlsym(library, "gnutls_alert_get_name");
	for (int e = -1; e > -500; e--) {
		/* No end of a handshake: try again. */
		if (!strerror_name(e) || strcmp(strerror_name(e), "GNUTLS_E_AGAIN") == 0 ||
			strcmp(strerror_name(e), "GNUTLS_E_INTERRUPTED") == 0)
			continue;
		assert_means_something("from", "gnutls_handshake", error_text(e));
		n++;
	}
	assert_true(n > 150);
	for (int a = 0; a < 256; a++) {
		char reason[256];

		if (!alert_name(a))
			continue;
		assert_means_something("from", "gnutls_handshake", alert_name(a));
		snprintf(reason, sizeof(reason), "rxd alert: %s", alert_name(a));
		assert_means_something("to", "gnutls_handshake", reason);
		snprintf(reason, sizeof(reason), "A TLS fatal alert has been received.: %s", alert_name(a));
		assert_means_something("to", "gnutls_handshake", reason);
	}
	dlclose(library);
}

/* What Debian's Exim writes most, and what it means for whom. */
static void test_gnutls_meanings(void **state)
{
	static const struct {
		const char *reason;
		enum fault_code in, out;
	} cases[] = {
		{ "Certificate is expired", FAULT_TLS_CERT_EXPIRED, FAULT_TLS_CLIENT_CERT_REFUSED },
		{ "CA is unknown", FAULT_TLS_CERT_CA_UNKNOWN, FAULT_TLS_CLIENT_CERT_REFUSED },
		{ "rxd alert: Certificate is bad", FAULT_TLS_CERT_REFUSED, FAULT_TLS_CLIENT_CERT_REFUSED },
		{ "Handshake failed", FAULT_TLS_PEER_REFUSED, FAULT_TLS_SERVER_REFUSED },
		{ "Internal error", FAULT_TLS_PEER_REFUSED, FAULT_TLS_SERVER_REFUSED },
		{ "Error in protocol version", FAULT_TLS_PEER_REFUSED, FAULT_TLS_SERVER_VERSION },
		{ "The Diffie-Hellman prime sent by the server is not acceptable (not long enough).",
			FAULT_TLS_DH_TOO_SMALL, FAULT_TLS_DH_TOO_SMALL },
		{ "No supported cipher suites have been found.", FAULT_TLS_HANDSHAKE_FAILED,
			FAULT_TLS_HANDSHAKE_FAILED },
		{ "A packet with illegal or unsupported version was received.", FAULT_TLS_PEER_TOO_OLD,
			FAULT_TLS_SERVER_VERSION },
		{ "Error in the certificate verification.", FAULT_TLS_CLIENT_CERT_BAD, FAULT_TLS_NOT_TRUSTED },
		{ "The TLS connection was non-properly terminated.", FAULT_TLS_PEER_LEFT_AT_CERT,
			FAULT_TLS_PEER_LEFT_AT_CERT },
		{ "Error in the pull function.", FAULT_TLS_PEER_LEFT_AT_CERT, FAULT_TLS_PEER_LEFT_AT_CERT },
		{ "An unexpected TLS packet was received.", FAULT_TLS_NOT_TLS, FAULT_TLS_NOT_TLS },
		{ "Certificate is required.", FAULT_TLS_CLIENT_CERT_MISSING, FAULT_TLS_CLIENT_CERT_WANTED },
		{ "GnuTLS internal error.", FAULT_TLS_BROKEN_HERE, FAULT_TLS_BROKEN_HERE },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		assert_means_something("from", "gnutls_handshake", cases[i].reason);
		assert_string_equal(fault_code_text(peer("192.0.2.1")->causes[0].code), fault_code_text(cases[i].in));
		assert_means_something("to", "gnutls_handshake", cases[i].reason);
		assert_string_equal(fault_code_text(peer("192.0.2.1")->causes[0].code), fault_code_text(cases[i].out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_gnutls),
		cmocka_unit_test(test_gnutls_meanings),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
