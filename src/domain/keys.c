/*
 * The keys of a domain as text: what each may hold, and how a value is judged by itself. Parsing,
 * export, `torhaus domain`, the manual and completion are made from this table.
 *
 * The presets are written as the export writes values, so "is at its preset" is a comparison of
 * texts.
 */
#include "base/mem.h"
#include "domain/domain_priv.h"

/* ---- judgements of single values ---- */

static const char *judge_name(struct span value)
{
	char out[NAME_MAX_BYTES + 2];
	size_t n;

	return name_normalise(value, false, out, &n);
}

static const char *judge_web(struct span value)
{
	char out[NAME_MAX_BYTES + 2];
	size_t n;

	return name_normalise(value, true, out, &n);
}

static const char *judge_origin(struct span value)
{
	struct origin_spec spec;
	const char *why;

	origin_spec_parse(value, &spec, &why);
	return why;
}

static const char *judge_mail(struct span value)
{
	struct domain_mail mail;
	const char *why;

	domain_mail_parse(value, &mail, &why);
	return why;
}

static const char *judge_recipient(struct span value)
{
	struct domain_recipient recipient;
	struct arena a;
	const char *why;

	arena_init(&a, 1024);
	domain_recipient_parse(value, &a, &recipient, &why);
	arena_done(&a);
	return why;
}

/* "host" or "host:port", as a Host header has it. */
static const char *judge_host(struct span value)
{
	_cleanup_(buf_done) struct buf url = BUF_INIT(512);
	struct origin_spec spec;
	const char *why;

	buf_add_text(&url, "http://");
	buf_add_span(&url, value);
	if (value.n == 0 || buf_error(&url) || span_index(value, ' ') >= 0 || span_index(value, '/') >= 0 ||
		origin_spec_parse(buf_span(&url), &spec, &why) < 0)
		return "it is no host name|es ist kein Hostname";
	return NULL;
}

static const char *judge_path(struct span value)
{
	if (value.n == 0 || value.p[0] != '/')
		return "a path begins with a slash|ein Pfad beginnt mit einem Schrägstrich";
	if (value.n > 1024)
		return "a path has at most 1024 bytes|ein Pfad hat höchstens 1024 Zeichen";
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] == 0x7f || value.p[i] == '#')
			return "blanks, # and bytes beyond ASCII stand in a path as %HH|"
			       "Leerzeichen, # und Zeichen außerhalb von ASCII stehen in einem Pfad als %HH";
	return NULL;
}

/* ---- the keys ---- */

#define SECOND (1000ull)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define AT(f)  offsetof(struct domain_text, d.f)

static const char *const presets[] = { "standard", "wordpress", "static", "off", NULL };
static const char *const tls_levels[] = { "off", "report", "require", NULL };
static const char *const mail_tls_levels[] = { "off", "opportunistic", "required", "verified", NULL };
static const char *const mail_lines[] = { "strict", "mend", NULL };
static const char *const mail_clients[] = { "none", "xclient", "proxy", NULL };

const struct conf_key domain_keys[] = {
	{ "web", CONF_LIST, offsetof(struct domain_text, web), NULL, .judge = judge_web,
		.wanted = "host names, also \"*.example.de\"|Hostnamen, auch \"*.example.de\"",
		.help_en = "The host names under which the site is visited; *.NAME stands for one more label.",
		.help_de = "Die Hostnamen, unter denen die Site besucht wird; *.NAME steht für ein weiteres Label." },
	{ "origin", CONF_LIST, offsetof(struct domain_text, origin), NULL, .judge = judge_origin,
		.wanted = "http://HOST[:PORT] or https://HOST[:PORT], then weight=N and backup if wanted|"
			  "http://HOST[:PORT] oder https://HOST[:PORT], danach nach Wunsch weight=N und backup",
		.help_en = "The web servers behind torhaus; weight=N shares the load, backup waits until no other is "
			   "up.",
		.help_de = "Die Webserver hinter torhaus; weight=N verteilt die Last, backup wartet, bis kein anderer "
			   "läuft." },
	{ "preset", CONF_ENUM, AT(preset), "standard", .choices = presets,
		.help_en = "How the cache treats the site: as its headers say, as WordPress, as plain files, not at "
			   "all.",
		.help_de =
			"Wie der Cache die Site behandelt: nach ihren Headern, als WordPress, als reine Dateien, gar "
			"nicht." },
	{ "grace", CONF_DURATION, AT(grace_ms), "1d", 0, 365 * DAY,
		.help_en = "How long pages are still served after their lifetime when the origin is down; 0: not at "
			   "all.",
		.help_de =
			"Wie lange Seiten nach ihrer Lebensdauer noch ausgeliefert werden, wenn der Ursprungsserver ausfällt; "
			"0: gar nicht." },
	{ "grace_forced", CONF_BOOL, AT(grace_forced), "false",
		.help_en = "Serve stale pages even where the origin forbids it (must-revalidate, no-cache).",
		.help_de =
			"Veraltete Seiten auch dort ausliefern, wo der Ursprungsserver es verbietet (must-revalidate, "
			"no-cache)." },
	{ "redirect_to_tls", CONF_BOOL, AT(redirect_to_tls), "false",
		.help_en = "Send visitors from http:// to https://.",
		.help_de = "Besucher von http:// nach https:// schicken." },
	{ "hsts", CONF_DURATION, AT(hsts_ms), "0", 0, 3650 * DAY,
		.help_en =
			"Tell browsers to use https:// only, for this long (Strict-Transport-Security); 0: no header.",
		.help_de =
			"Browsern sagen, dass sie so lange nur https:// verwenden (Strict-Transport-Security); 0: kein "
			"Header." },
	{ "websocket", CONF_BOOL, AT(websocket), "false",
		.help_en = "Let WebSocket connections (Upgrade) through to the origin.",
		.help_de = "WebSocket-Verbindungen (Upgrade) zum Ursprungsserver durchlassen." },
	{ "alt_svc", CONF_BOOL, AT(alt_svc), "false",
		.help_en = "Pass the origin's Alt-Svc on to visitors, who may then go there past this server.",
		.help_de =
			"Alt-Svc des Ursprungsservers an Besucher weitergeben, die dann an diesem Server vorbei dorthin "
			"gehen können." },
	{ "origin_verify", CONF_BOOL, AT(origin_verify), "true",
		.help_en = "https:// origins must show a certificate that is valid for their name.",
		.help_de = "Ursprünge mit https:// müssen ein für ihren Namen gültiges Zertifikat zeigen." },
	{ "origin_host", CONF_TEXT, AT(origin_host), NULL, .judge = judge_host, .wanted = "a host name|einen Hostnamen",
		.help_en = "The Host that the origin is asked for; empty: the visitor's.",
		.help_de = "Der Host, nach dem der Ursprungsserver gefragt wird; leer: der des Besuchers." },
	{ "health_path", CONF_TEXT, AT(health_path), NULL, .judge = judge_path,
		.wanted = "a path such as \"/health\"|einen Pfad wie \"/health\"",
		.help_en = "The path that is fetched to see whether an origin is up; empty: connecting suffices.",
		.help_de = "Der Pfad, der geholt wird, um zu sehen, ob ein Ursprungsserver läuft; leer: es genügt die "
			   "Verbindung." },
	{ "health_interval", CONF_DURATION, AT(health_interval_ms), "5s", SECOND, HOUR,
		.help_en = "How often each origin is checked.",
		.help_de = "Wie oft jeder Ursprungsserver geprüft wird." },
	{ "connect_timeout", CONF_DURATION, AT(connect_timeout_ms), "3s", 50, 60 * SECOND,
		.help_en = "How long connecting to an origin may take.",
		.help_de = "Wie lange der Verbindungsaufbau zum Ursprungsserver dauern darf." },
	{ "first_byte_timeout", CONF_DURATION, AT(first_byte_timeout_ms), "1m", 50, HOUR,
		.help_en = "How long an origin may think before its answer begins.",
		.help_de = "Wie lange ein Ursprungsserver nachdenken darf, bevor seine Antwort beginnt." },
	{ "read_timeout", CONF_DURATION, AT(read_timeout_ms), "1m", 50, HOUR,
		.help_en = "How long an origin may pause within its answer (event streams: at least an hour).",
		.help_de = "Wie lange ein Ursprungsserver innerhalb seiner Antwort innehalten darf (Ereignisströme: "
			   "mindestens eine Stunde)." },
	{ "body_max", CONF_SIZE, AT(body_max), "100M", 0, 1ull << 40, .help_en = "The largest upload of a visitor.",
		.help_de = "Der größte Upload eines Besuchers." },
	{ "mail", CONF_TEXT, AT(mail.text), NULL, .judge = judge_mail,
		.wanted = "HOST:PORT, such as \"10.0.0.6:25\"|HOST:PORT, etwa \"10.0.0.6:25\"",
		.help_en =
			"The mail server behind torhaus that takes the domain's mail; empty: the domain has no mail.",
		.help_de =
			"Der Mailserver hinter torhaus, der die Mails der Domain annimmt; leer: Die Domain hat keine "
			"Mail." },
	{ "tls", CONF_ENUM, AT(tls), "off", .choices = tls_levels,
		.help_en = "Must mail come encrypted: as the sender likes, likewise but written down who did not, or "
			   "refused without TLS.",
		.help_de =
			"Müssen Mails verschlüsselt kommen: wie der Absender mag, ebenso, aber aufgeschrieben, wer es "
			"nicht tat, oder ohne TLS abgelehnt." },
	{ "mail_tls", CONF_ENUM, AT(mail_tls), "opportunistic", .choices = mail_tls_levels,
		.help_en =
			"TLS to the mail server: never, if it offers it, always, or with a valid certificate for its "
			"name.",
		.help_de =
			"TLS zum Mailserver: nie, wenn er es anbietet, immer, oder mit gültigem Zertifikat auf seinen "
			"Namen." },
	{ "mail_client", CONF_ENUM, AT(mail_client), "none", .choices = mail_clients,
		.help_en =
			"How the mail server learns the client's address: not at all, by XCLIENT, by a PROXY header.",
		.help_de = "Wie der Mailserver die Adresse des Clients erfährt: gar nicht, durch XCLIENT, durch einen "
			   "PROXY-Kopf." },
	{ "mail_lines", CONF_ENUM, AT(mail_lines), "strict", .choices = mail_lines,
		.help_en = "A lone LF or CR within a message: refused, for mail is smuggled so, or made a line end "
			   "(never at the message's end).",
		.help_de =
			"Ein einzelnes LF oder CR in einer Nachricht: abgewiesen, denn so wird Mail eingeschmuggelt, "
			"oder zum Zeilenende gemacht (nie am Ende der Nachricht)." },
	{ "recipient", CONF_LIST, offsetof(struct domain_text, recipient), NULL, .judge = judge_recipient,
		.wanted =
			"ADDRESS off, report or require, then by=WHO, at=YYYY-MM-DD and until=YYYY-MM-DD if wanted|"
			"ADRESSE off, report oder require, danach nach Wunsch by=WER, at=JJJJ-MM-TT und until=JJJJ-MM-TT",
		.help_en = "Recipients for whom another tls holds than for the domain (see torhaus recipient set).",
		.help_de =
			"Empfänger, für die ein anderes tls gilt als für die Domain (siehe torhaus recipient set)." },
	{ NULL },
};

const struct conf_key domain_file_keys[] = {
	{ "domain", CONF_TITLED, offsetof(struct domain_file_text, domains), .judge = judge_name,
		.wanted = "a domain name|einen Domainnamen", .inner = domain_keys,
		.inner_size = sizeof(struct domain_text), .help_en = "A customer's domain.",
		.help_de = "Die Domain eines Kunden." },
	{ NULL },
};
