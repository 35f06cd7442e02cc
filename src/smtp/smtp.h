/*
 * SMTP on the wire: command lines, addresses, replies, the framing of messages (all pure), and
 * the client's side of a conversation.
 *
 *   line.c     a command line: verb and arguments; HELO names
 *   foreign.c  what is surely no mail client
 *   path.c     <local@domain>: quoted local parts, UTF-8, address literals, source routes
 *   params.c   the parameters of MAIL, RCPT and BDAT
 *   reply.c    replies, read piece by piece and written; capabilities from the answer to EHLO
 *   data.c     the message between DATA and its dot: reader and writer
 *   client.c   a connection to a server: ask, be answered, STARTTLS
 *
 * Strict, because two programs that read one conversation differently is how mail is smuggled
 * (CVE-2023-51764 to -51766): a line ends in CRLF and nothing else, a message ends in CRLF.CRLF and
 * nothing else, a NUL, a lone CR and a lone LF are errors in all that a client says. What is passed
 * on is written anew.
 *
 * Replies are read as mail servers read them: a line ends in LF, with or without a CR before it,
 * and may hold anything. A yes to a message that is not recognised as one would bring it again and
 * again, with every try of its sender.
 *
 * RFC 5321 (SMTP), 1870 (SIZE), 2034 and 3463 (enhanced codes), 2920 (PIPELINING), 3030 (CHUNKING),
 * 3207 (STARTTLS), 3461 (DSN), 6152 (8BITMIME), 6531 (SMTPUTF8).
 */
#pragma once
#include <stdbool.h>
#include "base/buf.h"
#include "base/fault.h"
#include "io/conn.h"

#define SMTP_LINE_MAX  2048 /* of a command with its CRLF: 512 and what the extensions add */
#define SMTP_REPLY_MAX 8192 /* of a reply, all its lines; the middle of a longer one is not kept */
/* bytes of a local part: RFC 5321 says 64, but VERP and SRS make longer ones */
#define SMTP_LOCAL_MAX 256
#define SMTP_NAME_MAX  255 /* bytes of a domain */

/* An answer of ours: code, enhanced code ("" for 220, 221 of a greeting and 354), text. */
struct smtp_answer {
	unsigned code;
	const char *enhanced, *text;
};

/* ---- command lines (RFC 5321 4.1.1) ---- */

enum smtp_verb {
	SMTP_UNKNOWN,
	SMTP_HELO,
	SMTP_EHLO,
	SMTP_STARTTLS,
	SMTP_MAIL, /* "MAIL FROM:", the arguments begin behind the colon */
	SMTP_RCPT, /* "RCPT TO:" likewise */
	SMTP_DATA,
	SMTP_BDAT,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_VRFY,
	SMTP_EXPN,
	SMTP_HELP,
	SMTP_QUIT,
	SMTP_VERB_COUNT
};
struct smtp_line {
	enum smtp_verb verb;
	struct span args; /* without blanks at both ends */
};
/* line: without its CRLF. NULL if it is a command that exists and fits its form, else our answer;
 * the verb is set in any case. */
const struct smtp_answer *smtp_line_parse(struct span line, struct smtp_line *ret);
/* Takes a word between blanks or tabs off the front of *rest; empty: there is none. */
struct span smtp_take_word(struct span *rest);
/* Takes a line off the front of bytes. 1 and the line (without CRLF) and what it used; 0 if there
 * is no whole line yet; -EBADMSG for a lone CR or LF or a NUL; -EMSGSIZE if the line is longer than
 * SMTP_LINE_MAX. */
int smtp_line_take(struct span bytes, struct span *ret_line, size_t *ret_used);
/* What somebody speaks who is no mail client, in English and in German. */
struct smtp_foreign {
	const char *name, *name_de;
};
/* Does he who begins a line with these bytes surely speak another protocol: HTTP, TLS, SSH, SIP…?
 * Static, or NULL: no, or it cannot be told yet. first: nothing of this session was understood so
 * far. */
const struct smtp_foreign *smtp_find_foreign(struct span bytes, bool first);
/* The name after HELO or EHLO: printable, at most SMTP_NAME_MAX. Senders write what they like here,
 * blanks, too ("HELO my pc"). */
bool smtp_is_helo(struct span name);

/* ---- addresses (RFC 5321 4.1.2, RFC 6531 3.3) ---- */

struct smtp_path {
	struct span local; /* as written, with its quotes; empty for <> */
	/* as written, a literal with its brackets, without a dot at its end; empty for <> and
	 * <somebody> */
	struct span domain;
	bool utf8; /* not only ASCII */
};
/* Takes an address off the front of *rest: "<…>", and what else Postfix and Exim understand as one
 * (smtp/path.c). A source route in it is dropped. <> and <somebody> are paths, too. 0 or -EINVAL.
 * Borrows from *rest. */
int smtp_path_parse(struct span *rest, struct smtp_path *ret);
/* s behind the blanks, tabs and comments in parentheses that it begins with. */
struct span smtp_skip_blanks(struct span s);
/* "<local@domain>", as it was written but without a source route. */
void smtp_path_print(const struct smtp_path *p, struct buf *out);
/* "local@domain" for comparing and for the log: quotes and backslashes that nothing needs are gone,
 * the domain is in lower case. */
void smtp_path_mailbox(const struct smtp_path *p, struct buf *out);

/* ---- parameters ---- */

enum smtp_body { SMTP_BODY_NONE, SMTP_BODY_7BIT, SMTP_BODY_8BITMIME };
enum smtp_dsn_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };
/* All spans borrow from the arguments. */
struct smtp_mail {
	struct smtp_path from;
	uint64_t size; /* 0: not said */
	enum smtp_body body;
	bool utf8; /* SMTPUTF8 */
	enum smtp_dsn_ret ret;
	struct span envid; /* xtext as written; empty: none */
};
struct smtp_rcpt {
	struct smtp_path to;
	struct span notify; /* as written, checked; empty: none */
	struct span orcpt;
};
/* NULL, or our answer: syntax (501), a parameter that nobody knows (555), a domain in UTF-8 without
 * SMTPUTF8 (553). A sender may lack a domain, as Postfix allows: its backend judges. */
const struct smtp_answer *smtp_mail_parse(struct span args, struct smtp_mail *ret);
/* utf8: the mail was announced with SMTPUTF8. */
const struct smtp_answer *smtp_rcpt_parse(struct span args, bool utf8, struct smtp_rcpt *ret);
const struct smtp_answer *smtp_bdat_parse(struct span args, uint64_t *ret_n, bool *ret_last);

/* ---- capabilities (RFC 5321 4.1.1.1) ---- */

enum smtp_cap {
	SMTP_CAP_EHLO = 1 << 0, /* it answered EHLO at all */
	SMTP_CAP_PIPELINING = 1 << 1,
	SMTP_CAP_SIZE = 1 << 2,
	SMTP_CAP_8BITMIME = 1 << 3,
	SMTP_CAP_SMTPUTF8 = 1 << 4,
	SMTP_CAP_DSN = 1 << 5,
	SMTP_CAP_ENHANCED = 1 << 6,
	SMTP_CAP_CHUNKING = 1 << 7,
	SMTP_CAP_STARTTLS = 1 << 8,
	SMTP_CAP_XCLIENT = 1 << 9,
};
struct smtp_caps {
	unsigned mask;     /* enum smtp_cap */
	uint64_t size_max; /* 0: no limit said */
	unsigned xclient;  /* enum smtp_xclient: what it takes */
};
enum smtp_xclient {
	SMTP_XCLIENT_NAME = 1 << 0,
	SMTP_XCLIENT_ADDR = 1 << 1,
	SMTP_XCLIENT_PORT = 1 << 2,
	SMTP_XCLIENT_PROTO = 1 << 3,
	SMTP_XCLIENT_HELO = 1 << 4,
	SMTP_XCLIENT_DESTADDR = 1 << 5,
	SMTP_XCLIENT_DESTPORT = 1 << 6,
	SMTP_XCLIENT_REVERSE_NAME = 1 << 7,
};

/* ---- replies (RFC 5321 4.2) ---- */

/* Borrows from the bytes it was read from. */
struct smtp_reply {
	unsigned code; /* 200 to 599 */
	/* all of it, as received: every line begins with the code and ends in LF */
	struct span lines;
	struct span enhanced; /* "5.1.1" of the first line, or empty */
	struct span text;     /* of the first line, behind the enhanced code */
};
/* 1 and a whole reply with its length, 0 if more bytes are needed, -EMSGSIZE if SMTP_REPLY_MAX
 * bytes are not all of it, -EPROTO if this is no reply: a line without a code, codes that
 * differ. */
int smtp_reply_parse(struct span bytes, struct smtp_reply *ret, size_t *ret_used);
/* The text of the next line (behind code and separator); false after the last. *rest begins as
 * reply.lines. */
bool smtp_reply_next(struct span *rest, struct span *ret_text);
void smtp_caps_parse(const struct smtp_reply *ehlo, struct smtp_caps *ret);
/* One line of an answer: code, enhanced code if it is not "", text in which control bytes become
 * "?"; cut so that it fits the 512 of RFC 5321 4.5.3.1.5. more: further lines follow. */
void smtp_answer_line(struct buf *out, unsigned code, const char *enhanced, struct span text, bool more);
void smtp_answer_print(struct buf *out, const struct smtp_answer *a);
/* Somebody else's reply as ours, line by line, under the same rules; lines without an enhanced code
 * get fallback ("5.0.0"). */
void smtp_reply_print(struct buf *out, const struct smtp_reply *r, const char *fallback);

/* ---- the message between DATA and its dot (RFC 5321 4.5.2) ---- */

/*
 * The reader is a small automaton over bytes, so that it does not matter how they were split. It
 * gives the message's content: whole CRLF lines, without the sender's dots.
 */
struct smtp_data {
	bool mend;           /* set by the caller: lone LFs and CRs end lines, not the message */
	unsigned char state; /* 0: at the beginning of a line */
	unsigned char crs;   /* that wait for their LF */
	bool after_mended;   /* the line before ended in something else than CRLF */
};
/* Reads from in, appends content to out (at most in.n + 1 bytes, for a CR may have waited; twice
 * that if line ends are mended). *ret_used:
 * bytes consumed, all of in unless the end was found. 1: that was the end; 0: more is to come;
 * -EBADMSG: a lone CR, a lone LF or a NUL. */
int smtp_data_read(struct smtp_data *d, struct span in, struct buf *out, size_t *ret_used);
/* The same for the bytes of BDAT chunks, where dots mean nothing and the end is known. 0 or
 * -EBADMSG. */
int smtp_chunk_read(struct smtp_data *d, struct span in, struct buf *out);
/* Behind the last chunk: may it end here? No while a CR waits for its LF, unless it is mended. */
bool smtp_chunks_end(struct smtp_data *d, struct buf *out);

/* The writer (RFC 5321 4.5.2, dot-stuffing): content, whole or split anywhere, with a second dot
 * before each that begins a line. At most twice its length. */
struct smtp_dot_stuffing {
	bool in_line; /* not at the beginning of a line; false: it is */
};
void smtp_dot_stuffing_write(struct smtp_dot_stuffing *w, struct span content, struct buf *out);
/* The final dot; a CRLF before it if the last line has none. */
void smtp_dot_stuffing_end(struct smtp_dot_stuffing *w, struct buf *out);

/* ---- the client's side: everything here may suspend ---- */

struct smtp_client {
	struct conn *conn;
	struct buf in; /* received; the last reply is at its beginning */
	size_t used;   /* of it: by the last reply, dropped with the next read */
	size_t cut;    /* bytes of the reply that comes in that were not kept */
	struct smtp_caps caps;
};
/* Takes conn over. Does not suspend. */
void smtp_client_init(struct smtp_client *c, struct conn *conn);
/* Closes without farewell. Does not suspend. */
void smtp_client_done(struct smtp_client *c);
/* The next reply, good until the next call. 0; -ECONNRESET when the server closed; -EPROTO for
 * something that is no reply; -ETIMEDOUT; -ECANCELED. */
int smtp_client_read(struct smtp_client *c, uint64_t deadline, struct smtp_reply *ret);
/* Writes bytes (whole lines). 0 or -errno. */
int smtp_client_write(struct smtp_client *c, struct span bytes, uint64_t deadline);
/* Both. */
int smtp_client_ask(struct smtp_client *c, struct span bytes, uint64_t deadline, struct smtp_reply *ret);
/* EHLO, or HELO for a server that does not know it; fills caps. 0 (look at ret->code) or -errno. */
int smtp_client_hello(struct smtp_client *c, const char *name, uint64_t deadline, struct smtp_reply *ret);
/* STARTTLS, up to the handshake, which is the caller's. 0 (look at ret->code) or -errno. At 220 all
 * that was received is dropped, for nothing from before a handshake counts after it (RFC 3207 4.2):
 * EHLO has to be said again. *ret_behind: what stood behind that 220 and was not said by whom the
 * caller is about to verify; good until the next call, and so is ret. */
int smtp_client_starttls(struct smtp_client *c, uint64_t deadline, struct smtp_reply *ret, struct span *ret_behind);
/* Has it said something that nobody asked for? Does not suspend. */
bool smtp_client_has_more(const struct smtp_client *c);
