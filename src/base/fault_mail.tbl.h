/* What the mail edge refuses, and what goes wrong with backends: part of base/fault.tbl.h (which
 * see). */
/* clang-format off */

FAULT(MAIL_RELAY_DENIED, "MAIL-RELAY-DENIED",
	"Mail for {domain} is not taken here: no domain of that name has a mail server (recipient {rcpt}).",
	"Mail für {domain} wird hier nicht angenommen: Keine Domain dieses Namens hat einen Mailserver (Empfänger {rcpt}).",
	"If it is a customer's, add it: `torhaus domain add {domain} --mail HOST:PORT`. If not, the sender tried to relay through this server, or an MX record points here that should not.",
	"Gehört sie einem Kunden, sie anlegen: `torhaus domain add {domain} --mail HOST:PORT`. Wenn nicht, wollte der Absender diesen Server als Relay benutzen, oder ein MX-Eintrag zeigt zu Unrecht hierher.")
FAULT(MAIL_DOMAINS_UNREAD, "MAIL-DOMAINS-UNREAD",
	"Mail for {domain} is put off: not all domains could be read from the store, and this may be one of them (recipient {rcpt}).",
	"Mail für {domain} wird aufgeschoben: Nicht alle Domains ließen sich aus dem Store lesen, und dies kann eine davon sein (Empfänger {rcpt}).",
	"`torhaus check` says what is wrong with the store; the mail comes again by itself.",
	"`torhaus check` sagt, was mit dem Store nicht stimmt; die Mail kommt von selbst wieder.")
FAULT(MAIL_BAD_SYNTAX, "MAIL-BAD-SYNTAX",
	"The peer's command `{command}` was not understood and refused with {answer}: {why}. Addresses are read as widely as Postfix and Exim read them, as long as they can mean one thing only.",
	"Der Befehl `{command}` der Gegenstelle wurde nicht verstanden und mit {answer} abgewiesen: {why}. Adressen werden so weit gelesen wie von Postfix und Exim, solange sie nur eines bedeuten können.",
	"If it is a partner, its mail program has to write the command as RFC 5321 4.1.2 does: `MAIL FROM:<local@domain>`.",
	"Ist es ein Partner, muss sein Mailprogramm den Befehl schreiben, wie RFC 5321 4.1.2 es tut: `MAIL FROM:<local@domain>`.")
FAULT(MAIL_NOT_SMTP, "MAIL-NOT-SMTP",
	"The peer spoke {protocol} to the mail port, not SMTP (`{said}`); the session was ended at once, so that nothing of it is taken for commands or for mail.",
	"Die Gegenstelle sprach am Mailport {protocol}, nicht SMTP (`{said}`); die Sitzung wurde sofort beendet, damit nichts davon für Befehle oder Mail gehalten wird.",
	"None for scanners and misled programs. A mail client that begins with TLS belongs to mail.listen_tls (port 465); a load balancer that sends PROXY headers belongs into mail.proxy_from.",
	"Keine bei Scannern und fehlgeleiteten Programmen. Ein Mailprogramm, das mit TLS beginnt, gehört an mail.listen_tls (Port 465); ein Lastverteiler, der PROXY-Köpfe sendet, in mail.proxy_from.")
FAULT(MAIL_LOOP, "MAIL-LOOP",
	"The mail server {backend} is this torhaus itself ({how}): mail for {domain} would run in a circle.",
	"Der Mailserver {backend} ist dieser torhaus selbst ({how}): Mail für {domain} liefe im Kreis.",
	"Name the server that keeps the mailboxes: `torhaus domain set {domain} --mail HOST:PORT`. It must not be an address that mail.listen names; if it is a name, see what this machine resolves it to.",
	"Den Server nennen, der die Postfächer hat: `torhaus domain set {domain} --mail HOST:PORT`. Es darf keine Adresse aus mail.listen sein; ist es ein Name, prüfen, wozu ihn diese Maschine auflöst.")
FAULT(MAIL_ROUTED, "MAIL-ROUTED-ADDRESS",
	"The recipient {rcpt} names a further way behind its domain (by %, ! or a second @); a mail server that trusts this one would relay it anywhere, so it was refused.",
	"Der Empfänger {rcpt} nennt hinter seiner Domain einen weiteren Weg (mit %, ! oder einem zweiten @); ein Mailserver, der diesem hier vertraut, würde sie überallhin weitergeben, darum wurde er abgewiesen.",
	"None: such addresses are tried by those who look for open relays. A mailbox that really has such a name needs another one.",
	"Keine: Solche Adressen probiert, wer offene Relays sucht. Ein Postfach, das wirklich so heißt, braucht einen anderen Namen.")
FAULT(MAIL_NO_PROXY_HEADER, "MAIL-NO-PROXY-HEADER",
	"A connection from an address in mail.proxy_from did not begin with a PROXY protocol header in time; it was closed without a word.",
	"Eine Verbindung von einer Adresse aus mail.proxy_from begann nicht rechtzeitig mit einem PROXY-Header; sie wurde wortlos geschlossen.",
	"Switch the PROXY protocol on at the load balancer (HAProxy: send-proxy-v2, nginx: proxy_protocol on), or take its address out of mail.proxy_from.",
	"Das PROXY-Protokoll beim Load-Balancer einschalten (HAProxy: send-proxy-v2, nginx: proxy_protocol on) oder seine Adresse aus mail.proxy_from nehmen.")
FAULT(MAIL_TLS_REQUIRED, "MAIL-TLS-REQUIRED",
	"Mail for {rcpt} has to come encrypted, and the peer came without TLS; its mail was {how}.",
	"Mail für {rcpt} muss verschlüsselt kommen, und die Gegenstelle kam ohne TLS; ihre Mail wurde {how}.",
	"No handshake of this peer failed shortly before: its mail server does not try STARTTLS, and its operator has to switch it on. `torhaus recipient set {rcpt} --tls report` makes an exception.",
	"Kurz davor ist kein Handshake dieser Gegenstelle gescheitert: Ihr Mailserver versucht kein STARTTLS, und ihr Betreiber muss es einschalten. `torhaus recipient set {rcpt} --tls report` macht eine Ausnahme.")
FAULT(MAIL_BACKEND_REFUSED, "MAIL-BACKEND-REFUSED",
	"The mail server {backend} refused the connection ({error}).",
	"Der Mailserver {backend} hat die Verbindung abgelehnt ({error}).",
	"See whether it runs and listens on that address and port; senders try again meanwhile.",
	"Nachsehen, ob er läuft und auf Adresse und Port lauscht; die Absender versuchen es inzwischen weiter.")
FAULT(MAIL_BACKEND_SILENT, "MAIL-BACKEND-SILENT",
	"The mail server {backend} did not answer in time ({error}).",
	"Der Mailserver {backend} hat nicht rechtzeitig geantwortet ({error}).",
	"See its load and log, and the network between; mail.backend_timeout and mail.final_timeout say how long is waited.",
	"Seine Last und sein Protokoll ansehen, und das Netz dazwischen; mail.backend_timeout und mail.final_timeout sagen, wie lange gewartet wird.")
FAULT(MAIL_BACKEND_NAME_UNKNOWN, "MAIL-BACKEND-NAME-UNKNOWN",
	"The name of the mail server {backend} has no address ({error}).",
	"Der Name des Mailservers {backend} hat keine Adresse ({error}).",
	"Correct the domain's mail setting (`torhaus domain set NAME --mail HOST:PORT`), or the record.",
	"Die Einstellung mail der Domain berichtigen (`torhaus domain set NAME --mail HOST:PORT`) oder den DNS-Eintrag.")
FAULT(MAIL_BACKEND_BROKE_OFF, "MAIL-BACKEND-BROKE-OFF",
	"The mail server {backend} broke off the conversation ({error}).",
	"Der Mailserver {backend} hat das Gespräch abgebrochen ({error}).",
	"Its log tells why: restarted, too many connections, a filter that crashed.",
	"Sein Protokoll sagt, warum: Neustart, zu viele Verbindungen, ein abgestürzter Filter.")
FAULT(MAIL_BACKEND_UNREACHABLE, "MAIL-BACKEND-UNREACHABLE",
	"The mail server {backend} cannot be reached ({error}).",
	"Der Mailserver {backend} ist nicht erreichbar ({error}).",
	"See the network between, and the address in the domain's mail setting.",
	"Das Netz dazwischen prüfen, und die Adresse in der Einstellung mail der Domain.")
FAULT(MAIL_BACKEND_UNFIT, "MAIL-BACKEND-UNFIT",
	"The mail server {backend} does not take mail from this server: to {step} it says \"{reply}\".",
	"Der Mailserver {backend} nimmt von diesem Server keine Mail an: Auf {step} sagt er \"{reply}\".",
	"Allow this server there: its address for connections, and for XCLIENT or PROXY where the domain has mail_client set.",
	"Diesen Server dort zulassen: seine Adresse für Verbindungen, und für XCLIENT oder PROXY, wo bei der Domain mail_client gesetzt ist.")
FAULT(MAIL_HELO_REFUSED, "MAIL-HELO-REFUSED",
	"The mail server {backend} refuses the name {helo} that the client calls itself: \"{reply}\". The client was told so.",
	"Der Mailserver {backend} lehnt den Namen {helo} ab, mit dem sich der Client meldet: \"{reply}\". Das wurde dem Client gesagt.",
	"None here: the rules for HELO names are that mail server's. If they hit a partner, make an exception there.",
	"Hier keine: Die Regeln für HELO-Namen sind die jenes Mailservers. Treffen sie einen Partner, dort eine Ausnahme machen.")
FAULT(MAIL_BACKEND_NO_TLS, "MAIL-BACKEND-NO-TLS",
	"The mail to {backend} has to go encrypted, and this mail server offers no TLS ({error}).",
	"Die Mail zu {backend} muss verschlüsselt gehen, und dieser Mailserver bietet kein TLS an ({error}).",
	"Switch STARTTLS on there. Where it is not needed because the way is safe by other means, the domain's mail_tls and tls say so.",
	"Dort STARTTLS einschalten. Wo es nicht nötig ist, weil der Weg anders gesichert ist, sagen das mail_tls und tls der Domain.")
FAULT(MAIL_NOT_LISTENING, "MAIL-NOT-LISTENING",
	"{count} domains have mail set ({domain} and others), but mail.listen names no address: nobody can deliver any.",
	"{count} Domains haben mail gesetzt ({domain} und andere), aber mail.listen nennt keine Adresse: Niemand kann Mail zustellen.",
	"In torhaus.conf: mail { listen = {\"0.0.0.0:25\", \"[::]:25\"} }, then `torhaus reload`.",
	"In torhaus.conf: mail { listen = {\"0.0.0.0:25\", \"[::]:25\"} }, dann `torhaus reload`.")
FAULT(MAIL_HOP_IN_CLEAR, "MAIL-HOP-IN-CLEAR",
	"Mail for {domain} must come encrypted, but mail_tls = \"off\" would send it on to {backend} in the clear; so it is not taken at all.",
	"Mail für {domain} muss verschlüsselt kommen, aber mail_tls = \"off\" würde sie unverschlüsselt an {backend} weitergeben; deshalb wird sie gar nicht angenommen.",
	"`torhaus domain set {domain} --mail-tls required`, or opportunistic; or no longer require encryption.",
	"`torhaus domain set {domain} --mail-tls required`, oder opportunistic; oder keine Verschlüsselung mehr verlangen.")
FAULT(MAIL_BACKEND_TLS_FAILED, "MAIL-BACKEND-TLS-FAILED",
	"The TLS handshake with the mail server {backend} failed ({error}, {why}).",
	"Der TLS-Handshake mit dem Mailserver {backend} ist gescheitert ({error}, {why}).",
	"`torhaus explain {why}` tells more; with mail_tls = \"verified\" the certificate must be valid for the name in the domain's mail setting.",
	"`torhaus explain {why}` sagt mehr; bei mail_tls = \"verified\" muss das Zertifikat für den Namen in der Einstellung mail der Domain gelten.")
FAULT(MAIL_BACKEND_NO_XCLIENT, "MAIL-BACKEND-NO-XCLIENT",
	"The mail server {backend} does not offer XCLIENT to this server, but mail_client = \"xclient\" wants it.",
	"Der Mailserver {backend} bietet diesem Server kein XCLIENT an, aber mail_client = \"xclient\" verlangt es.",
	"In Postfix: smtpd_authorized_xclient_hosts with this server's address. Or set mail_client = \"none\".",
	"In Postfix: smtpd_authorized_xclient_hosts mit der Adresse dieses Servers. Oder mail_client = \"none\" setzen.")
FAULT(MAIL_SPLIT, "MAIL-SPLIT",
	"The recipient {rcpt} lives at another mail server than those before in the same message; the sender was told to send it again for this one.",
	"Der Empfänger {rcpt} liegt auf einem anderen Mailserver als die vorigen derselben Nachricht; dem Absender wurde gesagt, sie für diesen noch einmal zu senden.",
	"None: mail servers do so within minutes.",
	"Keine: Mailserver tun das binnen Minuten.")
FAULT(MAIL_NO_SMTPUTF8, "MAIL-NO-SMTPUTF8",
	"The mail for {rcpt} needs SMTPUTF8 (addresses or headers beyond ASCII), which the mail server of that domain does not know.",
	"Die Mail für {rcpt} braucht SMTPUTF8 (Adressen oder Kopfzeilen jenseits von ASCII), das der Mailserver der Domain nicht kennt.",
	"Switch it on there (Postfix: smtputf8_enable = yes).",
	"Es dort einschalten (Postfix: smtputf8_enable = yes).")
FAULT(MAIL_BARE_LINE, "MAIL-BARE-LINE",
	"The peer sent a lone CR or LF, a NUL, or an endless line; what two mail servers read differently is how mail is smuggled, so the session was ended.",
	"Die Gegenstelle sandte ein einzelnes CR oder LF, ein NUL oder eine endlose Zeile; was zwei Mailserver verschieden lesen, dient zum Einschmuggeln von Mail, darum wurde die Sitzung beendet.",
	"None here. If the peer is a partner, its mail program has to end lines in CRLF (RFC 5321 2.3.8).",
	"Hier keine. Ist die Gegenstelle ein Partner, muss ihr Mailprogramm Zeilen mit CRLF beenden (RFC 5321 2.3.8).")
FAULT(MAIL_TOO_LARGE, "MAIL-TOO-LARGE",
	"A message was larger than mail.message_size_max, or than its mail server takes.",
	"Eine Nachricht war größer als mail.message_size_max, oder größer als ihr Mailserver annimmt.",
	"Raise the limit here and at the mail server, or let the sender use another way.",
	"Die Grenze hier und beim Mailserver erhöhen, oder den Absender einen anderen Weg nehmen lassen.")
FAULT(MAIL_TOO_MANY_RECIPIENTS, "MAIL-TOO-MANY-RECIPIENTS",
	"A message has more recipients than mail.recipients_max; the sender was told to send it again for the others ({rcpt}).",
	"Eine Nachricht hat mehr Empfänger als mail.recipients_max; dem Absender wurde gesagt, sie für die übrigen noch einmal zu senden ({rcpt}).",
	"None, or raise mail.recipients_max.",
	"Keine, oder mail.recipients_max erhöhen.")
FAULT(MAIL_TOO_MANY_CONNECTIONS, "MAIL-TOO-MANY-CONNECTIONS",
	"The network of this peer has {limit} sessions already.",
	"Das Netz dieser Gegenstelle hat schon {limit} Sitzungen.",
	"If it is a partner, raise mail.connections_per_network.",
	"Ist es ein Partner, mail.connections_per_network erhöhen.")
FAULT(MAIL_TOO_MANY_ERRORS, "MAIL-TOO-MANY-ERRORS",
	"The peer made more errors since its last message that was taken than mail.errors_max allows (unknown recipients, commands that do not exist).",
	"Die Gegenstelle hat seit ihrer letzten angenommenen Nachricht mehr Fehler gemacht, als mail.errors_max erlaubt (unbekannte Empfänger, Befehle, die es nicht gibt).",
	"None: harvesters of addresses do that. If it is a partner, its list of recipients is out of date.",
	"Keine: Adresssammler tun das. Ist es ein Partner, ist seine Empfängerliste veraltet.")
FAULT(MAIL_TOO_MANY_COMMANDS, "MAIL-TOO-MANY-COMMANDS",
	"The peer said more commands than mail.commands_max without a message.",
	"Die Gegenstelle hat mehr Befehle gesagt als mail.commands_max, ohne eine Nachricht.",
	"None, or raise mail.commands_max.",
	"Keine, oder mail.commands_max erhöhen.")
/* clang-format on */
