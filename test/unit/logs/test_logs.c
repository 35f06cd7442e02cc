/* Lines of Exim, Postfix and torhaus, as they are written, and what they add up to. */
#include "../unit.h"
#include <time.h>
#include "base/mem.h"
#include "feed.h"

static void assert_use(const struct log_peer *p, unsigned i, const char *version, const char *suite,
	enum tls_key_type key, unsigned in, unsigned out)
{
	assert_true(i < p->uses_n);
	assert_string_equal(p->uses[i].version, version);
	assert_string_equal(p->uses[i].suite, suite);
	assert_int_equal(p->uses[i].key, key);
	assert_int_equal(p->uses[i].in, in);
	assert_int_equal(p->uses[i].out, out);
}

static void assert_cause(const struct log_peer *p, enum fault_code code, bool guess)
{
	assert_true(p->causes_n > 0);
	assert_string_equal(fault_code_text(p->causes[0].code), fault_code_text(code));
	assert_int_equal(p->causes[0].guess, guess);
}

#define AT "Jan  5 09:14:21 mail postfix/"

/* ---- Exim ---- */

static void test_the_founding_lines(void **state)
{
	const struct log_peer *p;

	feed("2024-01-05 09:14:21 TLS error on connection from mx07-1.example.com [192.0.2.43] (SSL_accept): error:0A0000C1:SSL routines::no shared cipher\n"
	     "2024-01-05 09:14:22 H=mx07-1.example.com [192.0.2.43] F=<a@b.example> rejected RCPT <c@d.example>: encryption required\n"
	     "2023-12-11 10:01:00 1rB7Q1-0041w7-0i => user1@p.example R=dnslookup T=remote_smtp H=mx07-2.example.com [198.51.100.232] X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256 CV=yes C=\"250 OK\"\n");
	p = peer("192.0.2.43");
	assert_string_equal(p->host, "mx07-1.example.com");
	assert_string_equal(p->group, "example.com");
	assert_string_equal(p->network, "192.0.2.0/24");
	assert_int_equal(p->failures_in, 1);
	assert_string_equal(p->reason, "error:0A0000C1:SSL routines::no shared cipher");
	assert_cause(p, FAULT_TLS_NO_RSA_CERT, true);
	assert_int_equal(p->fallbacks, 1);
	assert_int_equal(p->fallback_after_s, 1);
	assert_int_equal(p->refusals, 1);
	assert_string_equal(p->refused_for, "c@d.example");
	assert_string_equal(p->refused_with, "encryption required");
	assert_use(peer("198.51.100.232"), 0, "TLS1.2", "ECDHE-RSA-AES256-GCM-SHA384", TLS_KEY_RSA, 0, 1);
	assert_int_equal(logs_totals(logs)->relevant, 3);
}

static void test_exim_mails(void **state)
{
	const struct log_peer *p;

	feed("2024-01-05 09:14:21.123 +0100 [4711] 1rB7Q1-0041w7-0i <= a@b.example H=out.example.org (helo.example) [192.0.2.1]:4711 I=[192.0.2.99]:25 P=esmtps X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no S=1234 id=x@y for c@d.example\n"
	     "2024-01-05 09:14:22 1rB7Q1-000000041w7-0i12 <= a@b.example H=out.example.org [192.0.2.1] P=esmtps X=TLS1.2:ECDHE_ECDSA_AES_128_GCM_SHA256:128 S=1\n"
	     "2024-01-05 09:14:23 1rB7Q1-0041w7-0i <= a@b.example H=out.example.org [192.0.2.1] P=esmtps X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 S=1\n"
	     "2024-01-05 09:14:24 1rB7Q1-0041w7-0i <= a@b.example H=(helo) [2001:db8::7]:999 P=esmtp S=1 T=\"X=TLS1.2:FAKE:1\" for e@f\n"
	     "2024-01-05 09:14:24 1rB7Q1-0041w7-0i <= a@b.example H=([192.168.1.5]) [192.0.2.8] P=esmtp S=1\n"
	     "2024-01-05 09:14:24 1rB7Q1-0041w7-0i <= a@b.example H=out.example.org ([192.168.1.5]) [192.0.2.9]:25 P=esmtp S=1\n"
	     "2024-01-05 09:14:25 1rB7Q1-0041w7-0i <= root@local U=root P=local S=300\n"
	     "2024-01-05 09:14:26 1rB7Q1-0041w7-0i -> x@y.example R=r T=t H=mx.example.net [192.0.2.2] X=TLSv1.2:AES256-SHA:256 CV=no C=\"250 ok\"\n"
	     "2024-01-05 09:14:27 1rB7Q1-0041w7-0i => x@z.example R=r T=t H=mx.example.net [192.0.2.2] C=\"250 X=TLS1.2:FAKE:1\"\n"
	     "2024-01-05 09:14:28 1rB7Q1-0041w7-0i Completed\n");
	p = peer("192.0.2.1");
	assert_int_equal(p->mails_in, 3);
	assert_int_equal(p->uses_n, 3);
	assert_use(p, 0, "TLS1.3", "TLS_AES_256_GCM_SHA384", TLS_KEY_OTHER, 1, 0);
	assert_use(p, 1, "TLS1.2", "ECDHE_ECDSA_AES_128_GCM_SHA256", TLS_KEY_ECDSA, 1, 0);
	assert_use(p, 2, "TLS1.3", "ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM", TLS_KEY_RSA, 1, 0);
	assert_int_equal(peer("2001:db8::7")->clear_in, 1);
	assert_int_equal(peer("2001:db8::7")->uses_n, 0);
	assert_string_equal(peer("2001:db8::7")->host, "");
	assert_string_equal(peer("2001:db8::7")->group, "2001:db8::/48");
	p = peer("192.0.2.2");
	assert_int_equal(p->mails_out, 1);
	assert_int_equal(p->clear_out, 1);
	assert_use(p, 0, "TLSv1.2", "AES256-SHA", TLS_KEY_RSA, 0, 1);
	assert_int_equal(peer("192.0.2.8")->clear_in, 1);
	assert_string_equal(peer("192.0.2.8")->host, "");
	assert_string_equal(peer("192.0.2.9")->host, "out.example.org");
	assert_int_equal(logs_count(logs), 5);
}

static void test_exim_failures(void **state)
{
	static const struct {
		const char *line, *address;
		enum fault_code code;
		bool guess, out;
	} cases[] = {
		{ "TLS error on connection from h.example (x) [192.0.2.1]:5 I=[192.0.2.9]:25 (gnutls_handshake): No supported cipher suites have been found.",
			"192.0.2.1", FAULT_TLS_HANDSHAKE_FAILED, true, false },
		{ "TLS error on connection from (x) [192.0.2.2] (SSL_accept): error:0A000102:SSL routines::unsupported protocol",
			"192.0.2.2", FAULT_TLS_PEER_TOO_OLD, true, false },
		{ "TLS error on connection from [192.0.2.3] (SSL_accept): timed out", "192.0.2.3", FAULT_TLS_TIMEOUT,
			false, false },
		{ "TLS error on connection from H=h.example [192.0.2.4] (SSL_accept): error:0A000126:SSL routines::unexpected eof while reading",
			"192.0.2.4", FAULT_TLS_PEER_LEFT_AT_CERT, true, false },
		{ "TLS error on connection to mx.example [192.0.2.5] (SSL_connect): error:0A000086:SSL routines::certificate verify failed",
			"192.0.2.5", FAULT_TLS_NOT_TRUSTED, false, true },
		{ "1rB7Q1-0041w7-0i H=mx.example [192.0.2.6]: TLS error on connection (gnutls_handshake): The TLS connection was non-properly terminated.",
			"192.0.2.6", FAULT_TLS_PEER_LEFT_AT_CERT, true, true },
		{ "1rB7Q1-0041w7-0i H=mx.example [192.0.2.7]: TLS session: (SSL_connect): error:0A00018A:SSL routines::dh key too small",
			"192.0.2.7", FAULT_TLS_DH_TOO_SMALL, false, true },
		{ "TLS error on connection from h.example [192.0.2.8] (SSL_accept): error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca",
			"192.0.2.8", FAULT_TLS_CERT_CA_UNKNOWN, true, false },
		{ "TLS error on connection from (client.test) [192.0.2.10] (gnutls_handshake): Decryption has failed.",
			"192.0.2.10", FAULT_TLS_CERT_REFUSED, true, false },
		/* 4.96 with OpenSSL: a reset, plain SMTP instead of TLS, SSL 3, a client of TLS
		 * 1.0. */
		{ "TLS error on connection from (client.test) [127.0.0.18] (SSL_accept): ret 5", "127.0.0.18",
			FAULT_TLS_PEER_LEFT_AT_CERT, true, false },
		{ "TLS error on connection from (client.test) [127.0.0.20] (SSL_accept): (TLSv1.3)", "127.0.0.20",
			FAULT_TLS_NOT_TLS, true, false },
		{ "TLS error on connection from (client.test) [127.0.0.25] (SSL_accept): (SSLv3)", "127.0.0.25",
			FAULT_TLS_PEER_TOO_OLD, true, false },
		{ "TLS error on connection from (client.test) [127.0.0.22] (SSL_accept): error:0A000076:SSL routines::no suitable signature algorithm",
			"127.0.0.22", FAULT_TLS_SIGNATURES_RSA_ONLY, true, false },
		{ "TLS error on connection from h.example [192.0.2.11] SSL_accept: TCP connection closed by peer",
			"192.0.2.11", FAULT_TLS_PEER_LEFT_AT_CERT, true, false },
		{ "1xWOaF-00089H-0L TLS session: (SSL_connect): error:0A000410:SSL routines::sslv3 alert handshake failure: delivering unencrypted to H=127.0.0.1 [127.0.0.1] (not in hosts_require_tls)",
			"127.0.0.1", FAULT_TLS_SERVER_REFUSED, true, true },
		{ "1xWOah-0008S9-0U TLS session: (SSL_connect): error:0A000086:SSL routines::certificate verify failed: delivering unencrypted to H=127.0.0.1 [127.0.0.1] (not in hosts_require_tls)",
			"127.0.0.1", FAULT_TLS_NOT_TRUSTED, false, true },
		{ "1xWOZA-00076f-0B TLS session: (certificate verification failed): certificate invalid: delivering unencrypted to H=127.0.0.1 [127.0.0.1] (not in hosts_require_tls)",
			"127.0.0.1", FAULT_TLS_NOT_TRUSTED, false, true },
		{ "1xWOYi-0006X7-1n == box@example.test R=all T=out defer (-37) H=127.0.0.1 [127.0.0.1]: TLS session: (gnutls_handshake): Handshake failed",
			"127.0.0.1", FAULT_TLS_SERVER_REFUSED, true, true },
		{ "1xWOaY-0008MQ-1k == box@example.test R=all T=out defer (-38) H=127.0.0.1 [127.0.0.1]: a TLS session is required, but an attempt to start TLS failed",
			"127.0.0.1", FAULT_TLS_NOT_OFFERED, true, true },
		{ "1xWOab-0008Nq-07 H=127.0.0.1 [127.0.0.1]: a TLS session is required, but the server did not offer TLS support",
			"127.0.0.1", FAULT_TLS_NOT_OFFERED, false, true },
		/* As older versions wrote it. */
		{ "1xWOab-0008Nq-07 TLS session failure: delivering unencrypted to H=mx.example [192.0.2.12] (not in hosts_require_tls)",
			"192.0.2.12", FAULT_TLS_HANDSHAKE_FAILED, true, true },
		{ "TLS error on connection from h.example [192.0.2.9] (SSL_accept): words that nobody knows",
			"192.0.2.9", FAULT_TLS_HANDSHAKE_FAILED, true, false },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct buf line = BUF_INIT(4096);
		const struct log_peer *p;

		buf_addf(&line, "2024-01-05 09:14:21 %s", cases[i].line);
		feed(buf_text(&line));
		p = peer(cases[i].address);
		assert_cause(p, cases[i].code, cases[i].guess);
		assert_int_equal(p->failures_out, cases[i].out);
		assert_int_equal(p->failures_in, !cases[i].out);
		buf_done(&line);
	}
}

/* What looks like one of those, but is none. */
static void test_exim_lines_that_tell_nothing(void **state)
{
	feed("2024-01-05 09:14:21 TLS error on connection from h [192.0.2.1] (recv): A TLS packet with unexpected length was received.\n"
	     "2024-01-05 09:14:21 H=h.example [192.0.2.1] F=<a@b> rejected RCPT <c@d>: relay not permitted\n"
	     "2024-01-05 09:14:21 H=h.example [192.0.2.1] X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no F=<a@b> rejected RCPT <c@d>: encryption required\n"
	     "2024-01-05 09:14:21 no host name found for IP address 192.0.2.1\n"
	     "2024-01-05 09:14:21 H=h.example [192.0.2.1] F=<a@b> rejected RCPT <c@d>: <info@letsencrypt.example>: Relay access denied\n"
	     "2024-01-05 09:14:21 1xWOYc-0006Ru-1y H=127.0.0.1 [127.0.0.1] TLS error on connection (recv): The TLS connection was non-properly terminated.\n"
	     "2024-01-05 09:14:21 1xWOYc-0006Ru-1y [127.0.0.1] SSL verify error: depth=0 error=self-signed certificate cert=/CN=example.test\n"
	     "2024-01-05 09:14:21 1xWOYc-0006Ru-1y == a@b R=r T=t defer (-44) H=h [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@b>: 450 later\n"
	     "2024-01-05 09:14:21 1xWOYc-0006Ru-1y TLS session: (SSL_connect): timed out: delivering unencrypted to H=h\n"
	     "2024-01-05 09:14:21 TLS session\n"
	     "2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.999] P=esmtp\n"
	     "2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1 P=esmtp\n"
	     "2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= \n"
	     "2024-01-05 09:14 x\n2024-01-05\n\n\0\n");
	assert_int_equal(logs_count(logs), 0);
}

/* Words of replies: which of them refuse for want of encryption. */
static void test_refusals_for_want_of_encryption(void **state)
{
	static const struct {
		const char *words;
		bool refused;
	} cases[] = {
		{ "encryption required", true },
		{ "450 4.7.0 Session encryption is required", true },
		{ "530 5.7.0 Must issue a STARTTLS command first", true },
		{ "550 STARTTLS is required", true },
		{ "550 5.7.10 go away", true },
		{ "a TLS session is required by me", true },
		{ "550 5.7.0 authentication/encryption required", true },
		{ "TLS required for <box@customer.example>", true },
		{ "plaintext connections are not accepted here", true },
		{ "Annahme nur verschl\xc3\xbcsselt", true },
		{ "403 4.7.0 encryption too weak 0 less than 112", true },
		{ "554 5.7.1 <info@letsencrypt.example>: Relay access denied, authentication required", false },
		{ "550 see https://encrypt.example/tls-required for the only way", false },
		{ "550 must not come from mail.starttls.example", false },
		{ "552 encrypted attachments only from partners", false },
		{ "554 password protected archive, encryption required", false },
		{ "550 relay not permitted", false },
		{ "550 title required", false },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct buf line = BUF_INIT(4096);

		buf_addf(&line, "2024-01-05 09:14:21 H=h.example [192.0.2.1] F=<a@b> rejected RCPT <c@d>: %s\n",
			cases[i].words);
		feed(buf_text(&line));
		if (logs_count(logs) != cases[i].refused)
			fail_msg("%s", cases[i].words);
		buf_done(&line);
	}
}

/* Servers that take mail with TLS only; and what is broken here. */
static void test_demanded_by_servers(void **state)
{
	static const char *const lines[] = {
		AT
		"smtp[15]: 4F1A: to=<u@e.com>, relay=mx[192.0.2.1]:25, delay=1, dsn=5.7.0, status=bounced (host mx[192.0.2.1] said: 530 5.7.0 Must issue a STARTTLS command first (in reply to MAIL FROM command))\n",
		AT
		"smtp[15]: 4F1A: to=<u@e.com>, relay=mx[192.0.2.1]:25, delay=1, dsn=5.7.0, status=deferred (host mx[192.0.2.1] said: 450 4.7.0 Session encryption is required (in reply to RCPT TO command))\n",
		"2024-01-05 09:14:21 1rB7Q1-0041w7-0i ** u@e.com R=r T=t H=mx [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<u@e.com>: 550 STARTTLS is required\n",
		"2024-01-05 09:14:21 1rB7Q1-0041w7-0i == u@e.com R=r T=t defer (-45) H=mx [192.0.2.1]: SMTP error from remote mail server after MAIL FROM:<a@b>: 450 TLS required\n",
	};

	for (size_t i = 0; i < array_len(lines); i++) {
		feed(lines[i]);
		assert_int_equal(peer("192.0.2.1")->failures_out, 1);
		assert_cause(peer("192.0.2.1"), FAULT_TLS_DEMANDED, false);
	}
	feed(AT "smtp[15]: 4F1A: to=<u@e.com>, relay=mx[192.0.2.1]:25, delay=1, dsn=4.7.5, status=deferred (TLS is required, but our TLS engine is unavailable)\n");
	assert_cause(peer("192.0.2.1"), FAULT_TLS_BROKEN_HERE, true);
	feed(AT "smtp[15]: 4F1A: to=<info@letsencrypt.example>, relay=mx[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (host mx[192.0.2.1] said: 550 5.1.1 <info@letsencrypt.example>: only members (in reply to RCPT TO command))\n");
	assert_int_equal(logs_count(logs), 0);
}

/* An alert by its number, where Postfix's library has no words for it; and whose opinion it is. */
static void test_alerts_and_directions(void **state)
{
#define SERVER(reason) \
	AT "smtpd[12]: SSL_accept error from h[192.0.2.1]: -1\n" AT "smtpd[12]: warning: TLS library problem: " reason \
	   "\n"
#define CLIENT(reason) \
	AT "smtp[12]: SSL_connect error to h[192.0.2.1]:25: -1\n" AT "smtp[12]: warning: TLS library problem: " reason \
	   "\n"
	static const struct {
		const char *lines;
		enum fault_code code;
	} cases[] = {
		{ SERVER("error:0A000410:SSL routines::sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1584:SSL alert number 40:"),
			FAULT_TLS_PEER_REFUSED },
		{ CLIENT("error:0A000410:SSL routines::sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1584:SSL alert number 40:"),
			FAULT_TLS_SERVER_REFUSED },
		{ SERVER("error:0A00042E:SSL routines::tlsv1 alert protocol version:ssl/record/rec_layer_s3.c:1584:SSL alert number 70:"),
			FAULT_TLS_PEER_REFUSED },
		{ CLIENT("error:0A00042E:SSL routines::tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:1584:SSL alert number 70:"),
			FAULT_TLS_SERVER_VERSION },
		{ SERVER("error:0A000438:SSL routines::tlsv1 alert internal error:../x.c:1:SSL alert number 80:"),
			FAULT_TLS_PEER_REFUSED },
		{ SERVER("error:0A000414:SSL routines::sslv3 alert certificate revoked:../x.c:1:SSL alert number 44:"),
			FAULT_TLS_CERT_REFUSED },
		{ CLIENT("error:0A000414:SSL routines::sslv3 alert certificate revoked:../x.c:1:SSL alert number 44:"),
			FAULT_TLS_CLIENT_CERT_REFUSED },
		{ SERVER("error:0A000417:SSL routines::sslv3 alert illegal parameter:../x.c:1:SSL alert number 47:"),
			FAULT_TLS_PEER_REFUSED },
		{ SERVER("error:0A000419:SSL routines::tlsv1 alert access denied:../x.c:1:SSL alert number 49:"),
			FAULT_TLS_CERT_REFUSED },
		{ SERVER("error:0A00045C:SSL routines::reason(1116):../x.c:1:SSL alert number 116:"),
			FAULT_TLS_PEER_REFUSED },
		{ CLIENT("error:0A00045C:SSL routines::tlsv13 alert certificate required:../x.c:1:SSL alert number 116:"),
			FAULT_TLS_CLIENT_CERT_WANTED },
		{ CLIENT("error:0A000410:SSL routines::ssl/tls alert handshake failure:../x.c:1:SSL alert number 40:"),
			FAULT_TLS_SERVER_REFUSED },
		{ SERVER("error:0A00010B:SSL routines::wrong version number:../ssl/record/ssl3_record.c:354:"),
			FAULT_TLS_NOT_TLS },
		{ SERVER("error:0A0004C7:SSL routines::reason(1223):../x.c:1:SSL alert number 223:"),
			FAULT_TLS_PEER_REFUSED },
		{ SERVER("error:0A000086:SSL routines::certificate verify failed:../x.c:1:"),
			FAULT_TLS_CLIENT_CERT_BAD },
		{ CLIENT("error:0A000086:SSL routines::certificate verify failed:../x.c:1:"), FAULT_TLS_NOT_TRUSTED },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		feed(cases[i].lines);
		if (peer("192.0.2.1")->causes[0].code != cases[i].code)
			fail_msg("%s: %s", cases[i].lines, fault_code_text(peer("192.0.2.1")->causes[0].code));
		assert_int_equal(peer("192.0.2.1")->causes_n, 1);
		assert_true(strncmp(peer("192.0.2.1")->reason, "error:0A00", 10) == 0);
		assert_null(strstr(peer("192.0.2.1")->reason, ".c:"));
	}
	feed(SERVER("error:0A00010B:SSL routines::wrong version number:../x.c:354:"));
	assert_cause(peer("192.0.2.1"), FAULT_TLS_NOT_TLS, true);
	/* Words that nobody knows are shown all the same. */
	feed(SERVER("something new in OpenSSL 9"));
	assert_string_equal(peer("192.0.2.1")->reason, "something new in OpenSSL 9");
}

static void test_addresses(void **state)
{
	static const char *const good[][2] = { { "1.2.3.4", "1.2.3.4" }, { "255.255.255.255", "255.255.255.255" },
		{ "010.000.009.1", "10.0.9.1" }, { "2001:db8::1", "2001:db8::1" },
		{ "IPv6:2001:DB8::1", "2001:db8::1" }, { "::ffff:192.0.2.1", "192.0.2.1" } };
	static const char *const bad[] = { "", ".", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "1.2.3.256",
		"1.2.3.1000", "1..3.4", "1.2.3.4x", "x1.2.3.4", "1.2.3.-4", " 1.2.3.4", "2001:db8::1::2", ":",
		"IPv6:", "1.2.3.4:25" };

	for (size_t i = 0; i < array_len(good) + array_len(bad); i++) {
		struct buf line = BUF_INIT(4096);
		bool is_good = i < array_len(good);

		buf_addf(&line, "2024-01-05 09:00:00 TLS error on connection from h [%s] (SSL_accept): timed out",
			is_good ? good[i][0] : bad[i - array_len(good)]);
		feed(buf_text(&line));
		assert_int_equal(logs_count(logs), is_good);
		if (is_good)
			assert_string_equal(logs_peer(logs, 0)->address, good[i][1]);
		buf_done(&line);
	}
}

/* Strangers choose local parts; what stands in quotes is no field of the line. */
static void test_nobody_speaks_for_another(void **state)
{
	static const char *const lines[] = {
		"2024-01-05 09:00:00 1rB7Q1-0041w7-0i <= \"a H=victim.example [198.51.100.1] b\"@c.example H=h.example [192.0.2.1] P=esmtp S=1\n",
		"2024-01-05 09:00:00 1rB7Q1-0041w7-0i <= \"a\\\" H=victim.example [198.51.100.1] b\"@c.example H=h.example [192.0.2.1] P=esmtp S=1\n",
		"2024-01-05 09:00:00 1rB7Q1-0041w7-0i => box <\"a H=victim.example [198.51.100.1]\"@c.example> R=r T=t H=h.example [192.0.2.1] C=\"250 H=victim [198.51.100.1]\"\n",
		"2024-01-05 09:00:00 1rB7Q1-0041w7-0i == \"H=victim.example [198.51.100.1]: TLS session: (\"@c.example R=r T=t defer (-37) H=h.example [192.0.2.1]: TLS session: (SSL_connect): timed out\n",
		AT
		"smtp[15]: 4F1A2B3C4F: to=<\"a>, relay=victim.example[198.51.100.1]:25, status=sent (x\"@c.example>, orig_to=<\", relay=victim.example[198.51.100.1]:25\"@c.example>, relay=h.example[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok, relay=victim.example[198.51.100.1]:25)\n",
	};

	for (size_t i = 0; i < array_len(lines); i++) {
		feed(lines[i]);
		assert_string_equal(peer("192.0.2.1")->host, "h.example");
		assert_int_equal(logs_count(logs), 1);
	}
	/* Quotes that do not end. */
	feed("2024-01-05 09:00:00 1rB7Q1-0041w7-0i <= \"a H=victim.example [198.51.100.1] P=esmtp S=1\n"
	     "2024-01-05 09:00:00 1rB7Q1-0041w7-0i <= \"a H=victim.example [198.51.100.1] \\\n");
	assert_int_equal(logs_count(logs), 0);
}

/* Exim 4.96 with GnuTLS and a client that came again at once: its lines, in the order in which they
 * were written. */
static void test_exim_writes_failures_late(void **state)
{
#define CAME(time) "2026-11-26 00:12:" time " 1xWN6F-00060b-15 <= a@b.test H=(client.test) [127.0.0.11] P=esmtp S=219\n"
#define CAME_S(time) \
	"2026-11-26 00:12:" time \
	" 1xWN6F-00060b-15 <= a@b.test H=(client.test) [127.0.0.11] P=esmtps X=TLS1.2:ECDHE_X25519__ECDSA_SHA256__AES_256_GCM:256 CV=no S=275\n"
#define BROKE(time) \
	"2026-11-26 00:12:" time \
	" TLS error on connection from (client.test) [127.0.0.11] (gnutls_handshake): No supported cipher suites have been found.\n"
#define REFUSED(time) \
	"2026-11-26 00:12:" time \
	" H=(client.test) [127.0.0.11] F=<a@b.test> rejected RCPT <secret@example.test>: encryption required\n"
	static const struct {
		const char *lines;
		unsigned fallbacks;
	} cases[] = {
		{ CAME("31") BROKE("31"), 1 }, { CAME("31") BROKE("33"), 1 }, { REFUSED("31") BROKE("32"), 1 },
		{ CAME("31") BROKE("34"), 0 },              /* too long before */
		{ CAME("31") CAME_S("31") BROKE("31"), 0 }, /* TLS between them */
		{ BROKE("31") CAME("31") BROKE("32"), 1 },  /* it followed the first already */
		{ CAME("31") BROKE("31") CAME("31"), 1 }, { CAME("31") BROKE("31") CAME("31") BROKE("32"), 2 },
		{ CAME("31") "2026-11-26 00:12:31 TLS error on connection from (x) [127.0.0.11] (SSL_accept): timed out\n",
			0 }, /* written at once */
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		feed(cases[i].lines);
		assert_int_equal(peer("127.0.0.11")->fallbacks, cases[i].fallbacks);
		assert_int_equal(peer("127.0.0.11")->fallback_after_s, 0);
	}
}

/* One attempt has a line for each recipient, or two; the next attempt counts again. What then went
 * without TLS is a fallback of ours. */
static void test_exim_deliveries_without_tls(void **state)
{
#define TO(time, text) "2026-11-26 01:45:" time " 1xWOYi-0006X7-1n " text "\n"
#define DEFERRED(n) \
	"== box" n "@example.test R=all T=out defer (-37) H=mx [192.0.2.1]: TLS session: (SSL_connect): timed out"
#define IN_CLEAR \
	"TLS session: (SSL_connect): timed out: delivering unencrypted to H=mx [192.0.2.1] (not in hosts_require_tls)"
#define SENT(n, how) "=> box" n "@example.test R=all T=out H=mx [192.0.2.1] " how "C=\"250 Ok\""
	static const struct {
		const char *lines;
		unsigned failures, fallbacks;
	} cases[] = {
		{ TO("01", DEFERRED("1")) TO("01", DEFERRED("2")) TO("02", DEFERRED("3")), 1, 0 },
		{ TO("01", DEFERRED("1")) TO("04", DEFERRED("1")), 2, 0 },
		{ TO("01", DEFERRED("1")) "2026-11-26 01:45:01 1xWOYi-0006X7-1m " DEFERRED("1"), 2, 0 },
		{ TO("01", "H=mx [192.0.2.1]: a TLS session is required, but the server did not offer TLS support") TO(
			  "01",
			  "== box@example.test R=all T=out defer (-38) H=mx [192.0.2.1]: a TLS session is required, but the server did not offer TLS support"),
			1, 0 },
		{ TO("01", IN_CLEAR) TO("02", SENT("1", "")) TO("02", SENT("2", "")), 1, 1 },
		{ TO("01", IN_CLEAR) TO("02", SENT("1", "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 "))
				TO("02", SENT("2", "")),
			1, 0 },
		{ TO("01", SENT("1", "")), 0, 0 },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		const struct log_peer *p;

		feed(cases[i].lines);
		p = peer("192.0.2.1");
		assert_int_equal(p->failures_out, cases[i].failures);
		assert_int_equal(p->fallbacks_out, cases[i].fallbacks);
		assert_int_equal(p->failures_in + p->fallbacks, 0);
	}
}

static void test_exim_through_syslog(void **state)
{
	feed("Jan  5 09:14:21 host exim[12]: 2024-01-05 09:14:21 TLS error on connection from h.example [192.0.2.1] (SSL_accept): timed out\n"
	     "Jan  5 09:14:22 host exim[12]: TLS error on connection from h.example [192.0.2.2] (SSL_accept): timed out\n");
	assert_int_equal(peer("192.0.2.1")->failed_at, peer("192.0.2.2")->failed_at - 1);
}

/* ---- Postfix ---- */

static void test_postfix_connections(void **state)
{
	const struct log_peer *p;

	feed(AT "smtpd[12]: connect from out.example.org[192.0.2.1]\n" AT
		"smtpd[12]: Anonymous TLS connection established from out.example.org[192.0.2.1]: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)\n" AT
		"smtpd[13]: connect from unknown[192.0.2.2]\n" AT
		"smtpd[13]: 4F1A2B3C4D: client=unknown[192.0.2.2]\n" AT
		"smtpd[12]: 4F1A2B3C4E: client=out.example.org[192.0.2.1]\n" AT
		"cleanup[99]: 4F1A2B3C4E: message-id=<x@y>\n" AT
		"smtpd[12]: disconnect from out.example.org[192.0.2.1] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7\n" AT
		"smtp[14]: Verified TLS connection established to mx.example.net[2001:db8::25]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256\n" AT
		"smtp[14]: 4F1A2B3C4E: to=<u@example.net>, relay=mx.example.net[2001:db8::25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n" AT
		"smtp[15]: 4F1A2B3C4F: to=<u@example.com>, relay=mx.example.com[192.0.2.3]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n" AT
		"smtp[15]: 4F1A2B3C50: to=<u@example.com>, relay=none, delay=1, dsn=4.4.1, status=deferred (x)\n");
	p = peer("192.0.2.1");
	assert_use(p, 0, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", TLS_KEY_RSA, 1, 0);
	assert_int_equal(p->mails_in, 1);
	assert_int_equal(p->clear_in, 0);
	assert_int_equal(peer("192.0.2.2")->clear_in, 1);
	assert_string_equal(peer("192.0.2.2")->host, "");
	p = peer("2001:db8::25");
	assert_use(p, 0, "TLSv1.3", "TLS_AES_256_GCM_SHA384", TLS_KEY_ECDSA, 0, 1);
	assert_int_equal(p->mails_out, 1);
	assert_int_equal(peer("192.0.2.3")->clear_out, 1);
	assert_int_equal(logs_count(logs), 4);
}

/* The error's number, then the library's words, lines of other processes between. */
static void test_postfix_failures(void **state)
{
	const struct log_peer *p;

	feed(AT "smtpd[12]: connect from mx07.example.com[192.0.2.43]\n" AT
		"smtpd[13]: connect from x.example.org[192.0.2.44]\n" AT
		"smtpd[12]: SSL_accept error from mx07.example.com[192.0.2.43]: -1\n" AT
		"smtpd[13]: SSL_accept error from x.example.org[192.0.2.44]: Connection reset by peer\n" AT
		"smtpd[12]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2220:\n" AT
		"smtpd[12]: lost connection after STARTTLS from mx07.example.com[192.0.2.43]\n" AT
		"smtpd[12]: disconnect from mx07.example.com[192.0.2.43] ehlo=1 starttls=0/1 commands=1/2\n" AT
		"smtpd[14]: connect from mx07.example.com[192.0.2.43]\n" AT
		"smtpd[14]: NOQUEUE: reject: RCPT from mx07.example.com[192.0.2.43]: 530 5.7.0 Must issue a STARTTLS command first; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<mx07.example.com>\n" AT
		"smtpd[15]: connect from y.example[192.0.2.45]\n" AT
		"smtpd[15]: lost connection after STARTTLS from y.example[192.0.2.45]\n" AT
		"smtp[16]: SSL_connect error to mx.example.net[192.0.2.46]:25: -1\n" AT
		"smtp[16]: warning: TLS library problem: error:0A000410:SSL routines::sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1584:SSL alert number 40:\n");
	p = peer("192.0.2.43");
	assert_int_equal(p->failures_in, 1);
	assert_string_equal(p->reason, "error:0A0000C1:SSL routines::no shared cipher");
	assert_int_equal(p->causes_n, 1);
	assert_cause(p, FAULT_TLS_HANDSHAKE_FAILED, true);
	assert_int_equal(p->fallbacks, 1);
	assert_int_equal(p->refusals, 1);
	assert_string_equal(p->refused_for, "c@d.example");
	assert_string_equal(p->refused_with, "530 5.7.0 Must issue a STARTTLS command first");
	assert_cause(peer("192.0.2.44"), FAULT_TLS_PEER_LEFT_AT_CERT, true);
	assert_int_equal(peer("192.0.2.45")->failures_in, 1);
	p = peer("192.0.2.46");
	assert_int_equal(p->failures_out, 1);
	assert_cause(p, FAULT_TLS_SERVER_REFUSED, true);
}

/* smtpd_tls_loglevel = 0: only the end of the connection tells. */
static void test_postfix_that_tells_little(void **state)
{
#define CONNECT  AT "smtpd[12]: connect from h[192.0.2.1]\n"
#define MAIL     AT "smtpd[12]: 4F1A2B3C4D: client=h[192.0.2.1]\n"
#define END(how) AT "smtpd[12]: disconnect from h[192.0.2.1]" how "\n"
#define BROKEN   AT "smtpd[12]: SSL_accept error from h[192.0.2.1]: -1\n"
#define TELLS \
	AT "smtpd[13]: Anonymous TLS connection established from o[192.0.2.9]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
	static const struct {
		const char *lines;
		unsigned mails, clear, untold, failures, fallbacks;
	} cases[] = {
		{ CONNECT MAIL MAIL END(" ehlo=2 starttls=1 mail=2 quit=1 commands=6"), 2, 0, 0, 0, 0 },
		{ CONNECT MAIL END(" ehlo=1 mail=1 quit=1 commands=3"), 0, 1, 0, 0, 0 },
		{ CONNECT MAIL END(" ehlo=2 starttls=0/1 mail=1 quit=1 commands=5/6"), 0, 1, 0, 1, 1 },
		{ CONNECT MAIL END(" ehlo=2 starttls=1/2 mail=1 commands=5/6"), 1, 0, 0, 0, 0 },
		{ CONNECT BROKEN END(" ehlo=1 starttls=0/1 commands=1/2")
				CONNECT MAIL END(" ehlo=2 starttls=1 mail=1 commands=4"),
			1, 0, 0, 1, 0 },
		{ CONNECT BROKEN END(" ehlo=1 starttls=0/1 commands=1/2") CONNECT MAIL END(" ehlo=1 mail=1 commands=2"),
			0, 1, 0, 1, 1 },
		/* nothing tells */
		{ CONNECT MAIL END(""), 0, 0, 1, 0, 0 },
		{ CONNECT MAIL, 0, 0, 1, 0, 0 },
		{ CONNECT MAIL CONNECT END(" ehlo=1 commands=1"), 0, 0, 1, 0, 0 },
		{ CONNECT BROKEN END("") CONNECT MAIL END(""), 0, 0, 1, 1, 0 },
		/* it would have been told */
		{ TELLS CONNECT MAIL END(""), 0, 1, 0, 0, 0 },
		{ CONNECT MAIL END("") TELLS, 0, 1, 0, 0, 0 },
		/* TLS from the first byte */
		{ "Jan  5 09:14:21 m postfix/smtps/smtpd[12]: connect from h[192.0.2.1]\nJan  5 09:14:21 m postfix/smtps/smtpd[12]: 4F: client=h[192.0.2.1]\nJan  5 09:14:21 m postfix/smtps/smtpd[12]: disconnect from h[192.0.2.1] ehlo=1 auth=1 mail=1 commands=3\n",
			1, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		const struct log_peer *p;

		feed(cases[i].lines);
		p = peer("192.0.2.1");
		if (p->mails_in != cases[i].mails || p->clear_in != cases[i].clear || p->untold_in != cases[i].untold ||
			p->failures_in != cases[i].failures || p->fallbacks != cases[i].fallbacks)
			fail_msg("%zu: %d %d %d %d %d", i, (int)p->mails_in, (int)p->clear_in, (int)p->untold_in,
				(int)p->failures_in, (int)p->fallbacks);
	}
	/* smtp_tls_loglevel = 0, too */
	feed(AT "smtp[15]: 4F1A2B3C4F: to=<u@e.com>, relay=h[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n");
	assert_int_equal(peer("192.0.2.1")->untold_out, 1);
	assert_int_equal(peer("192.0.2.1")->clear_out, 0);
}

/* smtpd_client_port_logging = yes */
static void test_postfix_with_ports(void **state)
{
	const struct log_peer *p;

	feed(AT "smtpd[12]: connect from h[192.0.2.1]:4712\n" AT
		"smtpd[12]: SSL_accept error from h[192.0.2.1]:4712: -1\n" AT
		"smtpd[12]: lost connection after STARTTLS from h[192.0.2.1]:4712\n" AT
		"smtpd[12]: disconnect from h[192.0.2.1]:4712 ehlo=1 starttls=0/1 commands=1/2\n" AT
		"smtpd[12]: connect from h[192.0.2.1]:4713\n" AT
		"smtpd[12]: NOQUEUE: reject: RCPT from h[192.0.2.1]:4713: 450 4.7.0 Session encryption is required; from=<a@b> to=<c@d> proto=ESMTP helo=<h>\n" AT
		"smtpd[12]: disconnect from h[192.0.2.1]:4713 ehlo=1 mail=1 rcpt=0/1 commands=2/3\n" AT
		"smtpd[12]: connect from h[192.0.2.1]:4714\n" AT "smtpd[12]: 4F: client=h[192.0.2.1]:4714\n" AT
		"smtpd[12]: disconnect from h[192.0.2.1]:4714 ehlo=2 starttls=1 mail=1 commands=4\n");
	p = peer("192.0.2.1");
	assert_int_equal(p->failures_in, 1);
	assert_int_equal(p->refusals, 1);
	assert_string_equal(p->refused_with, "450 4.7.0 Session encryption is required");
	assert_int_equal(p->mails_in, 1);
	assert_int_equal(p->clear_in, 0);
}

/* Without +tls_cipher there is no X=. */
static void test_exim_that_tells_no_cipher(void **state)
{
	feed("2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1]:47 P=esmtpsa A=plain:x S=1\n"
	     "2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1]:47 P=esmtp S=1\n"
	     "2024-01-05 09:14:21 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1]:47 P=smtps S=1\n");
	assert_int_equal(peer("192.0.2.1")->mails_in, 2);
	assert_int_equal(peer("192.0.2.1")->clear_in, 1);
}

/* 3.7 as a client: what it demands and does not get, each told for each recipient; and without TLS
 * after a failure. */
static void test_postfix_deliveries_without_tls(void **state)
{
#define DELIVERY(pid, id, to, status) \
	AT "smtp[" pid "]: " id ": to=<" to \
	   "@example.test>, relay=127.0.0.1[127.0.0.1]:34531, delay=0.2, delays=0/0/0/0, dsn=4.7.5, status=" status \
	   "\n"
#define UP \
	AT "smtp[20]: Untrusted TLS connection established to 127.0.0.1[127.0.0.1]:34531: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
#define NOT_OFFERED "deferred (TLS is required, but was not offered by host 127.0.0.1[127.0.0.1])"
#define DOWN        AT "smtp[20]: SSL_connect error to 127.0.0.1[127.0.0.1]:34531: lost connection\n"
	static const struct {
		const char *lines;
		unsigned failures, fallbacks, mails, clear;
	} cases[] = {
		{ DELIVERY("20", "14AD0576362", "a", NOT_OFFERED) DELIVERY("20", "14AD0576362", "b", NOT_OFFERED), 1, 0,
			0, 0 },
		{ DELIVERY("20", "5773A57635B", "a",
			  "deferred (TLS is required, but host 127.0.0.1[127.0.0.1] refused to start TLS: 454 4.7.0 TLS not available)"),
			1, 0, 0, 0 },
		{ DELIVERY("20", "697B8576415", "a", "deferred (Server certificate not verified)"), 1, 0, 0, 0 },
		/* Counted by its first line. */
		{ DOWN DELIVERY("20", "8FA74576211", "a", "deferred (Cannot start TLS: handshake failure)"), 1, 0, 0,
			0 },
		{ DOWN AT "smtp[20]: 8FA74576211: Cannot start TLS: handshake failure\n" DELIVERY("20", "8FA74576211",
			  "a", "sent (250 Ok)"),
			1, 1, 0, 1 },
		/* The same process, the same host: another message without a line about TLS had
		 * none. */
		{ UP DELIVERY("20", "8FA74576211", "a", "sent (250 Ok)") DELIVERY("20", "8FA74576211", "b",
			  "sent (250 Ok)") DELIVERY("20", "8FA74576212", "a", "sent (250 Ok)"),
			0, 0, 2, 1 },
		{ UP DELIVERY("20", "8FA74576211", "a", "sent (250 Ok)") AT
			"smtp[20]: Untrusted TLS connection reused to 127.0.0.1[127.0.0.1]:34531: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n" DELIVERY(
				"20", "8FA74576212", "a", "sent (250 Ok)"),
			0, 0, 2, 0 },
		{ UP DELIVERY("20", "8FA74576211", "a", "sent (250 Ok)")
				DOWN DELIVERY("20", "8FA74576211", "b", "sent (250 Ok)"),
			1, 1, 1, 1 },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		const struct log_peer *p;

		feed(cases[i].lines);
		p = peer("127.0.0.1");
		assert_int_equal(p->failures_out, cases[i].failures);
		assert_int_equal(p->fallbacks_out, cases[i].fallbacks);
		assert_int_equal(p->mails_out, cases[i].mails);
		assert_int_equal(p->clear_out, cases[i].clear);
		assert_string_equal(p->host, ""); /* an address is no name */
	}
	feed(cases[0].lines);
	assert_cause(peer("127.0.0.1"), FAULT_TLS_NOT_OFFERED, false);
	feed(cases[2].lines);
	assert_cause(peer("127.0.0.1"), FAULT_TLS_NOT_TRUSTED, false);
}

/* Lines of postscreen and its tlsproxy, which has the words before the failure. */
static void test_postscreen(void **state)
{
	const struct log_peer *p;

	feed(AT "postscreen[7016]: CONNECT from [127.0.0.21]:59827 to [127.181.243.250]:36513\n" AT
		"tlsproxy[7099]: CONNECT from [127.0.0.21]:59827\n" AT
		"tlsproxy[7099]: Anonymous TLS connection established from [127.0.0.21]:59827: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256\n" AT
		"postscreen[7016]: NOQUEUE: reject: RCPT from [127.0.0.21]:59827: 450 4.3.2 Service currently unavailable; from=<sender@client.test>, to=<box@example.test>, proto=ESMTP, helo=<client.test>\n" AT
		"tlsproxy[7099]: DISCONNECT [127.0.0.21]:59827\n" AT
		"postscreen[7016]: HANGUP after 0.09 from [127.0.0.21]:59827 in tests after SMTP handshake\n" AT
		"postscreen[7016]: PASS NEW [127.0.0.21]:59827\n" AT
		"postscreen[7016]: DISCONNECT [127.0.0.21]:59827\n" AT
		"postscreen[7016]: NOQUEUE: reject: RCPT from [127.0.0.22]:58555: 450 4.3.2 Service currently unavailable; from=<sender@client.test>, to=<box@example.test>, proto=ESMTP, helo=<client.test>\n" AT
		"tlsproxy[7099]: CONNECT from [127.0.0.23]:36057\n" AT
		"tlsproxy[7099]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2226:\n" AT
		"tlsproxy[7099]: TLS handshake failed for service=smtpd peer=[127.0.0.23]:36057\n" AT
		"tlsproxy[7099]: DISCONNECT [127.0.0.23]:36057\n" AT
		"postscreen[7016]: NOQUEUE: reject: RCPT from [127.0.0.23]:58367: 450 4.3.2 Service currently unavailable; from=<sender@client.test>, to=<box@example.test>, proto=ESMTP, helo=<client.test>\n" AT
		"tlsproxy[7099]: CONNECT from [127.0.0.25]:47689\n" AT
		"tlsproxy[7099]: TLS handshake failed for service=smtpd peer=[127.0.0.25]:47689\n" AT
		"tlsproxy[14353]: warning: ciphertext read/write timeout for [127.0.0.30]:39851\n" AT
		"tlsproxy[14353]: TLS handshake failed for service=smtpd peer=[127.0.0.30]:39851\n" AT
		"tlsproxy[21205]: warning: TLS library problem: error:0A000410:SSL routines::sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1602:SSL alert number 40:\n" AT
		"tlsproxy[21205]: TLS handshake failed for service=smtp peer=[127.0.0.31]:45049\n" AT
		"tlsproxy[21205]: Untrusted TLS connection established to 127.0.0.32[127.0.0.32]:37239: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256\n");
	p = peer("127.0.0.21");
	assert_use(p, 0, "TLSv1.3", "TLS_AES_256_GCM_SHA384", TLS_KEY_ECDSA, 1, 0);
	assert_int_equal(p->failures_in + p->fallbacks + p->refusals + p->mails_in + p->clear_in, 0);
	p = peer("127.0.0.23");
	assert_int_equal(p->failures_in, 1);
	assert_string_equal(p->reason, "error:0A0000C1:SSL routines::no shared cipher");
	assert_cause(p, FAULT_TLS_HANDSHAKE_FAILED, true);
	assert_int_equal(p->fallbacks, 1);
	assert_int_equal(p->refusals, 0);
	assert_cause(peer("127.0.0.25"), FAULT_TLS_PEER_LEFT_AT_CERT, true);
	assert_cause(peer("127.0.0.30"), FAULT_TLS_TIMEOUT, false);
	assert_int_equal(peer("127.0.0.31")->failures_out, 1);
	assert_cause(peer("127.0.0.31"), FAULT_TLS_SERVER_REFUSED, true);
	/* Known only to postscreen, or told by smtp itself. */
	assert_int_equal(logs_count(logs), 5);
}

static void test_postfix_with_long_times_and_instances(void **state)
{
	feed("2024-01-05T09:14:21.123456+01:00 mail postfix-in/submission/smtpd[12]: SSL_accept error from h.example[192.0.2.1]: -1\n");
	assert_int_equal(peer("192.0.2.1")->failures_in, 1);
	assert_int_equal(peer("192.0.2.1")->failed_at, 1704442461);
}

/* ---- torhaus ---- */

static void test_torhaus(void **state)
{
	const struct log_peer *p;

	feed("2024-01-05T09:14:21+01:00 mail session session=a1 peer=192.0.2.43 helo=mx07.example.com tls=none verdict=tls-failed mails=0 errors=0 seconds=0 code=TLS-NO-RSA-CERT\n"
	     "2024-01-05T09:14:21+01:00 mail tls-failed code=TLS-NO-RSA-CERT suites=\"a, b\" peer=192.0.2.43\n"
	     "  cause:  The peer can only verify RSA certificates\n"
	     "2024-01-05T09:14:22+01:00 mail recipient session=a2 peer=192.0.2.43 helo=mx07.example.com tls=none id=x from=a@b to=c@d.example answer=450 reply=\"4.7.10 Encryption required\"\n"
	     "2024-01-05T09:14:23+01:00 mail session session=a2 peer=192.0.2.43 helo=mx07.example.com tls=none verdict=quit mails=0 errors=1 seconds=0\n"
	     "2024-01-05T09:14:24+01:00 mail session session=a3 peer=2001:db8::1 helo=- tls=TLSv1.3 suite=TLS_AES_128_GCM_SHA256 verdict=quit mails=3 errors=0 seconds=0\n"
	     "2024-01-05T09:15:24+01:00 mail plaintext-refused peer=192.0.2.43 helo=mx07.example.com tls=none session=a4 id=b1 from=\"<\\x22a code=X rcpt=y\\x22@b>\" to=c@d.example answer=450 code=TLS-PLAINTEXT-FALLBACK ago=1m rcpt=c@d.example\n"
	     "2024-01-05T09:15:24+01:00 mail postfix/smtpd[12]: connect from h[192.0.2.78]\n"
	     "2024-01-05T09:14:24+01:00 web session peer=192.0.2.77 tls=none verdict=tls-failed\n");
	p = peer("192.0.2.43");
	assert_int_equal(p->failures_in, 1);
	assert_cause(p, FAULT_TLS_NO_RSA_CERT, false);
	assert_int_equal(p->fallbacks, 1);
	assert_int_equal(p->refusals, 2);
	assert_string_equal(p->refused_with, "TLS-PLAINTEXT-FALLBACK");
	assert_int_equal(peer("2001:db8::1")->mails_in, 3);
	assert_use(peer("2001:db8::1"), 0, "TLSv1.3", "TLS_AES_128_GCM_SHA256", TLS_KEY_OTHER, 1, 0);
	assert_int_equal(logs_count(logs), 2);
}

/* ---- sums ---- */

static void test_fallbacks_have_their_time(void **state)
{
#define FAILED       "2024-01-05 09:00:00 TLS error on connection from h [192.0.2.1] (SSL_accept): timed out\n"
#define CLEAR(time)  "2024-01-05 " time " 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1] P=esmtp S=1\n"
#define SECURE(time) "2024-01-05 " time " 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1] P=esmtps X=TLS1.3:X:1 S=1\n"
	feed(FAILED CLEAR("09:10:00") CLEAR("09:10:00"));
	assert_int_equal(peer("192.0.2.1")->fallbacks, 1);
	feed(FAILED CLEAR("09:10:01"));
	assert_int_equal(peer("192.0.2.1")->fallbacks, 0);
	/* It came with TLS meanwhile. */
	feed(FAILED SECURE("09:00:01") CLEAR("09:00:02"));
	assert_int_equal(peer("192.0.2.1")->fallbacks, 0);
	feed(CLEAR("08:59:59") FAILED);
	assert_int_equal(peer("192.0.2.1")->fallbacks, 0);
	/* Their server failed, not their client. */
	feed("2024-01-05 09:00:00 TLS error on connection to h [192.0.2.1] (SSL_connect): timed out\n" CLEAR(
		"09:00:02"));
	assert_int_equal(peer("192.0.2.1")->fallbacks, 0);
}

static void test_who_has_only_rsa(void **state)
{
#define USE(address, suite) \
	"2024-01-05 09:00:00 1rB7Q1-0041w7-0i <= a@b H=h.example.com [" address "] P=esmtps X=" suite ":256 S=1\n"
	bool sure;

	feed(USE("192.0.2.1", "TLS1.2:ECDHE-RSA-AES128-GCM-SHA256") USE("192.0.2.2", "TLS1.3:TLS_AES_128_GCM_SHA256"));
	assert_true(logs_is_rsa_only(logs, peer("192.0.2.1"), &sure));
	assert_false(sure);
	assert_false(logs_is_rsa_only(logs, peer("192.0.2.2"), &sure));
	feed(USE("192.0.2.1", "TLS1.2:AES128-SHA") USE("192.0.2.3", "TLS1.2:ECDHE-ECDSA-AES128-GCM-SHA256"));
	assert_true(logs_is_rsa_only(logs, peer("192.0.2.1"), &sure));
	assert_true(sure);
	assert_false(logs_is_rsa_only(logs, peer("192.0.2.3"), &sure));
}

/* Only if the one type ended where the other began: a server with both shows them in turn. */
static void test_our_certificate_changes(void **state)
{
#define CAME_AT(time, key) \
	"2024-01-05 " time " 1rB7Q1-0041w7-0i <= a@b H=h [192.0.2.1] P=esmtps X=TLS1.2:ECDHE-" key \
	"-AES128-GCM-SHA256:128 S=1\n"
	static const struct {
		const char *lines;
		bool changed;
		enum tls_key_type to;
	} cases[] = {
		{ CAME_AT("09:00:00", "RSA") CAME_AT("09:00:01", "ECDSA"), true, TLS_KEY_ECDSA },
		{ CAME_AT("09:00:01", "RSA") CAME_AT("09:00:00", "ECDSA"), true, TLS_KEY_RSA },
		{ CAME_AT("09:00:00", "RSA") CAME_AT("09:00:01", "ECDSA") CAME_AT("09:00:02", "RSA"), false, 0 },
		{ CAME_AT("09:00:00", "RSA") CAME_AT("09:00:00", "ECDSA"), false, 0 },
		{ CAME_AT("09:00:00", "RSA"), false, 0 },
		{ CAME_AT("09:00:00", "ECDSA"), false, 0 },
		{ "", false, 0 },
		/* Others' certificates. */
		{ CAME_AT("09:00:00",
			  "RSA") "2024-01-05 09:00:01 1rB7Q1-0041w7-0i => a@b R=r T=t H=h [192.0.2.1] X=TLS1.2:ECDHE-ECDSA-AES128-SHA:128\n",
			false, 0 },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct logs_change change;

		feed(cases[i].lines);
		assert_int_equal(logs_key_change(logs, &change), cases[i].changed);
		if (cases[i].changed) {
			assert_int_equal(change.to, cases[i].to);
			assert_int_equal(change.since - change.until, 1);
		}
	}
}

/* First and last, in the direction of the last; the other direction's failure does not hide what
 * follows. */
static void test_since_when(void **state)
{
	const struct log_peer *p;

	feed(SECURE("08:00:00") FAILED CLEAR(
		"09:00:01") "2024-01-05 09:00:02 TLS error on connection to h [192.0.2.1] (SSL_connect): timed out\n" FAILED
			    "2024-01-05 09:00:00 TLS error on connection to h [192.0.2.1] (SSL_connect): timed out\n" CLEAR(
				    "09:00:05"));
	p = peer("192.0.2.1");
	assert_int_equal(p->fallbacks, 2);
	assert_true(p->failed_out);
	assert_int_equal(p->secured_at, 0);
	feed(SECURE("08:00:00") FAILED
		"2024-01-05 09:05:00 TLS error on connection from h [192.0.2.1] (SSL_accept): timed out\n");
	p = peer("192.0.2.1");
	assert_int_equal(p->failed_at - p->failed_first_at, 300);
	assert_int_equal(p->failed_first_at - p->secured_at, 3600);
}

/* The group speaks TLS 1.3: then its failure has another reason. */
static void test_no_guess_against_the_evidence(void **state)
{
	feed(USE("192.0.2.1", "TLS1.2:AES128-SHA") USE("192.0.2.2",
		"TLS1.3:TLS_AES_128_GCM_SHA256") "2024-01-05 09:00:00 TLS error on connection from h.example.com [192.0.2.1] (SSL_accept): no shared cipher\n");
	assert_cause(peer("192.0.2.1"), FAULT_TLS_HANDSHAKE_FAILED, true);
}

static void test_groups(void **state)
{
	static const char *const hosts[][2] = { { "mx1.example.com", "example.com" },
		{ "a.b.c.example.org", "example.org" }, { "mail.firm.co.uk", "firm.co.uk" },
		{ "example.de", "example.de" }, { "mx.ab.de", "mx.ab.de" }, { "localhost", "192.0.2.0/24" },
		{ "mx.verein.de", "verein.de" } };

	for (size_t i = 0; i < array_len(hosts); i++) {
		struct buf line = BUF_INIT(4096);

		buf_addf(&line, "2024-01-05 09:00:00 TLS error on connection from %s [192.0.2.1] (SSL_accept): x\n",
			hosts[i][0]);
		feed(buf_text(&line));
		assert_string_equal(peer("192.0.2.1")->group, hosts[i][1]);
		buf_done(&line);
	}
}

/* More peers than places: the quiet ones that were not seen for longest go, and that is told. */
static void test_memory_is_bounded(void **state)
{
	struct buf line = BUF_INIT(4096);

	logs_free(logs);
	logs = logs_new(0, 100);
	logs_feed(logs,
		SPAN("2024-01-05 09:00:00 TLS error on connection from h [192.0.2.1] (SSL_accept): timed out\n"), 0);
	for (unsigned i = 0; i < 10000; i++) {
		buf_reset(&line);
		buf_addf(&line,
			"2024-01-05 09:00:01 1rB7Q1-0041w7-0i <= a@b H=h%u.example [10.1.%u.%u] P=esmtps X=TLS1.2:SUITE-%u:1 S=1\n",
			i, i / 200, i % 200, i);
		logs_feed(logs, buf_span(&line), 0);
	}
	logs_conclude(logs);
	assert_int_equal(logs_count(logs), 100);
	assert_int_equal(logs_totals(logs)->evicted, 9901);
	assert_int_equal(logs_totals(logs)->evicted_failures, 0);
	assert_int_equal(peer("192.0.2.1")->failures_in, 1);
	assert_int_equal(peer("10.1.49.199")->mails_in, 1);
	assert_int_equal(peer("10.1.49.199")->uses_more, 1);
	/* Failures fill it, too: then the oldest of those goes. */
	for (unsigned i = 0; i < 200; i++) {
		buf_reset(&line);
		buf_addf(&line,
			"2024-01-05 09:00:02 TLS error on connection from h [10.2.0.%u] (SSL_accept): timed out\n", i);
		logs_feed(logs, buf_span(&line), 0);
	}
	logs_conclude(logs);
	assert_int_equal(logs_count(logs), 100);
	assert_int_equal(logs_totals(logs)->evicted_failures, 101);
	buf_done(&line);
}

static void test_since(void **state)
{
	logs_free(logs);
	logs = logs_new(1704445200, 0); /* 09:00 UTC */
	logs_feed(logs,
		SPAN("2024-01-05 08:59:59 +0000 TLS error on connection from h [192.0.2.1] (SSL_accept): timed out\n"
		     "2024-01-05 10:00:00 +0100 TLS error on connection from h [192.0.2.2] (SSL_accept): timed out\n"),
		0);
	logs_conclude(logs);
	assert_int_equal(logs_count(logs), 1);
	assert_string_equal(logs_peer(logs, 0)->address, "192.0.2.2");
}

/* Classic syslog has no year: the file's last change tells. */
static void test_times_without_a_year(void **state)
{
	struct tm tm;
	time_t at;

	feed("Dec 31 23:59:59 m postfix/smtpd[1]: SSL_accept error from h[192.0.2.1]: -1\n"
	     "Jan  1 00:00:01 m postfix/smtpd[1]: SSL_accept error from h[192.0.2.2]: -1\n");
	at = peer("192.0.2.1")->failed_at;
	localtime_r(&at, &tm);
	assert_int_equal(tm.tm_year, 123);
	at = peer("192.0.2.2")->failed_at;
	localtime_r(&at, &tm);
	assert_int_equal(tm.tm_year, 124);
	assert_int_equal(peer("192.0.2.2")->failed_at - peer("192.0.2.1")->failed_at, 2);
}

/* What a peer can put into a log must not reach a terminal as it is. */
static void test_texts_are_safe(void **state)
{
	feed("2024-01-05 09:00:00 TLS error on connection from \x1b[31mh [192.0.2.1] (SSL_accept): x\n"
	     "2024-01-05 09:00:00 TLS error on connection from h [192.0.2.1] (SSL_accept): bell \a and \xff\n");
	assert_string_equal(peer("192.0.2.1")->reason, "bell \\x07 and \\xff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_founding_lines),
		cmocka_unit_test(test_exim_mails),
		cmocka_unit_test(test_exim_failures),
		cmocka_unit_test(test_exim_lines_that_tell_nothing),
		cmocka_unit_test(test_refusals_for_want_of_encryption),
		cmocka_unit_test(test_demanded_by_servers),
		cmocka_unit_test(test_alerts_and_directions),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_nobody_speaks_for_another),
		cmocka_unit_test(test_exim_writes_failures_late),
		cmocka_unit_test(test_exim_deliveries_without_tls),
		cmocka_unit_test(test_exim_through_syslog),
		cmocka_unit_test(test_postfix_connections),
		cmocka_unit_test(test_postfix_failures),
		cmocka_unit_test(test_postfix_that_tells_little),
		cmocka_unit_test(test_postfix_with_ports),
		cmocka_unit_test(test_exim_that_tells_no_cipher),
		cmocka_unit_test(test_postfix_deliveries_without_tls),
		cmocka_unit_test(test_postscreen),
		cmocka_unit_test(test_postfix_with_long_times_and_instances),
		cmocka_unit_test(test_torhaus),
		cmocka_unit_test(test_fallbacks_have_their_time),
		cmocka_unit_test(test_who_has_only_rsa),
		cmocka_unit_test(test_our_certificate_changes),
		cmocka_unit_test(test_since_when),
		cmocka_unit_test(test_no_guess_against_the_evidence),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_times_without_a_year),
		cmocka_unit_test(test_texts_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
