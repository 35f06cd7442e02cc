/*
 * Which certificate does a server serve, for a key type? Of any server: ourselves over the real
 * listener, Postfix, Exim, nginx.
 *
 * A plain OpenSSL client that knows one key type only (signature algorithms, and the suites up to
 * TLS 1.2), so that the server has to show that certificate. It comes from outside of our own TLS
 * code's view. Nothing is verified but which certificate comes: whether the world trusts it is
 * another question; old versions are spoken, too.
 *
 * Blocking; a server that says nothing for timeout_s ends it.
 */
#pragma once
#include "io/net.h"
#include "tls/tls.h"

struct served_place {
	struct net_addr address; /* 0.0.0.0 and [::] are reached at the loopback address */
	bool proxied;            /* send a PROXY header first */
	bool starttls;           /* of SMTP, before TLS */
	const char *ehlo;        /* for that; NULL: "localhost" */
	unsigned timeout_s;
};
struct served_leaf {
	uint8_t fingerprint[32]; /* SHA-256 */
	int64_t not_before, not_after;
	char issuer[128];
};
/* name: asked for (SNI); may be empty. 0; -EPROTO: the handshake failed, as it does if there is no
 * such certificate; -EOPNOTSUPP: no STARTTLS; another negative errno: not reached. *ret_why says it
 * in words (of the library; valid until the next call of this thread). */
int served_ask(const struct served_place *place, struct span name, enum tls_key_type type, struct served_leaf *ret,
	const char **ret_why);

/* The newest certificate of each key type that files hold, for comparing. */
struct served_file {
	const char *path;
	enum tls_key_type type;
	uint8_t fingerprint[32];
	int64_t not_before, not_after;
	int64_t changed_at; /* of the file, wall seconds */
};
#define SERVED_FILES_MAX 64
/* All certificates that the files hold, keys or not; what is wrong with them goes to on_fault.
 * Their number, at most SERVED_FILES_MAX. */
unsigned served_files(const char *const *paths, unsigned n, struct served_file *ret, tls_fault_fn *on_fault, void *arg);
/* The newest of that type that is valid now, else the newest; NULL: none. */
const struct served_file *served_newest(const struct served_file *files, unsigned n, enum tls_key_type type,
	int64_t now_s);
