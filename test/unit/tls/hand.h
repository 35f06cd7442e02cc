/*
 * Handshakes in memory for the tests of tls/: hellos written by hand, OpenSSL clients against a
 * set, and the facts that the server's side is left with.
 */
#pragma once
#include "maker.h"
#include "tls/tls_priv.h"

/* A list of 16-bit numbers; .p == NULL: the extension is left out. */
struct list16 {
	const uint16_t *p;
	unsigned n;
};
#define LIST16(...) \
	((struct list16){ (const uint16_t[]){ __VA_ARGS__ }, \
		sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t) })

/* Zero is a TLS 1.2 hello without extensions and suites. */
struct hello_recipe {
	uint16_t version; /* legacy_version; 0: 0x0303 */
	struct list16 suites, versions, groups, signatures;
	/* key shares, each with a body that is a point or number of the right size */
	struct list16 shares;
	const char *sni;
	const char *alpn; /* one protocol */
	const char *more; /* further extensions, hexadecimal */
	unsigned padding; /* bytes of a padding extension (RFC 7685); 0: none */
	unsigned record;  /* bytes of the message that a record takes; 0: as many as there are */
};
#define HAND_MAX (80 * 1024)
struct hand {
	uint8_t bytes[HAND_MAX];
	size_t n;
};
void hand_hello(const struct hello_recipe *recipe, struct hand *ret);
void hand_hello_v2(uint16_t version, struct list16 suites, struct hand *ret);
/* Hexadecimal text, blanks allowed. */
void hand_hex(const char *hex, struct hand *ret);
struct span hand_span(const struct hand *h);

/* One attempt: the server's side of set (for use) against a client or against bytes. */
struct attempt {
	struct tls_facts facts;
	bool client_done, server_done;
	X509 *served; /* what the client got, borrowed until attempt_done() */
	SSL *client, *server;
};
/* What a client may be told. */
struct client_recipe {
	int min, max;       /* versions; 0: the library's */
	const char *suites; /* up to TLS 1.2 */
	const char *suites13;
	const char *groups, *signatures;
	const char *name;         /* SNI */
	const char *alpn;         /* one protocol */
	int level;                /* of security, plus one: 0 means 2 */
	const struct made *trust; /* verify, with this root; NULL: do not verify */
	const char *verify_name;
	bool scsv;              /* send TLS_FALLBACK_SCSV */
	const struct made *own; /* the certificate to show */
	bool corrupt;           /* flip a bit of the last byte sent in each turn but the first */
	bool leaves;            /* closes after our first flight, without a word */
	bool wrong_tlsa;        /* verify by a TLSA record (3 1 1) of another key */
	/* bytes of our Certificate message that it takes; 0: the library's */
	size_t chain_max;
	SSL_SESSION *session;
};
SSL *client_make(const struct client_recipe *recipe);
/* Both sides until nothing moves. The client is freed by attempt_done(). */
void attempt_client(struct tls_set *set, enum tls_use use, const struct client_recipe *recipe, struct attempt *ret);
/* The bytes arrive, and then the end (or, with error, that negative errno). */
void attempt_bytes(struct tls_set *set, enum tls_use use, struct span bytes, int error, struct attempt *ret);
/* A program on this machine is the client: "PORT" in its words is where the set is served. Skips
 * the test if it is not installed. */
void attempt_program(struct tls_set *set, enum tls_use use, const char *const *words, struct attempt *ret);
/* The other way round: the facts are those of our client (a recipe's), the server is whatever ctx
 * makes of it. corrupt: of what the server sends, too. */
void attempt_as_client(SSL_CTX *ctx, const struct client_recipe *recipe, struct attempt *ret);
/* And here the server says these bytes to whatever our client sends, then closes (or, with error,
 * that negative errno). */
void attempt_as_client_of_bytes(struct span bytes, int error, const struct client_recipe *recipe, struct attempt *ret);
void attempt_done(struct attempt *a);
