/*
 * The statements, in SQL that PostgreSQL would take with little change.
 *
 * Where a statement writes or reads a record (sqlite_run.c), its parameters and columns stand in
 * the order of the record's fields.
 */
#include "store/sqlite_priv.h"

const char *const sqlite_query_text[Q_COUNT] = {
	[Q_BEGIN_READ] = "BEGIN",
	[Q_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[Q_COMMIT] = "COMMIT",
	[Q_ROLLBACK] = "ROLLBACK",
	[Q_DATA_VERSION] = "PRAGMA data_version",
	[Q_DOMAINS] = "SELECT name, body, changed_at, changed_by FROM domain ORDER BY name",
	[Q_DOMAIN] = "SELECT name, body, changed_at, changed_by FROM domain WHERE name = ?1",
	[Q_DOMAINS_WEB] = "SELECT domain, name FROM web_name ORDER BY domain, name",
	[Q_DOMAIN_WEB] = "SELECT domain, name FROM web_name WHERE domain = ?1 ORDER BY name",
	[Q_DOMAIN_PUT] = "INSERT INTO domain (name, body, changed_at, changed_by)"
			 " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET"
			 " body = ?2, changed_at = ?3, changed_by = ?4",
	[Q_DOMAIN_REMOVE] = "DELETE FROM domain WHERE name = ?1",
	[Q_WEB_OWNER] = "SELECT domain FROM web_name WHERE name = ?1",
	[Q_WEB_PUT] = "INSERT OR IGNORE INTO web_name (name, domain) VALUES (?1, ?2)",
	[Q_WEB_CLEAR] = "DELETE FROM web_name WHERE domain = ?1",
	[Q_UNDO_LAST] = "SELECT coalesce(max(change), 0) FROM domain_undo",
	[Q_UNDO_KEEP] = "INSERT OR IGNORE INTO domain_undo (change, name, body)"
			" VALUES (?1, ?2, (SELECT body FROM domain WHERE name = ?2))",
	[Q_UNDO_ROWS] = "SELECT name, body FROM domain_undo WHERE change = ?1 ORDER BY name",
	[Q_UNDO_DROP] = "DELETE FROM domain_undo WHERE change = ?1",
	[Q_UNDO_TRIM] = "DELETE FROM domain_undo WHERE change <= ?1",
	[Q_PURGE_ADD] = "INSERT INTO purge (kind, what, hard, at) VALUES (?1, ?2, ?3, ?4)",
	[Q_PURGE_EXPIRE] = "DELETE FROM purge WHERE at < ?1",
	[Q_PURGE_SINCE] = "SELECT seq, kind, what, hard, at FROM purge WHERE seq > ?1 ORDER BY seq",
	[Q_PURGE_LAST] = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'purge'",

	[Q_REVISION] = "SELECT token FROM revision",

	[Q_PEER_ADD] =
		"INSERT INTO mail_peer (network, helo, address, first_at, last_at, handshakes, failures, refusals,"
		" mails, mails_clear, version, suite, key_type, failed_at, fault, proof)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
		" ON CONFLICT (network, helo) DO UPDATE SET address = ?3, last_at = max(last_at, ?5),"
		" handshakes = handshakes + ?6, failures = failures + ?7, refusals = refusals + ?8,"
		" mails = mails + ?9, mails_clear = mails_clear + ?10,"
		" version = CASE WHEN ?6 > 0 THEN ?11 ELSE version END,"
		" suite = CASE WHEN ?6 > 0 THEN ?12 ELSE suite END,"
		" key_type = CASE WHEN ?6 > 0 THEN ?13 ELSE key_type END,"
		" failed_at = max(failed_at, ?14),"
		" fault = CASE WHEN ?14 > 0 THEN ?15 ELSE fault END,"
		" proof = CASE WHEN ?14 > 0 THEN ?16 ELSE proof END RETURNING id",
	[Q_PEER_TRIM_NETWORK] =
		"DELETE FROM mail_peer WHERE network = ?1 AND id NOT IN"
		" (SELECT id FROM mail_peer WHERE network = ?1 ORDER BY last_at DESC, id DESC LIMIT ?2)",
	[Q_PEER_TRIM] = "DELETE FROM mail_peer WHERE id IN"
			" (SELECT id FROM mail_peer ORDER BY last_at DESC, id DESC LIMIT -1 OFFSET ?1)",
	[Q_PEER_EXPIRE] = "DELETE FROM mail_peer WHERE id IN (SELECT id FROM mail_peer WHERE last_at < ?1 LIMIT ?2)",
#define PEER_COLUMNS \
	"p.network, p.helo, p.address, p.first_at, p.last_at, p.handshakes, p.failures, p.refusals, p.mails," \
	" p.mails_clear, p.version, p.suite, p.key_type, p.failed_at, p.fault, p.proof," \
	" (SELECT coalesce(sum(d.mails), 0) FROM mail_peer_day d WHERE d.peer = p.id AND d.day >" \
	" CAST(strftime('%s', 'now') AS INTEGER) / 86400 - 30)"
	[Q_PEERS] = "SELECT " PEER_COLUMNS " FROM mail_peer p ORDER BY last_at DESC, id DESC",
	[Q_PEERS_FAILED] =
		"SELECT " PEER_COLUMNS " FROM mail_peer p WHERE failures > 0 ORDER BY failed_at DESC, id DESC",

	[Q_PEER_DAY_ADD] = "INSERT INTO mail_peer_day (peer, day, mails) VALUES (?1, ?2, ?3)"
			   " ON CONFLICT (peer, day) DO UPDATE SET mails = mails + ?3",
	[Q_PEER_DAY_EXPIRE] = "DELETE FROM mail_peer_day WHERE (peer, day) IN"
			      " (SELECT peer, day FROM mail_peer_day WHERE day < ?1 LIMIT ?2)",

	[Q_HELLO_ADD] = "INSERT INTO mail_hello (fingerprint, bytes, last_at) VALUES (?1, ?2, ?6)"
			" ON CONFLICT (fingerprint) DO UPDATE SET bytes = ?2, last_at = max(last_at, ?6) RETURNING id",
	[Q_HELLO_TRIM] = "DELETE FROM mail_hello WHERE id IN"
			 " (SELECT id FROM mail_hello ORDER BY last_at DESC, id DESC LIMIT -1 OFFSET ?1)",
	[Q_HELLO_TRIM_BYTES] = "DELETE FROM mail_hello WHERE id IN (SELECT id FROM"
			       " (SELECT id, sum(length(bytes)) OVER (ORDER BY last_at DESC, id DESC) AS bytes"
			       " FROM mail_hello) WHERE bytes > ?1)",
	[Q_HELLO_EXPIRE] = "DELETE FROM mail_hello WHERE id IN (SELECT id FROM mail_hello h WHERE NOT EXISTS"
			   " (SELECT 1 FROM mail_peer_hello WHERE hello = h.id) LIMIT ?2)",
	[Q_PEER_HELLO_ADD] = "INSERT INTO mail_peer_hello (peer, hello, succeeded, failed, first_at, last_at)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (peer, hello) DO UPDATE SET"
			     " succeeded = succeeded + ?3, failed = failed + ?4, last_at = max(last_at, ?6)",
	[Q_PEER_HELLO_TRIM] = "DELETE FROM mail_peer_hello WHERE peer = ?1 AND hello NOT IN"
			      " (SELECT hello FROM mail_peer_hello WHERE peer = ?1"
			      " ORDER BY last_at DESC, hello DESC LIMIT ?2)",
	[Q_PEER_HELLOS] =
		"SELECT " PEER_COLUMNS ", h.fingerprint, h.bytes, b.succeeded, b.failed, b.first_at, b.last_at"
		" FROM mail_peer p JOIN mail_peer_hello b ON b.peer = p.id JOIN mail_hello h ON h.id = b.hello"
		" ORDER BY p.network, p.helo, b.last_at DESC, h.id",

#define FAILURE_COLUMNS "network, helo, address, first_at, last_at, times, code, fault, also, proof"
	[Q_FAILURE_ROOM] = "SELECT count(*), coalesce(max(helo = ?2 AND code = ?7), 0) FROM mail_failure"
			   " WHERE network = ?1 AND hour = ?4 / 3600",
	[Q_FAILURE_ADD] = "INSERT INTO mail_failure (" FAILURE_COLUMNS ", hour)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?4 / 3600)"
			  " ON CONFLICT (network, hour, helo, code) DO UPDATE SET address = ?3,"
			  " first_at = min(first_at, ?4), last_at = max(last_at, ?5), times = times + ?6, fault = ?8,"
			  " also = ?9, proof = ?10",
	[Q_FAILURE_TRIM] = "DELETE FROM mail_failure WHERE id <= (SELECT max(id) FROM mail_failure) - ?1",
	[Q_FAILURE_EXPIRE] = "DELETE FROM mail_failure WHERE id IN"
			     " (SELECT id FROM mail_failure WHERE first_at < ?1 LIMIT ?2)",
	[Q_FAILURES] = "SELECT " FAILURE_COLUMNS
		       " FROM mail_failure WHERE first_at >= ?1 AND first_at < ?2 ORDER BY first_at, id",

#define REFUSAL_COLUMNS "domain, network, helo, address, sender, recipient, first_at, last_at, times, code, earlier"
	[Q_REFUSAL_ROOM] =
		"SELECT count(*), coalesce(max(helo = ?3 AND sender = ?5 AND recipient = ?6 AND code = ?10), 0)"
		" FROM mail_refusal WHERE domain = ?1 AND network = ?2 AND hour = ?7 / 3600",
	[Q_REFUSAL_ADD] = "INSERT INTO mail_refusal (" REFUSAL_COLUMNS ", hour)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?7 / 3600)"
			  " ON CONFLICT (domain, network, hour, helo, sender, recipient, code) DO UPDATE SET"
			  " earlier = CASE WHEN ?11 = '' THEN earlier ELSE ?11 END, address = ?4,"
			  " first_at = min(first_at, ?7), last_at = max(last_at, ?8), times = times + ?9",
	[Q_REFUSAL_TRIM] = "DELETE FROM mail_refusal WHERE id <= (SELECT max(id) FROM mail_refusal) - ?1",
	[Q_REFUSAL_EXPIRE] = "DELETE FROM mail_refusal WHERE id IN"
			     " (SELECT id FROM mail_refusal WHERE first_at < ?1 LIMIT ?2)",
	[Q_REFUSALS] =
		"SELECT " REFUSAL_COLUMNS
		" FROM mail_refusal WHERE domain = ?1 AND first_at >= ?2 AND first_at < ?3 ORDER BY first_at, id",

#define MAIL_COLUMNS "domain, day, version, suite, hop, verdict, mails, recipients, bytes"
	[Q_MAIL_ADD] = "INSERT INTO mail_count (" MAIL_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		       " ON CONFLICT (domain, day, version, suite, hop, verdict) DO UPDATE SET"
		       " mails = mails + ?7, recipients = recipients + ?8, bytes = bytes + ?9",
	[Q_MAIL_EXPIRE] =
		"DELETE FROM mail_count WHERE rowid IN (SELECT rowid FROM mail_count WHERE day < ?1 LIMIT ?2)",
	[Q_MAILS] = "SELECT " MAIL_COLUMNS " FROM mail_count WHERE domain = ?1 AND day >= ?2 AND day <= ?3"
		    " ORDER BY day, version DESC, suite, hop, verdict",

#define GRACE_COLUMNS "network, helo, domain, first_at, last_at"
	[Q_GRACE_PUT] = "INSERT INTO mail_grace (" GRACE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5)"
			" ON CONFLICT (network, helo, domain) DO UPDATE SET first_at = ?4, last_at = ?5",
	[Q_GRACE_REMOVE] = "DELETE FROM mail_grace WHERE network = ?1 AND helo = ?2 AND domain = ?3",
	[Q_GRACE_TRIM] = "DELETE FROM mail_grace WHERE rowid IN"
			 " (SELECT rowid FROM mail_grace ORDER BY last_at DESC, rowid DESC LIMIT -1 OFFSET ?1)",
	[Q_GRACE_EXPIRE] = "DELETE FROM mail_grace WHERE rowid IN"
			   " (SELECT rowid FROM mail_grace WHERE last_at < ?1 LIMIT ?2)",
	[Q_GRACES] = "SELECT " GRACE_COLUMNS " FROM mail_grace ORDER BY last_at",
	[Q_EVIDENCE_SINCE] = "SELECT coalesce(min(at), 0) FROM (SELECT min(first_at) AS at FROM mail_peer"
			     " UNION ALL SELECT min(day) * 86400 FROM mail_count"
			     " UNION ALL SELECT min(first_at) FROM mail_failure"
			     " UNION ALL SELECT min(first_at) FROM mail_refusal"
			     " UNION ALL SELECT min(first_at) FROM mail_certificate)",

#define CERTIFICATE_COLUMNS \
	"sha256, name, key_type, bits, issuer, self_signed, not_before, not_after, first_at, last_at"
	[Q_CERTIFICATE_ADD] = "INSERT INTO mail_certificate (" CERTIFICATE_COLUMNS ")"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
			      " ON CONFLICT (sha256, name) DO UPDATE SET last_at = max(last_at, ?10)",
	[Q_CERTIFICATE_TRIM] = "DELETE FROM mail_certificate WHERE id <= (SELECT max(id) FROM mail_certificate) - ?1",
	[Q_CERTIFICATE_EXPIRE] = "DELETE FROM mail_certificate WHERE id IN"
				 " (SELECT id FROM mail_certificate WHERE last_at < ?1 LIMIT ?2)",
	[Q_CERTIFICATES] =
		"SELECT " CERTIFICATE_COLUMNS
		" FROM mail_certificate WHERE name = ?1 AND last_at >= ?2 AND first_at < ?3 ORDER BY first_at, id",
};
