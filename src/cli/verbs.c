/*
 * The table of verbs. From it come dispatch, --help, the completion of bash and the man page.
 *
 * The verbs of `torhaus domain` are a table of their own (their options come from the table of
 * domain keys); both are joined at the first use.
 */
#include <string.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain.h"

const struct cli_option cli_global_options[] = {
	{ "--config", "FILE", false, "The settings; else $TORHAUS_CONFIG, else /etc/torhaus/torhaus.conf.",
		"Die Einstellungen; sonst $TORHAUS_CONFIG, sonst /etc/torhaus/torhaus.conf." },
	{ "--json", NULL, false, "Print a document for programs.", "Ein Dokument für Programme ausgeben." },
	{ "--lang", "en|de", false, "The language of explanations; else that of $LANG.",
		"Die Sprache der Erklärungen; sonst die von $LANG." },
	{ "--color", "auto|always|never", false, "Colors; auto: on a terminal, unless NO_COLOR is set or TERM is dumb.",
		"Farben; auto: am Terminal, außer NO_COLOR ist gesetzt oder TERM ist dumb." },
	{ "--help", NULL, false, "Explain a verb, or list all (also: -h, torhaus help VERB).",
		"Ein Verb erklären oder alle nennen (auch: -h, torhaus help VERB)." },
	{ "--version", NULL, false, "Print the version (also: -V).", "Die Version ausgeben (auch: -V)." },
	{ NULL },
};

static const struct cli_option init_options[] = {
	{ "--dir", "DIR", false, "Where everything goes; else /etc/torhaus, with the store in /var/lib/torhaus.",
		"Wohin alles kommt; sonst /etc/torhaus, mit dem Store in /var/lib/torhaus." },
	{ "--domain", "NAME=ORIGIN", true, "A first domain, such as example.de=http://10.0.0.5:8080.",
		"Eine erste Domain, etwa example.de=http://10.0.0.5:8080." },
	{ "--print", NULL, false, "Only print the settings; nothing is made.",
		"Nur die Einstellungen ausgeben; angelegt wird nichts." },
	{ NULL },
};

static const struct cli_option serve_options[] = {
	{ "--try", NULL, false, "Only see whether it could start; a hand-over asks its new program so.",
		"Nur prüfen, ob der Start gelänge; so fragt eine Übergabe ihr neues Programm." },
	{ NULL },
};

static const struct cli_option reload_options[] = {
	{ "--binary", NULL, false, "Hand over to the program that is installed now, without losing a connection.",
		"An das jetzt installierte Programm übergeben, ohne eine Verbindung zu verlieren." },
	{ NULL },
};

static const struct cli_option purge_options[] = {
	{ "--url", "URL", false, "One page in all its variants; //HOST/PATH means http and https.",
		"Eine Seite in allen Varianten; //HOST/PFAD meint http und https." },
	{ "--prefix", "URL", false, "Everything below.", "Alles darunter." },
	{ "--tag", "TAG", false, "Everything that the origin marked so (Cache-Tag, Surrogate-Key).",
		"Alles, was der Ursprungsserver so markiert hat (Cache-Tag, Surrogate-Key)." },
	{ "--domain", "NAME", false, "Everything of a domain.", "Alles von einer Domain." },
	{ "--all", NULL, false, "Everything.", "Alles." },
	{ "--hard", NULL, false, "Remove it; else it becomes stale, and is used only if the origin fails.",
		"Entfernen; sonst wird es veraltet und nur noch benutzt, wenn der Ursprungsserver ausfällt." },
	{ NULL },
};

static const struct cli_option stat_options[] = {
	{ "--domain", "NAME", false, "Of one domain.", "Von einer Domain." },
	{ NULL },
};

static const struct cli_option query_options[] = {
	{ "--server", "ADDRESS[:PORT]", false, "Ask that server; else the running one.",
		"Diesen Server fragen; sonst den laufenden." },
	{ "--tcp", NULL, false, "Ask by TCP.", "Über TCP fragen." },
	{ NULL },
};

static const struct cli_option tls_explain_options[] = {
	{ "--suites", "LIST", false, "The client's suites: a file or the names themselves (OpenSSL's or IANA's).",
		"Die Suiten des Clients: eine Datei oder die Namen selbst (von OpenSSL oder IANA)." },
	{ "--hello", "FILE", false, "The client's ClientHello: bytes, hexadecimal, or a capture by tcpdump.",
		"Das ClientHello des Clients: Bytes, hexadezimal oder ein Mitschnitt von tcpdump." },
	{ "--with", "FILE", true, "A certificate of the server, with its key or without.",
		"Ein Zertifikat des Servers, mit Schlüssel oder ohne." },
	{ "--server-suites", "LIST", false, "The suites that the server allows; else those of torhaus.",
		"Die Suiten, die der Server erlaubt; sonst die von torhaus." },
	{ "--for", "mail|web", false, "What torhaus would use the certificates for; else mail.",
		"Wofür torhaus die Zertifikate benutzen würde; sonst mail." },
	{ "--name", "NAME", false, "The name that a client with --suites asks for.",
		"Der Name, nach dem ein Client mit --suites fragt." },
	{ NULL },
};

static const struct cli_option scan_options[] = {
	{ "--file", "FILE", true, "Hosts, one a line; - is standard input.",
		"Hosts, einer je Zeile; - ist die Standardeingabe." },
	{ "--mx", "DOMAIN", true, "The MX names of a domain, and its MTA-STS policy.",
		"Die MX-Namen einer Domain und ihre MTA-STS-Policy." },
	{ "--starttls", "smtp|none", false, "smtp (port 25): STARTTLS; none (443): TLS at once.",
		"smtp (Port 25): STARTTLS; none (443): sofort TLS." },
	{ "--port", "N", false, "The port of hosts that name none.", "Der Port der Hosts, die keinen nennen." },
	{ "--quick", NULL, false,
		"Versions, certificates and what is weak, but not all suites: at most 6 connections to a server.",
		"Versionen, Zertifikate und was schwach ist, aber nicht alle Suiten: höchstens 6 Verbindungen je Server." },
	{ "--except", "FILE", true,
		"Names (and what lies below them), addresses and networks that are not asked, one a line; scan-except beside the settings is always obeyed.",
		"Namen (und was darunter liegt), Adressen und Netze, die nicht gefragt werden, je Zeile eins; scan-except neben den Einstellungen gilt immer." },
	{ "--fresh", NULL, false, "Ask again who of --file and --mx was asked within the last 24 hours.",
		"Aus --file und --mx auch die erneut fragen, die in den letzten 24 Stunden gefragt wurden." },
	{ "--max-age", "DURATION", false,
		"How old results of --file and --mx may be, up to 24h, also in private networks; else 24h, there 0.",
		"Wie alt Ergebnisse zu --file und --mx sein dürfen, bis 24h, auch in privaten Netzen; sonst 24h, dort 0." },
	{ "--compare", "FILE", false, "What changed since an earlier scan, whose --json lines the file holds.",
		"Was sich seit einem früheren Scan geändert hat, dessen --json-Zeilen in der Datei stehen." },
	{ "--csv", NULL, false, "Print comma-separated values.", "Durch Kommas getrennte Werte ausgeben." },
	{ "--jobs", "N", false, "Servers at a time; else 400, never two connections to one address.",
		"So viele Server zugleich; sonst 400, nie zwei Verbindungen zu einer Adresse." },
	{ "--rate", "N", false, "New connections a second in all; else 100 (300 with --quick).",
		"Neue Verbindungen je Sekunde insgesamt; sonst 100 (mit --quick 300)." },
	{ "--gap", "DURATION", false,
		"Between two connections to one address; else 2s (1s with --quick), none in private networks.",
		"Zwischen zwei Verbindungen zu einer Adresse; sonst 2s (mit --quick 1s), keine Pause in privaten Netzen." },
	{ "--timeout", "DURATION", false, "How long to wait for each answer; else 30s.",
		"Wie lange auf jede Antwort gewartet wird; sonst 30s." },
	{ "--helo", "NAME", false, "The name to say in EHLO; else that of this machine.",
		"Der Name in EHLO; sonst der dieser Maschine." },
	{ "--ca", "FILE", false, "Certificates of CAs to trust besides those of the system.",
		"Zertifikate von CAs, denen außer denen des Systems vertraut wird." },
	{ "--resolver", "ADDRESS[:PORT]", false, "Ask this resolver for all names; else the system's.",
		"Diesen Resolver nach allen Namen fragen; sonst den des Systems." },
	{ "--anchor", "FILE", false, "DNSSEC trust anchors (DS or DNSKEY records); else that of the root.",
		"DNSSEC-Vertrauensanker (DS- oder DNSKEY-Einträge); sonst der der Wurzel." },
	{ NULL },
};

static const struct cli_option tls_log_options[] = {
	{ "--since", "DATE|TIME", false, "Leave out what is older: 2024-01-05, or 30d.",
		"Weglassen, was älter ist: 2024-01-05 oder 30d." },
	{ NULL },
};

static const struct cli_option peers_options[] = {
	{ "--failed", NULL, false, "Those whose TLS handshakes failed, with cause, remedy and what they offer.",
		"Die mit gescheiterten TLS-Handshakes, mit Ursache, Abhilfe und dem, was sie anbieten." },
	{ NULL },
};

static const struct cli_option report_options[] = {
	{ "--domain", "NAME", false, "The domain.", "Die Domain." },
	{ "--month", "YYYY-MM", false, "That month; without it and --from the present one.",
		"Dieser Monat; ohne ihn und --from der laufende." },
	{ "--from", "YYYY-MM-DD", false, "The first day (UTC) of another period.",
		"Der erste Tag (UTC) eines anderen Zeitraums." },
	{ "--to", "YYYY-MM-DD", false, "Its last day.", "Dessen letzter Tag." },
	{ "--html", "FILE", false, "Write a page for the browser and the printer; - is standard output.",
		"Eine Seite für Browser und Drucker schreiben; - ist die Standardausgabe." },
	{ NULL },
};

static const struct cli_option cert_check_options[] = {
	{ "--file", "FILE", true, "A certificate of that server on disk; its key is not needed.",
		"Ein Zertifikat dieses Servers auf der Platte; sein Schlüssel wird nicht gebraucht." },
	{ "--starttls", "smtp|none", false, "How TLS begins; else smtp on ports 25 and 587.",
		"Wie TLS beginnt; sonst smtp auf den Ports 25 und 587." },
	{ "--name", "NAME", false, "The name to ask for (SNI); else the host's.",
		"Der Name, nach dem gefragt wird (SNI); sonst der des Hosts." },
	{ NULL },
};

static const struct cli_option predict_options[] = {
	{ "--with", "FILE", true, "A certificate that comes, with its key or without.",
		"Ein Zertifikat, das kommt, mit Schlüssel oder ohne." },
	{ "--without", "FILE", true, "A certificate that goes; with --log or --scan, one that is in service.",
		"Ein Zertifikat, das geht; mit --log oder --scan eines, das im Einsatz ist." },
	{ "--log", "FILE", true, "Ask the peers of a mail log instead of the kept ones: an approximation.",
		"Die Gegenstellen eines Mail-Logs statt der gespeicherten fragen: eine Näherung." },
	{ "--scan", "FILE", true,
		"Ask what tls scan --json found instead, as if the servers were clients: an approximation.",
		"Stattdessen fragen, was tls scan --json gefunden hat, als wären die Server Clients: eine Näherung." },
	{ "--since", "DATE|TIME", false, "Of the log, leave out what is older: 2024-01-05, or 30d.",
		"Vom Log weglassen, was älter ist: 2024-01-05 oder 30d." },
	{ NULL },
};

static const struct cli_verb first[] = {
	{ "init", "[--dir DIR] [--domain NAME=ORIGIN]… [--print]",
		"Write a commented torhaus.conf, an empty store and self-signed certificates.",
		"Eine kommentierte torhaus.conf, einen leeren Store und selbstsignierte Zertifikate schreiben.",
		init_options, cli_init, CLI_NO_JSON },
	{ "serve", "", "Run in the foreground.", "Im Vordergrund laufen.", serve_options, cli_serve, CLI_NO_JSON },
	{ "check", "", "Look for faults in settings, store, certificates, listeners and origins (also: -t).",
		"Fehler in Einstellungen, Store, Zertifikaten, Adressen und Ursprungsservern suchen (auch: -t).", NULL,
		cli_check },
	{ "reload", "[--binary]", "Let the running server read its settings again.",
		"Den laufenden Server seine Einstellungen neu lesen lassen.", reload_options, cli_reload },
	{ "stop", "", "End the running server once open requests are answered.",
		"Den laufenden Server beenden, sobald offene Anfragen beantwortet sind.", NULL, cli_stop,
		CLI_NO_JSON | CLI_NOT_SUGGESTED },
	{ "status", "", "Show what the running server does.", "Zeigen, was der laufende Server tut.", NULL,
		cli_show_status },
	{ "doctor", "", "List everything that is wrong now.", "Alles nennen, was jetzt nicht stimmt.", NULL,
		cli_doctor },
};
static const struct cli_verb last[] = {
	{ "cert list", "", "Show the certificates in service.", "Die Zertifikate zeigen, die im Einsatz sind.", NULL,
		cli_cert_list },
	{ "cert check", "[HOST:PORT --file FILE…]",
		"Verify the certificate folders, and that what is on disk is what is served; or that another server serves the newest of these files.",
		"Die Zertifikatsordner prüfen, und ob ausgeliefert wird, was auf der Platte liegt; oder ob ein anderer Server die neueste dieser Dateien ausliefert.",
		cert_check_options, cli_cert_check },
	{ "cert predict", "--with FILE… [--without FILE…] [--log FILE… | --scan FILE…]",
		"Tell who would no longer get through if these certificates came and those went.",
		"Sagen, wer nicht mehr durchkäme, wenn diese Zertifikate kämen und jene gingen.", predict_options,
		cli_cert_predict },
	{ "tls explain", "(--suites LIST | --hello FILE) --with FILE…",
		"Tell whether a client would reach a server with these certificates, and why not.",
		"Sagen, ob ein Client einen Server mit diesen Zertifikaten erreichte, und warum nicht.",
		tls_explain_options, cli_tls_explain },
	{ "tls log", "FILE… [--since DATE|TIME]",
		"Tell from mail logs (Exim, Postfix, torhaus; also compressed) who fails at TLS, since when, why and what followed, and who speaks what.",
		"Aus Mail-Logs (Exim, Postfix, torhaus; auch komprimiert) sagen, wer an TLS scheitert, seit wann, warum und was folgte, und wer was spricht.",
		tls_log_options, cli_tls_log },
	{ "cache purge", "(--url URL | --prefix URL | --tag TAG | --domain NAME | --all) [--hard]",
		"Let stored answers no longer count as fresh.",
		"Gespeicherte Antworten nicht mehr als frisch gelten lassen.", purge_options, cli_cache_purge },
	{ "cache stat", "[--domain NAME]", "Show what the cache holds.", "Zeigen, was der Cache enthält.", stat_options,
		cli_cache_stat },
	{ "dns check", "", "Look for faults in the DNS edge: its listeners, its upstreams, the names it answers.",
		"Fehler im DNS suchen: seine Adressen, seine Upstreams, die Namen, die es beantwortet.", NULL,
		cli_dns_check },
	{ "dns query", "NAME [TYPE] [--server ADDRESS[:PORT]] [--tcp]",
		"Ask the running server for a name, and show its answer.",
		"Den laufenden Server nach einem Namen fragen und seine Antwort zeigen.", query_options,
		cli_dns_query },
	{ "tls scan", "HOST[:PORT]… [--file FILE] [--mx DOMAIN] [--starttls smtp|none] [--quick] [--csv]",
		"See what TLS these servers speak and which certificates they serve.",
		"Nachsehen, welches TLS diese Server sprechen und welche Zertifikate sie ausliefern.", scan_options,
		cli_tls_scan },
	{ "mail peers", "[--failed]", "Show which mail servers came, with what TLS, and what came of it.",
		"Zeigen, welche Mailserver kamen, mit welchem TLS, und was daraus wurde.", peers_options,
		cli_mail_peers },
	{ "mail report", "--domain NAME [--month YYYY-MM | --from DAY --to DAY] [--html FILE]",
		"Show how a domain's mail came encrypted: evidence under Art. 32 GDPR.",
		"Zeigen, wie die Mail einer Domain verschlüsselt kam: Nachweis nach Art. 32 DSGVO.", report_options,
		cli_mail_report },
	{ "explain", "[CODE]", "Explain a code that a log line or page shows; without one, list all.",
		"Einen Code erklären, den eine Logzeile oder Seite zeigt; ohne Code alle nennen.", NULL, cli_explain },
	{ "help", "[VERB]", "Explain a verb or a group of verbs, or list all.",
		"Ein Verb oder eine Gruppe von Verben erklären oder alle nennen.", NULL, cli_help, CLI_NO_JSON },
	{ "completion", "bash", "Print the completion for bash.", "Die Vervollständigung für bash ausgeben.", NULL,
		cli_completion, CLI_NO_JSON },
	{ "complete", "domains|codes", NULL, NULL, NULL, cli_complete, CLI_NO_JSON },
	{ "man", "", NULL, NULL, NULL, cli_man, CLI_NO_JSON },
};

const struct cli_verb *cli_verbs(void)
{
	static struct cli_verb all[VERBS_MAX];
	unsigned n = 0;

	if (all[0].name)
		return all;
	for (size_t i = 0; i < array_len(first); i++)
		all[n++] = first[i];
	for (const struct cli_verb *v = cli_domain_verbs(); v->name; v++) {
		must(n + array_len(last) + 1 < VERBS_MAX);
		all[n++] = *v;
	}
	for (size_t i = 0; i < array_len(last); i++)
		all[n++] = last[i];
	return all;
}

unsigned cli_verb_words(const struct cli_verb *verb)
{
	return strchr(verb->name, ' ') ? 2 : 1;
}
