/*
 * Every code that torhaus shows, with its sentences: FAULT(id, code, cause in English, in
 * German, remedy in English, in German). {name} is evidence (see base/fault.h). Kept in
 * groups by area, new rows at the end of their group; `torhaus explain`, the man page and
 * the tests are made from this table.
 */
/* clang-format off */

/* ---- settings and store ---- */
FAULT(SETTINGS_UNKNOWN_KEY, "SETTINGS-UNKNOWN-KEY",
	"{file}:{line}: there is no setting \"{key}\".",
	"{file}:{line}: Es gibt keine Einstellung \"{key}\".",
	"Did you mean \"{nearest}\"? `man torhaus` lists all settings.",
	"Ist \"{nearest}\" gemeint? `man torhaus` nennt alle Einstellungen.")
FAULT(SETTINGS_BAD_VALUE, "SETTINGS-BAD-VALUE",
	"{file}:{line}: \"{value}\" does not fit {key}: {why}.",
	"{file}:{line}: \"{value}\" passt nicht zu {key}: {why}.",
	"Write {wanted}.",
	"Erwartet wird: {wanted}.")
FAULT(SETTINGS_SYNTAX, "SETTINGS-SYNTAX",
	"{file}:{line}: this is not the grammar of a settings file: {why}.",
	"{file}:{line}: Das ist nicht die Grammatik einer Einstellungsdatei: {why}.",
	"Correct the line; `torhaus check` shows all findings at once.",
	"Zeile berichtigen; `torhaus check` zeigt alle Befunde auf einmal.")
FAULT(SETTINGS_NO_SUCH_KEY, "SETTINGS-NO-SUCH-KEY",
	"{file}:{line}: there is no setting \"{key}\", nor one with a similar name.",
	"{file}:{line}: Es gibt keine Einstellung \"{key}\", auch keine mit ähnlichem Namen.",
	"Remove it. What can stand here: {known}.",
	"Entfernen. Hier möglich: {known}.")
FAULT(SETTINGS_TWICE, "SETTINGS-TWICE",
	"{file}:{line}: {key} stands here a second time; the first is in line {first}.",
	"{file}:{line}: {key} steht hier zum zweiten Mal; das erste steht in Zeile {first}.",
	"Keep one of the two.",
	"Nur eines von beiden behalten.")
FAULT(SETTINGS_UNREADABLE, "SETTINGS-UNREADABLE",
	"The settings {path} cannot be read: {error}.",
	"Die Einstellungen {path} sind nicht lesbar: {error}.",
	"Name the file with --config or $TORHAUS_CONFIG, or make one with `torhaus init`.",
	"Die Datei mit --config oder $TORHAUS_CONFIG nennen oder mit `torhaus init` eine anlegen.")
FAULT(STORE_BAD_URL, "STORE-BAD-URL",
	"The address of the store, \"{url}\", is of no kind that torhaus knows.",
	"Die Adresse des Speichers, \"{url}\", ist von keiner Art, die torhaus kennt.",
	"Write store = \"sqlite:/var/lib/torhaus/torhaus.db\" in torhaus.conf.",
	"In torhaus.conf store = \"sqlite:/var/lib/torhaus/torhaus.db\" schreiben.")
FAULT(STORE_MISSING, "STORE-MISSING",
	"There is no store at {path} ({error}).",
	"Unter {path} liegt kein Speicher ({error}).",
	"Put the file back from a backup, or make a new store with `torhaus init` and fill it with `torhaus domain apply FILE` from an export. A running server goes on with the domains that it has.",
	"Die Datei aus einer Sicherung zurückholen, oder mit `torhaus init` einen neuen Speicher anlegen und ihn mit `torhaus domain apply DATEI` aus einem Export füllen. Ein laufender Server arbeitet mit seinen Domains weiter.")
FAULT(STORE_LOCKED, "STORE-LOCKED",
	"Another program holds the store {path} locked for longer than 5 seconds ({error}).",
	"Ein anderes Programm hält den Speicher {path} länger als 5 Sekunden gesperrt ({error}).",
	"`fuser -v {path}` names the program; end it, or try again when it is done.",
	"`fuser -v {path}` nennt das Programm; es beenden, oder es noch einmal versuchen, wenn es fertig ist.")
FAULT(STORE_READ_ONLY, "STORE-READ-ONLY",
	"The store {path} cannot be written by user id {uid} ({error}).",
	"Der Speicher {path} ist für die Benutzernummer {uid} nicht beschreibbar ({error}).",
	"Give the file, {path}-wal, {path}-shm and their folder to the user torhaus (chown), and see with `findmnt -T {path}` that the file system is not mounted read-only.",
	"Die Datei, {path}-wal, {path}-shm und ihren Ordner dem Benutzer torhaus geben (chown), und mit `findmnt -T {path}` nachsehen, ob das Dateisystem nur lesbar eingehängt ist.")
FAULT(STORE_NO_ACCESS, "STORE-NO-ACCESS",
	"The store {path} may not be read by user id {uid} ({error}).",
	"Die Benutzernummer {uid} darf den Speicher {path} nicht lesen ({error}).",
	"Call torhaus as root or as a member of the group that the file belongs to.",
	"torhaus als root oder als Mitglied der Gruppe aufrufen, der die Datei gehört.")
FAULT(STORE_FULL, "STORE-FULL",
	"There is no room left for the store {path} ({error}); nothing was changed.",
	"Für den Speicher {path} ist kein Platz mehr ({error}); es wurde nichts geändert.",
	"Free some space (`df -h {path}` shows the file system), then repeat the change.",
	"Platz schaffen (`df -h {path}` zeigt das Dateisystem), dann die Änderung wiederholen.")
FAULT(STORE_CORRUPT, "STORE-CORRUPT",
	"The store {path} is damaged or no SQLite file ({error}).",
	"Der Speicher {path} ist beschädigt oder keine SQLite-Datei ({error}).",
	"Put back a backup, or rescue what is readable: `sqlite3 {path} .recover | sqlite3 new.db`, then `mv new.db {path}`; or make a new store and fill it with `torhaus domain apply FILE` from an export. A running server goes on with the domains that it has.",
	"Eine Sicherung zurückspielen, oder retten, was lesbar ist: `sqlite3 {path} .recover | sqlite3 neu.db`, dann `mv neu.db {path}`; oder einen neuen Speicher anlegen und mit `torhaus domain apply DATEI` aus einem Export füllen. Ein laufender Server arbeitet mit seinen Domains weiter.")
FAULT(STORE_FOREIGN, "STORE-FOREIGN",
	"{path} is an SQLite file of another program ({error}).",
	"{path} ist eine SQLite-Datei eines anderen Programms ({error}).",
	"Name another file as store in torhaus.conf.",
	"In torhaus.conf eine andere Datei als store angeben.")
FAULT(STORE_NEWER, "STORE-NEWER",
	"The store {path} was written by a newer torhaus (schema {schema}; this program knows schemas up to {known}).",
	"Der Speicher {path} stammt von einem neueren torhaus (Schema {schema}; dieses Programm kennt Schemas bis {known}).",
	"Install the newer torhaus again, or put back a backup that was made before the upgrade.",
	"Das neuere torhaus wieder einspielen, oder eine Sicherung von vor der Aktualisierung zurückholen.")
FAULT(STORE_NAME_TAKEN, "STORE-NAME-TAKEN",
	"The web name {name} of {domain} already belongs to the domain {owner}.",
	"Der Webname {name} von {domain} gehört schon zur Domain {owner}.",
	"`torhaus domain show {owner}` shows it; take the name away there first, or leave it out here.",
	"`torhaus domain show {owner}` zeigt sie; den Namen erst dort entfernen oder hier weglassen.")
FAULT(STORE_BAD_ROW, "STORE-BAD-ROW",
	"The store holds settings of the domain {domain} that do not fit: {why}. The domain is left out.",
	"Der Speicher enthält Einstellungen der Domain {domain}, die nicht passen: {why}. Die Domain wird ausgelassen.",
	"`torhaus domain show {domain}` shows them; remove the domain and add it again.",
	"`torhaus domain show {domain}` zeigt sie; die Domain entfernen und neu anlegen.")
FAULT(STORE_FAILED, "STORE-FAILED",
	"The store {path} cannot be used: {error}.",
	"Der Speicher {path} ist nicht benutzbar: {error}.",
	"Look for errors of the disk (`journalctl -k`) and check the file with `sqlite3 {path} 'PRAGMA integrity_check'`; torhaus tries again by itself.",
	"Nach Fehlern der Platte sehen (`journalctl -k`) und die Datei mit `sqlite3 {path} 'PRAGMA integrity_check'` prüfen; torhaus versucht es von selbst wieder.")
FAULT(FILE_UNWRITABLE, "FILE-UNWRITABLE",
	"{path} cannot be written: {error}.",
	"{path} ist nicht schreibbar: {error}.",
	"Name a file in a folder that can be written.",
	"Eine Datei in einem beschreibbaren Ordner nennen.")
FAULT(EVIDENCE_WAITING, "EVIDENCE-WAITING",
	"Since {since} the store does not take the evidence of mails and handshakes ({code}); {events} events wait in memory.",
	"Seit {since} nimmt der Speicher die Nachweise über Mails und Handshakes nicht an ({code}); {events} Ereignisse warten im Arbeitsspeicher.",
	"Repair the store (`torhaus explain {code}`). Up to {most} MiB wait and are written then; a restart before that loses them.",
	"Den Speicher reparieren (`torhaus explain {code}`). Bis zu {most} MiB warten und werden dann geschrieben; ein Neustart davor verliert sie.")
FAULT(EVIDENCE_LOST, "EVIDENCE-LOST",
	"{events} events of mails and handshakes between {since} and {until} are missing in the evidence: the store did not take them ({code}), and no more could wait.",
	"{events} Ereignisse zu Mails und Handshakes zwischen {since} und {until} fehlen in den Nachweisen: Der Speicher nahm sie nicht an ({code}), und mehr konnten nicht warten.",
	"Repair the store (`torhaus explain {code}`) and note the gap in the reports of that time.",
	"Den Speicher reparieren (`torhaus explain {code}`) und die Lücke in den Berichten jener Zeit vermerken.")

/* ---- domains ---- */
FAULT(DOMAIN_BAD_NAME, "DOMAIN-BAD-NAME",
	"\"{domain}\" is no domain name.",
	"\"{domain}\" ist kein Domainname.",
	"Write a host name such as example.de: letters, digits, hyphens and dots, without scheme and port.",
	"Einen Hostnamen wie example.de schreiben: Buchstaben, Ziffern, Bindestriche und Punkte, ohne Schema und Port.")
FAULT(DOMAIN_TWICE, "DOMAIN-TWICE",
	"{file}:{line}: the domain {domain} stands here a second time; the first is in line {first}.",
	"{file}:{line}: Die Domain {domain} steht hier zum zweiten Mal; die erste steht in Zeile {first}.",
	"Join the two sections into one.",
	"Die beiden Abschnitte zu einem vereinen.")
FAULT(DOMAIN_WEB_TWICE, "DOMAIN-WEB-TWICE",
	"{file}:{line}: the web name {name} of {domain} already belongs to {owner} (line {first}).",
	"{file}:{line}: Der Webname {name} von {domain} gehört schon zu {owner} (Zeile {first}).",
	"Leave it in one of the two: a name leads to one site.",
	"Ihn nur bei einer der beiden lassen: Ein Name führt zu einer Site.")
FAULT(DOMAIN_TOO_MANY, "DOMAIN-TOO-MANY",
	"{file}:{line}: {domain} brings the number of {key} to {count}; at most {most} are possible.",
	"{file}:{line}: Mit {domain} wird die Zahl von {key} zu {count}; möglich sind höchstens {most}.",
	"Divide it, or use a wildcard such as *.example.de for the web names.",
	"Aufteilen, oder für die Webnamen einen Platzhalter wie *.example.de verwenden.")
FAULT(DOMAIN_NO_ORIGIN, "DOMAIN-NO-ORIGIN",
	"{file}:{line}: {domain} has web names but no origin to fetch their pages from.",
	"{file}:{line}: {domain} hat Webnamen, aber keinen Ursprung, von dem die Seiten geholt werden.",
	"Add origin = \"http://ADDRESS\" (`torhaus domain set {domain} --origin http://ADDRESS`).",
	"origin = \"http://ADRESSE\" hinzufügen (`torhaus domain set {domain} --origin http://ADRESSE`).")
FAULT(DOMAIN_UNKNOWN, "DOMAIN-UNKNOWN",
	"There is no domain {domain}.",
	"Es gibt keine Domain {domain}.",
	"{hint}",
	"{hint}")
FAULT(RECIPIENT_UNKNOWN, "RECIPIENT-UNKNOWN",
	"{address} has no encryption of its own; that of {domain} holds: {tls}.",
	"{address} hat keine eigene Verschlüsselung; es gilt die von {domain}: {tls}.",
	"`torhaus recipient list {domain}` shows those that have one.",
	"`torhaus recipient list {domain}` zeigt, wer eine hat.")
FAULT(DOMAIN_EXISTS, "DOMAIN-EXISTS",
	"The domain {domain} exists already.",
	"Die Domain {domain} gibt es schon.",
	"Change it with `torhaus domain set {domain} ...`.",
	"Mit `torhaus domain set {domain} ...` ändern.")
FAULT(DOMAIN_FILE_UNREADABLE, "DOMAIN-FILE-UNREADABLE",
	"The file {file} cannot be read: {error}.",
	"Die Datei {file} ist nicht lesbar: {error}.",
	"Name a file of at most 64 MiB that you may read, or - for standard input.",
	"Eine lesbare Datei von höchstens 64 MiB angeben, oder - für die Standardeingabe.")
FAULT(DOMAIN_LIST_LINE, "DOMAIN-LIST-LINE",
	"{file}:{line}: \"{text}\" is no \"name address\": {why}.",
	"{file}:{line}: \"{text}\" ist kein \"Name Adresse\": {why}.",
	"Write a host name and the address of its web server, such as \"example.de 192.0.2.10\"; # begins a comment.",
	"Einen Hostnamen und die Adresse seines Webservers schreiben, etwa \"example.de 192.0.2.10\"; # beginnt einen Kommentar.")
FAULT(DOMAIN_LIST_TWICE, "DOMAIN-LIST-TWICE",
	"{file}:{line}: {name} stands here a second time ({text}); the first is in line {first}.",
	"{file}:{line}: {name} steht hier zum zweiten Mal ({text}); das erste Mal in Zeile {first}.",
	"Keep one of the two. Several servers for one name: `torhaus domain set {name} --origin http://A --origin http://B`.",
	"Nur eine der beiden behalten. Mehrere Server für einen Namen: `torhaus domain set {name} --origin http://A --origin http://B`.")
FAULT(DOMAIN_LIST_TAKEN, "DOMAIN-LIST-TAKEN",
	"{file}:{line}: {name} is served by the domain {owner} already, from another origin than {text}.",
	"{file}:{line}: {name} wird schon von der Domain {owner} ausgeliefert, von einem anderen Ursprung als {text}.",
	"Take the name away from {owner} first (`torhaus domain set {owner} --web ...`), or change the origin of {owner}.",
	"Den Namen erst {owner} wegnehmen (`torhaus domain set {owner} --web ...`), oder den Ursprung von {owner} ändern.")

/* ---- sockets ---- */
FAULT(LISTEN_FAILED, "LISTEN-FAILED",
	"The address {address} cannot be listened on: {error}.",
	"Auf der Adresse {address} kann nicht gelauscht werden: {error}.",
	"Find who holds it (ss -ltnp), or give torhaus the right to ports below 1024 (CAP_NET_BIND_SERVICE), or choose another address.",
	"Nachsehen, wer sie hat (ss -ltnp), oder torhaus das Recht auf Ports unter 1024 geben (CAP_NET_BIND_SERVICE), oder eine andere Adresse wählen.")

/* ---- TLS ---- */
#include "base/fault_tls.tbl.h"
#include "base/fault_predict.tbl.h"
#include "base/fault_dns.tbl.h"
#include "base/fault_mail.tbl.h"

/* ---- surveys ---- */
#include "base/fault_scan.tbl.h"

/* ---- certificates ---- */
FAULT(CERT_NONE, "CERT-NONE",
	"No certificate folder holds a usable pair of certificate and key.",
	"Kein Zertifikatsordner enthält ein brauchbares Paar aus Zertifikat und Schlüssel.",
	"Put certificate and key (.pem, or .crt and .key) into a folder named by `certificates`.",
	"Zertifikat und Schlüssel (.pem oder .crt und .key) in einen unter `certificates` genannten Ordner legen.")
FAULT(CERT_UNREADABLE, "CERT-UNREADABLE",
	"The file {file} cannot be read: {error}.",
	"Die Datei {file} kann nicht gelesen werden: {error}.",
	"Correct owner and mode; the supervisor, which reads it, runs as the user that started torhaus.",
	"Besitzer und Rechte berichtigen; gelesen wird sie vom Supervisor, der als der Benutzer läuft, der torhaus gestartet hat.")
FAULT(CERT_BAD_FILE, "CERT-BAD-FILE",
	"The file {file} holds neither a certificate nor a key in PEM form, or a damaged one.",
	"Die Datei {file} enthält weder Zertifikat noch Schlüssel in PEM-Form, oder sie sind beschädigt.",
	"Look at it with openssl x509 -in {file} -text; convert DER with openssl x509 -inform DER.",
	"Mit openssl x509 -in {file} -text ansehen; DER mit openssl x509 -inform DER umwandeln.")
FAULT(CERT_KEY_ENCRYPTED, "CERT-KEY-ENCRYPTED",
	"The key in {file} is protected by a passphrase.",
	"Der Schlüssel in {file} ist mit einer Passphrase geschützt.",
	"Store it without: openssl pkey -in {file} -out NEW.key, readable for root only.",
	"Ohne speichern: openssl pkey -in {file} -out NEU.key, nur für root lesbar.")
FAULT(CERT_NO_KEY, "CERT-NO-KEY",
	"No key in the certificate folders belongs to the certificate in {file}.",
	"Kein Schlüssel in den Zertifikatsordnern gehört zum Zertifikat in {file}.",
	"Put its key beside it.",
	"Den zugehörigen Schlüssel daneben legen.")
FAULT(CERT_KEY_MISMATCH, "CERT-KEY-MISMATCH",
	"The certificate in {file} and the key in {key} do not belong together.",
	"Das Zertifikat in {file} und der Schlüssel in {key} gehören nicht zusammen.",
	"Deploy certificate and key together; the pair that worked before stays in service meanwhile.",
	"Zertifikat und Schlüssel gemeinsam ausrollen; das bisherige Paar bleibt solange in Betrieb.")
FAULT(CERT_KEY_KIND, "CERT-KEY-KIND",
	"The key of {file} is neither RSA, ECDSA nor Ed25519.",
	"Der Schlüssel von {file} ist weder RSA noch ECDSA noch Ed25519.",
	"Have the certificate issued for an RSA or ECDSA key.",
	"Das Zertifikat für einen RSA- oder ECDSA-Schlüssel ausstellen lassen.")
FAULT(CERT_KEY_TOO_SMALL, "CERT-KEY-TOO-SMALL",
	"The key of {file} ({name}) has {bits} bits, too few to be accepted.",
	"Der Schlüssel von {file} ({name}) hat {bits} Bit, zu wenig, um angenommen zu werden.",
	"Have it reissued with RSA of 2048 bits or more, or ECDSA P-256.",
	"Neu ausstellen lassen mit RSA ab 2048 Bit oder ECDSA P-256.")
FAULT(CERT_WEAK_SIGNATURE, "CERT-WEAK-SIGNATURE",
	"A certificate in {file} ({name}) is signed with SHA-1 or weaker; nobody accepts that.",
	"Ein Zertifikat in {file} ({name}) ist mit SHA-1 oder schwächer signiert; das nimmt niemand an.",
	"Have it reissued.",
	"Neu ausstellen lassen.")
FAULT(CERT_CHAIN_ORDER, "CERT-CHAIN-ORDER",
	"In {file} ({name}) a certificate is not signed by the one that follows it.",
	"In {file} ({name}) ist ein Zertifikat nicht von dem signiert, das darauf folgt.",
	"Order them: the server's certificate first, then each issuer; leave out what does not belong (fullchain.pem is right).",
	"Ordnen: zuerst das Serverzertifikat, dann jeweils der Aussteller; Fremdes weglassen (fullchain.pem ist richtig).")
FAULT(CERT_NO_CHAIN, "CERT-NO-CHAIN",
	"{file} ({name}) holds the server's certificate without the intermediate certificate of {issuer}: some clients will not accept it.",
	"{file} ({name}) enthält das Serverzertifikat ohne das Zwischenzertifikat von {issuer}: Manche Clients werden es nicht annehmen.",
	"Use the file with the whole chain (fullchain.pem).",
	"Die Datei mit der ganzen Kette verwenden (fullchain.pem).")
FAULT(CERT_EXPIRED, "CERT-EXPIRED",
	"The certificate in {file} ({name}) expired at {until}.",
	"Das Zertifikat in {file} ({name}) ist am {until} abgelaufen.",
	"Renew it; look why the automatic renewal did not run.",
	"Erneuern; nachsehen, warum die automatische Erneuerung nicht lief.")
FAULT(CERT_NOT_YET_VALID, "CERT-NOT-YET-VALID",
	"The certificate in {file} ({name}) is valid from {from} on only.",
	"Das Zertifikat in {file} ({name}) gilt erst ab {from}.",
	"Look at this machine's clock (timedatectl).",
	"Die Uhr dieser Maschine prüfen (timedatectl).")
FAULT(CERT_KEY_USAGE, "CERT-KEY-USAGE",
	"The certificate in {file} ({name}) forbids its key to sign (key usage without digitalSignature).",
	"Das Zertifikat in {file} ({name}) verbietet seinem Schlüssel das Signieren (Key Usage ohne digitalSignature).",
	"Have it reissued for a TLS server.",
	"Für einen TLS-Server neu ausstellen lassen.")
FAULT(CERT_NOT_FOR_SERVERS, "CERT-NOT-FOR-SERVERS",
	"The certificate in {file} ({name}) is not for servers (extended key usage without serverAuth).",
	"Das Zertifikat in {file} ({name}) ist nicht für Server (Extended Key Usage ohne serverAuth).",
	"Have it reissued for a TLS server.",
	"Für einen TLS-Server neu ausstellen lassen.")
FAULT(CERT_NO_NAMES, "CERT-NO-NAMES",
	"The certificate in {file} names no host.",
	"Das Zertifikat in {file} nennt keinen Host.",
	"Have it reissued with the names as DNS entries of the subjectAltName.",
	"Mit den Namen als DNS-Einträgen im subjectAltName neu ausstellen lassen.")
FAULT(CERT_STAPLE_BAD, "CERT-STAPLE-BAD",
	"The OCSP response in {file} is not good for its certificate: wrong, out of date, or not signed by the issuer.",
	"Die OCSP-Antwort in {file} taugt nicht für ihr Zertifikat: falsch, veraltet oder nicht vom Aussteller signiert.",
	"Fetch it anew (openssl ocsp … -respout {file}) or delete the file; it is not stapled.",
	"Neu holen (openssl ocsp … -respout {file}) oder die Datei löschen; sie wird nicht mitgesandt.")
FAULT(CERT_KEPT, "CERT-KEPT",
	"What lies in {file} now cannot be served; the pair for {name} that worked before stays in service.",
	"Was jetzt in {file} liegt, kann nicht ausgeliefert werden; das bisherige Paar für {name} bleibt in Betrieb.",
	"Mend the file (the other findings say what is wrong with it); a restart would lose the old pair.",
	"Die Datei berichtigen (die anderen Befunde sagen, was ihr fehlt); ein Neustart verlöre das alte Paar.")
FAULT(CERT_KEY_TYPE_CHANGED, "CERT-KEY-TYPE-CHANGED",
	"{name} was served with {before} certificates and is now served with {now}.",
	"{name} wurde mit {before}-Zertifikaten ausgeliefert und nun mit {now}.",
	"Peers that can verify only the former key type will fail from now on: serve RSA and ECDSA side by side.",
	"Gegenstellen, die nur die frühere Schlüsselart prüfen können, scheitern ab jetzt: RSA und ECDSA nebeneinander anbieten.")
FAULT(CERT_NAME_LOST, "CERT-NAME-LOST",
	"{name} was served with {before} certificates and has none any more.",
	"{name} wurde mit {before}-Zertifikaten ausgeliefert und hat keines mehr.",
	"If the name is still in use, put its certificate back.",
	"Falls der Name noch gebraucht wird, sein Zertifikat zurücklegen.")
FAULT(CERT_EXPIRES_SOON, "CERT-EXPIRES-SOON",
	"The certificate in {file} ({name}) expires at {until}.",
	"Das Zertifikat in {file} ({name}) läuft am {until} ab.",
	"Renew it; look why the automatic renewal did not run.",
	"Erneuern; nachsehen, warum die automatische Erneuerung nicht lief.")
FAULT(CERT_NOT_SERVED, "CERT-NOT-SERVED",
	"A handshake with ourselves for {name} ({type}) was not answered with the certificate in {file}: {error}.",
	"Ein Handshake mit uns selbst für {name} ({type}) wurde nicht mit dem Zertifikat in {file} beantwortet: {error}.",
	"See torhaus cert list for what is served; if another program holds the address, stop it.",
	"Mit torhaus cert list nachsehen, was ausgeliefert wird; hält ein anderes Programm die Adresse, dieses anhalten.")

/* ---- origins ---- */
FAULT(ORIGIN_NONE, "ORIGIN-NONE",
	"The domain {domain} has no origin.",
	"Die Domain {domain} hat keinen Ursprungsserver.",
	"Name one: torhaus domain set {domain} --origin http://ADDRESS:PORT",
	"Einen nennen: torhaus domain set {domain} --origin http://ADRESSE:PORT")
FAULT(ORIGIN_NAME_UNKNOWN, "ORIGIN-NAME-UNKNOWN",
	"The name of the origin {origin} cannot be resolved ({name}).",
	"Der Name des Ursprungsservers {origin} lässt sich nicht auflösen ({name}).",
	"Correct the name, or write the origin's address instead; check the resolver of this machine (getent ahosts {name}).",
	"Den Namen berichtigen oder die Adresse angeben; den Resolver dieser Maschine prüfen (getent ahosts {name}).")
FAULT(ORIGIN_REFUSED, "ORIGIN-REFUSED",
	"The origin {origin} refuses connections: nothing listens there.",
	"Der Ursprungsserver {origin} lehnt Verbindungen ab: Dort lauscht niemand.",
	"Start the web server there, or correct address and port (torhaus domain show).",
	"Den Webserver dort starten oder Adresse und Port berichtigen (torhaus domain show).")
FAULT(ORIGIN_UNREACHABLE, "ORIGIN-UNREACHABLE",
	"The origin {origin} cannot be reached: {error}.",
	"Der Ursprungsserver {origin} ist nicht erreichbar: {error}.",
	"Check route and firewall between this machine and the origin.",
	"Route und Firewall zwischen dieser Maschine und dem Ursprungsserver prüfen.")
FAULT(ORIGIN_CONNECT_TIMEOUT, "ORIGIN-CONNECT-TIMEOUT",
	"The origin {origin} does not answer the attempt to connect.",
	"Der Ursprungsserver {origin} antwortet nicht auf den Verbindungsversuch.",
	"See whether the machine is up and whether a firewall drops the packets; connect_timeout says how long we wait.",
	"Nachsehen, ob die Maschine läuft und ob eine Firewall die Pakete verwirft; connect_timeout sagt, wie lange gewartet wird.")
FAULT(ORIGIN_TLS_FAILED, "ORIGIN-TLS-FAILED",
	"TLS with the origin {origin} failed ({code}): {error}; expected a certificate for {name}.",
	"TLS mit dem Ursprungsserver {origin} ist gescheitert ({code}): {error}; erwartet wird ein Zertifikat für {name}.",
	"Give the origin a certificate valid for {name}, or set origin_verify = false if the way there is trusted.",
	"Dem Ursprungsserver ein für {name} gültiges Zertifikat geben, oder origin_verify = false setzen, wenn der Weg dorthin vertrauenswürdig ist.")
FAULT(ORIGIN_SILENT, "ORIGIN-SILENT",
	"The origin {origin} took the request and did not answer in time.",
	"Der Ursprungsserver {origin} hat die Anfrage angenommen und nicht rechtzeitig geantwortet.",
	"Look at the load and the logs there; first_byte_timeout says how long we wait.",
	"Last und Protokolle dort ansehen; first_byte_timeout sagt, wie lange gewartet wird.")
FAULT(ORIGIN_BROKE_OFF, "ORIGIN-BROKE-OFF",
	"The origin {origin} closed the connection without an answer: {error}.",
	"Der Ursprungsserver {origin} hat die Verbindung ohne Antwort geschlossen: {error}.",
	"Look for a crash in the origin's error log.",
	"Im Fehlerprotokoll des Ursprungsservers nach einem Absturz suchen.")
FAULT(ORIGIN_BAD_RESPONSE, "ORIGIN-BAD-RESPONSE",
	"The origin {origin} answers with something that is not valid HTTP ({code}): {what}.",
	"Der Ursprungsserver {origin} antwortet mit etwas, das kein gültiges HTTP ist ({code}): {what}.",
	"See that an HTTP server listens there and that its response framing is right; ambiguous answers are not passed on.",
	"Prüfen, ob dort ein HTTP-Server lauscht und seine Antwort richtig gerahmt ist; mehrdeutige Antworten werden nicht weitergegeben.")
FAULT(ORIGIN_BODY_STALLED, "ORIGIN-BODY-STALLED",
	"The origin {origin} stopped sending in the middle of its answer.",
	"Der Ursprungsserver {origin} hat mitten in seiner Antwort aufgehört zu senden.",
	"Look at the load there; read_timeout says how long we wait between two pieces.",
	"Die Last dort ansehen; read_timeout sagt, wie lange zwischen zwei Stücken gewartet wird.")
FAULT(ORIGIN_BODY_BROKE_OFF, "ORIGIN-BODY-BROKE-OFF",
	"The answer of the origin {origin} broke off before its end: {error}.",
	"Die Antwort des Ursprungsservers {origin} brach vor ihrem Ende ab: {error}.",
	"Look for a crash or a time limit in the origin's error log.",
	"Im Fehlerprotokoll des Ursprungsservers nach Absturz oder Zeitgrenze suchen.")
FAULT(ORIGIN_UNHEALTHY, "ORIGIN-UNHEALTHY",
	"The origin {origin} answers its health check {path} with {status}.",
	"Der Ursprungsserver {origin} beantwortet die Prüfung {path} mit {status}.",
	"See why the page fails there, or name another health_path.",
	"Nachsehen, warum die Seite dort scheitert, oder einen anderen health_path angeben.")
FAULT(ORIGIN_SERVER_ERROR, "ORIGIN-SERVER-ERROR",
	"The origin {origin} answered with {status}.",
	"Der Ursprungsserver {origin} hat mit {status} geantwortet.",
	"Look into the origin's error log.",
	"Ins Fehlerprotokoll des Ursprungsservers sehen.")
FAULT(ORIGIN_LOOP, "ORIGIN-LOOP",
	"The request for {host} came back to us: the origin of {domain} leads to this torhaus.",
	"Die Anfrage für {host} kam zu uns zurück: Der Ursprungsserver von {domain} führt zu diesem torhaus.",
	"Set the origin to the address of the web server itself: torhaus domain set {domain} --origin http://ADDRESS:PORT",
	"Als Ursprung die Adresse des Webservers selbst angeben: torhaus domain set {domain} --origin http://ADRESSE:PORT")

/* ---- requests ---- */
FAULT(WEB_NO_SUCH_SITE, "WEB-NO-SUCH-SITE",
	"No domain has the web name {host}.",
	"Keine Domain hat den Web-Namen {host}.",
	"If it is a customer's: torhaus domain add {host} --origin http://ADDRESS:PORT",
	"Falls es eine Kundendomain ist: torhaus domain add {host} --origin http://ADRESSE:PORT")
FAULT(WEB_METHOD_REFUSED, "WEB-METHOD-REFUSED",
	"The method {method} is not passed on.",
	"Die Methode {method} wird nicht weitergereicht.",
	"None: CONNECT and TRACE have no place at a reverse proxy.",
	"Keine: CONNECT und TRACE haben an einem Reverse-Proxy nichts verloren.")
FAULT(WEB_BODY_TOO_LARGE, "WEB-BODY-TOO-LARGE",
	"The request's body exceeds the limit of {limit} for {domain}.",
	"Der Rumpf der Anfrage überschreitet die Grenze von {limit} für {domain}.",
	"If uploads of that size are wanted: torhaus domain set {domain} --body-max SIZE",
	"Falls so große Uploads erwünscht sind: torhaus domain set {domain} --body-max GRÖSSE")
FAULT(CLIENT_BODY_BROKE_OFF, "CLIENT-BODY-BROKE-OFF",
	"The visitor's upload broke off: {error}.",
	"Der Upload des Besuchers brach ab: {error}.",
	"None: the visitor tries again.",
	"Keine: Der Besucher versucht es erneut.")
FAULT(WEB_ONLY_IF_CACHED, "WEB-ONLY-IF-CACHED",
	"The request wants a stored answer only (Cache-Control: only-if-cached), and there is none.",
	"Die Anfrage will nur eine gespeicherte Antwort (Cache-Control: only-if-cached), und es gibt keine.",
	"None: the visitor asked for this.",
	"Keine: Der Besucher wollte es so.")
FAULT(WEB_UPGRADE_REFUSED, "WEB-UPGRADE-REFUSED",
	"The origin {origin} did not switch protocols; it answered {status}.",
	"Der Ursprungsserver {origin} hat das Protokoll nicht gewechselt; er antwortete {status}.",
	"See that the origin offers WebSocket at this address.",
	"Prüfen, ob der Ursprungsserver unter dieser Adresse WebSocket anbietet.")
FAULT(WEB_BUSY, "WEB-BUSY",
	"There are more tasks under way than this worker may have.",
	"Es sind mehr Vorgänge unterwegs, als dieser Arbeitsprozess haben darf.",
	"Look for an attack or a slow origin in `torhaus status`; more threads or machines help against honest load.",
	"In `torhaus status` nach einem Angriff oder einem langsamen Ursprungsserver suchen; gegen ehrliche Last helfen mehr Threads oder Maschinen.")
FAULT(WEB_PURGE_FORBIDDEN, "WEB-PURGE-FORBIDDEN",
	"A PURGE came from {client}, which is no origin of {domain}.",
	"Ein PURGE kam von {client}; das ist kein Ursprungsserver von {domain}.",
	"Purge from the site's origin (preset wordpress), or with torhaus cache purge.",
	"Vom Ursprungsserver der Site leeren (Voreinstellung wordpress) oder mit torhaus cache purge.")
FAULT(ACCEPT_FAILED, "ACCEPT-FAILED",
	"A new connection cannot be taken: {error}.",
	"Eine neue Verbindung kann nicht angenommen werden: {error}.",
	"Raise the limit on open files (LimitNOFILE= in the unit), or find who holds so many connections.",
	"Die Grenze offener Dateien erhöhen (LimitNOFILE= in der Unit) oder herausfinden, wer so viele Verbindungen hält.")

/* ---- HTTP: messages that are refused ---- */
FAULT(HTTP_BAD_REQUEST_LINE, "HTTP-BAD-REQUEST-LINE",
	"The request line is not \"METHOD target HTTP/1.x\" with single blanks; it breaks at \"{what}\".",
	"Die Anfragezeile ist nicht \"METHODE Ziel HTTP/1.x\" mit einfachen Leerzeichen; sie bricht bei \"{what}\".",
	"This is not HTTP, or a faulty client; if it comes often, see what program speaks to this port.",
	"Das ist kein HTTP oder ein fehlerhafter Client; kommt es oft, nachsehen, welches Programm diesen Port anspricht.")
FAULT(HTTP_BAD_TARGET, "HTTP-BAD-TARGET",
	"The request target \"{what}\" is not a path, a whole URL or \"*\" without blanks, control bytes and fragment.",
	"Das Anfrageziel \"{what}\" ist kein Pfad, keine ganze URL und kein \"*\" ohne Leerzeichen, Steuerzeichen und Fragment.",
	"The client has to percent-encode blanks and leave out what follows \"#\".",
	"Der Client muss Leerzeichen prozentkodieren und weglassen, was auf \"#\" folgt.")
FAULT(HTTP_BAD_VERSION, "HTTP-BAD-VERSION",
	"The request asks for \"{what}\"; this connection speaks HTTP/1.1 and HTTP/1.0.",
	"Die Anfrage verlangt \"{what}\"; diese Verbindung spricht HTTP/1.1 und HTTP/1.0.",
	"Use a client that negotiates the version (ALPN) instead of assuming it.",
	"Einen Client verwenden, der die Version aushandelt (ALPN), statt sie vorauszusetzen.")
FAULT(HTTP_BAD_STATUS_LINE, "HTTP-BAD-STATUS-LINE",
	"The response does not begin with \"HTTP/1.x\" and a status of three digits, but with \"{what}\".",
	"Die Antwort beginnt nicht mit \"HTTP/1.x\" und einem dreistelligen Status, sondern mit \"{what}\".",
	"Check that the origin's port speaks HTTP (not HTTPS, not another protocol).",
	"Prüfen, ob der Port des Ursprungsservers HTTP spricht (nicht HTTPS, kein anderes Protokoll).")
FAULT(HTTP_BAD_LINE_END, "HTTP-BAD-LINE-END",
	"A line of the message's head does not end in CRLF (found: {what}): a bare CR or LF has more than one reading.",
	"Eine Zeile im Kopf der Nachricht endet nicht auf CRLF (gefunden: {what}): Ein einzelnes CR oder LF ist mehrdeutig.",
	"The sender has to end every line in CRLF; hand-written scripts often forget the CR.",
	"Der Sender muss jede Zeile mit CRLF beenden; selbst geschriebene Skripte vergessen oft das CR.")
FAULT(HTTP_CONTROL_BYTE, "HTTP-CONTROL-BYTE",
	"Line {line} of the message's head holds the control byte {what}.",
	"Zeile {line} im Kopf der Nachricht enthält das Steuerzeichen {what}.",
	"The sender has to encode such bytes or leave them out.",
	"Der Sender muss solche Zeichen kodieren oder weglassen.")
FAULT(HTTP_FOLDED_LINE, "HTTP-FOLDED-LINE",
	"Line {line} of the message's head begins with a blank (a folded line, obsolete since RFC 7230): \"{what}\".",
	"Zeile {line} im Kopf der Nachricht beginnt mit einem Leerzeichen (gefaltete Zeile, veraltet seit RFC 7230): \"{what}\".",
	"The sender has to write each field on one line.",
	"Der Sender muss jedes Feld auf eine Zeile schreiben.")
FAULT(HTTP_BAD_FIELD, "HTTP-BAD-FIELD",
	"Line {line} of the message's head is not a field name directly followed by a colon: \"{what}\".",
	"Zeile {line} im Kopf der Nachricht ist kein Feldname, dem direkt ein Doppelpunkt folgt: \"{what}\".",
	"The sender has to correct the field; an application that prints its own headers is the usual place.",
	"Der Sender muss das Feld berichtigen; meist ist es eine Anwendung, die eigene Kopfzeilen ausgibt.")
FAULT(HTTP_LINE_TOO_LONG, "HTTP-LINE-TOO-LONG",
	"The first line of the message is longer than {limit} bytes.",
	"Die erste Zeile der Nachricht ist länger als {limit} Bytes.",
	"Send long parameters in the body of a POST instead of in the URL.",
	"Lange Parameter im Rumpf eines POST senden statt in der URL.")
FAULT(HTTP_HEAD_TOO_LARGE, "HTTP-HEAD-TOO-LARGE",
	"The message's head has more than {limit} bytes, {fields} fields or {fields} options of Connection.",
	"Der Kopf der Nachricht hat mehr als {limit} Bytes, {fields} Felder oder {fields} Optionen in Connection.",
	"Cookies are the usual reason: let the application set fewer or smaller ones.",
	"Meist sind es Cookies: die Anwendung weniger oder kleinere setzen lassen.")
FAULT(HTTP_NO_HOST, "HTTP-NO-HOST",
	"The request has no Host field or more than one, so that no site can be picked.",
	"Die Anfrage hat kein Host-Feld oder mehrere; so lässt sich keine Site bestimmen.",
	"The client has to send exactly one Host (HTTP/1.0 clients, too); health checks often need to be told its value.",
	"Der Client muss genau ein Host senden (auch mit HTTP/1.0); Health-Checks muss man den Wert oft vorgeben.")
FAULT(HTTP_BAD_HOST, "HTTP-BAD-HOST",
	"\"{what}\" is not a host name or address with an optional port.",
	"\"{what}\" ist kein Hostname und keine Adresse mit optionalem Port.",
	"The client has to send the name in its ASCII form (xn--...), without user, path or list.",
	"Der Client muss den Namen in ASCII-Form (xn--...) senden, ohne Benutzer, Pfad oder Liste.")
FAULT(HTTP_WRONG_SCHEME, "HTTP-WRONG-SCHEME",
	"The request names \"{what}\", but the connection has the other scheme (http without, https with TLS).",
	"Die Anfrage nennt \"{what}\", die Verbindung hat aber das andere Schema (http ohne, https mit TLS).",
	"The client uses torhaus as a forward proxy or connects to the wrong port.",
	"Der Client benutzt torhaus als Forward-Proxy oder verbindet sich mit dem falschen Port.")
FAULT(HTTP_CONNECT, "HTTP-CONNECT",
	"The request is a CONNECT to \"{what}\"; torhaus is no forward proxy.",
	"Die Anfrage ist ein CONNECT zu \"{what}\"; torhaus ist kein Forward-Proxy.",
	"Nothing to do: scanners try this everywhere.",
	"Nichts zu tun: Scanner versuchen das überall.")
FAULT(HTTP_BAD_LENGTH, "HTTP-BAD-LENGTH",
	"Content-Length is not given once as a plain number: \"{what}\".",
	"Content-Length ist nicht genau einmal als einfache Zahl angegeben: \"{what}\".",
	"The sender's framing is faulty; passing it on could let one message hide in another.",
	"Die Rahmung des Senders ist fehlerhaft; weitergereicht könnte sich eine Nachricht in einer anderen verstecken.")
FAULT(HTTP_LENGTH_AND_CODING, "HTTP-LENGTH-AND-CODING",
	"The message has both Content-Length and Transfer-Encoding (\"{what}\").",
	"Die Nachricht hat sowohl Content-Length als auch Transfer-Encoding (\"{what}\").",
	"The sender has to choose one; from a client this is often an attempt at request smuggling.",
	"Der Sender muss sich für eines entscheiden; von einem Client ist das oft ein Versuch von Request-Smuggling.")
FAULT(HTTP_BAD_CODING, "HTTP-BAD-CODING",
	"Transfer-Encoding is \"{what}\"; only a single \"chunked\" is understood, and not in HTTP/1.0.",
	"Transfer-Encoding ist \"{what}\"; verstanden wird nur ein einzelnes \"chunked\", und nicht in HTTP/1.0.",
	"The sender has to send \"chunked\" or a Content-Length; from a client this is often an attempt at request smuggling.",
	"Der Sender muss \"chunked\" oder Content-Length senden; von einem Client ist das oft ein Versuch von Request-Smuggling.")
FAULT(HTTP_UNKNOWN_CODING, "HTTP-UNKNOWN-CODING",
	"The body has the transfer codings \"{what}\"; torhaus implements chunked alone.",
	"Der Rumpf hat die Transfer-Codings \"{what}\"; torhaus beherrscht nur chunked.",
	"The sender should compress with Content-Encoding instead.",
	"Der Sender sollte stattdessen mit Content-Encoding komprimieren.")
FAULT(HTTP_BAD_EXPECT, "HTTP-BAD-EXPECT",
	"The request expects \"{what}\"; the only expectation there is is 100-continue.",
	"Die Anfrage erwartet \"{what}\"; als Erwartung gibt es nur 100-continue.",
	"The client has to leave the Expect field out.",
	"Der Client muss das Feld Expect weglassen.")
FAULT(HTTP_BAD_CHUNKS, "HTTP-BAD-CHUNKS",
	"The body broke off or its chunks are malformed (a size is hexadecimal digits and CRLF, without extensions).",
	"Der Rumpf brach ab, oder seine Chunks sind fehlerhaft (eine Größe ist hexadezimal, dann CRLF, ohne Erweiterungen).",
	"A connection that was lost looks the same; if it comes often from one client, its program is faulty.",
	"Eine abgerissene Verbindung sieht genauso aus; kommt es oft von einem Client, ist dessen Programm fehlerhaft.")
FAULT(HTTP_SLOW_HEAD, "HTTP-SLOW-HEAD",
	"The request's head was not complete within {timeout_ms} ms.",
	"Der Kopf der Anfrage war nicht innerhalb von {timeout_ms} ms vollständig.",
	"A very slow line, or an attack with slow clients: each costs a little memory and delays nobody else.",
	"Eine sehr langsame Leitung oder ein Angriff mit langsamen Clients: Jeder kostet etwas Speicher und hält niemanden auf.")
FAULT(HTTP_SLOW_BODY, "HTTP-SLOW-BODY",
	"Nothing of the request's body came for {timeout_ms} ms.",
	"Vom Rumpf der Anfrage kam {timeout_ms} ms lang nichts.",
	"A line that broke, or an attack with slow clients: each costs a little memory and delays nobody else.",
	"Eine abgerissene Leitung oder ein Angriff mit langsamen Clients: Jeder kostet etwas Speicher und hält niemanden auf.")
FAULT(HTTP_TRUNCATED_HEAD, "HTTP-TRUNCATED-HEAD",
	"The origin closed the connection within the head of its response.",
	"Der Ursprungsserver schloss die Verbindung mitten im Kopf seiner Antwort.",
	"See the origin's error log at that time: its process probably died.",
	"Zu dieser Zeit ins Fehlerprotokoll des Ursprungsservers sehen: Vermutlich ist dessen Prozess gestorben.")

/* ---- the server itself ---- */
FAULT(SERVE_NO_USER, "SERVE-NO-USER",
	"The worker is to run as user \"{user}\", and there is no such user on this machine.",
	"Der Worker soll als Benutzer \"{user}\" laufen; den gibt es auf dieser Maschine nicht.",
	"Make the user (adduser --system --group {user}), or name another one with user = \"…\" in torhaus.conf.",
	"Den Benutzer anlegen (adduser --system --group {user}) oder mit user = \"…\" in torhaus.conf einen anderen nennen.")
FAULT(SERVE_ALREADY_RUNNING, "SERVE-ALREADY-RUNNING",
	"A torhaus with these settings is running already: it answers on {path}.",
	"Ein torhaus mit diesen Einstellungen läuft schon: Es antwortet auf {path}.",
	"`torhaus reload` makes it read its settings again, `torhaus stop` ends it; a second server needs a control socket of its own.",
	"`torhaus reload` lässt es seine Einstellungen neu lesen, `torhaus stop` beendet es; ein zweiter Server braucht einen eigenen control-Socket.")
FAULT(SERVE_CONTROL_FAILED, "SERVE-CONTROL-FAILED",
	"The control socket {path} cannot be made: {error}.",
	"Der control-Socket {path} lässt sich nicht anlegen: {error}.",
	"Make its folder and see to it that the user who starts torhaus may write there, or set control = \"…\" to another path.",
	"Seinen Ordner anlegen und dafür sorgen, dass der startende Benutzer dort schreiben darf, oder control = \"…\" auf einen anderen Pfad setzen.")
FAULT(SERVE_NOT_RUNNING, "SERVE-NOT-RUNNING",
	"No server answers on {path}: {error}.",
	"Auf {path} antwortet kein Server: {error}.",
	"Start it (systemctl start torhaus, or torhaus serve), or name the right settings with --config; the socket may be used by root alone.",
	"Ihn starten (systemctl start torhaus oder torhaus serve) oder mit --config die richtigen Einstellungen nennen; den Socket darf nur root benutzen.")
FAULT(SERVE_WORKER_DIED, "SERVE-WORKER-DIED",
	"The worker (process {pid}) ended unasked after {lived}: {how}. A new one was started.",
	"Der Worker (Prozess {pid}) endete ungebeten nach {lived}: {how}. Ein neuer wurde gestartet.",
	"SIGKILL often means that memory ran out (journalctl -k). Any other signal is an error in torhaus: report it with the log around this time.",
	"SIGKILL bedeutet oft, dass der Speicher ausging (journalctl -k). Jedes andere Signal ist ein Fehler in torhaus: mit dem Protokoll um diese Zeit melden.")
FAULT(SERVE_CRASH_LOOP, "SERVE-CRASH-LOOP",
	"The worker ended {times} times in a row soon after its start, at last: {how}. The next try is in {wait}.",
	"Der Worker endete {times} Mal hintereinander bald nach seinem Start, zuletzt: {how}. Der nächste Versuch folgt in {wait}.",
	"The log above says why; `torhaus check` finds faulty settings. If it began with an update, install the earlier version.",
	"Das Protokoll darüber sagt, warum; `torhaus check` findet fehlerhafte Einstellungen. Begann es mit einer Aktualisierung, die vorige Version einspielen.")
FAULT(SERVE_WORKER_UNFIT, "SERVE-WORKER-UNFIT",
	"A new worker could not start: {how}. Nothing was changed; the old one goes on.",
	"Ein neuer Worker konnte nicht starten: {how}. Es wurde nichts geändert; der alte arbeitet weiter.",
	"The log above says why; correct it, then `torhaus reload` again.",
	"Das Protokoll darüber sagt, warum; beheben, dann noch einmal `torhaus reload`.")
FAULT(SERVE_BINARY_UNFIT, "SERVE-BINARY-UNFIT",
	"The program {path} cannot take over: {error}. The running one goes on.",
	"Das Programm {path} kann nicht übernehmen: {error}. Das laufende arbeitet weiter.",
	"Install the new version completely ({path} --version must work), then `torhaus reload --binary` again.",
	"Die neue Version vollständig einspielen ({path} --version muss gehen), dann noch einmal `torhaus reload --binary`.")
FAULT(SERVE_BUSY, "SERVE-BUSY",
	"The server is in the middle of another {what}.",
	"Der Server ist mitten in einem anderen Vorgang ({what}).",
	"Try again in a few seconds.",
	"In einigen Sekunden noch einmal versuchen.")
FAULT(SERVE_FENCE_FAILED, "SERVE-FENCE-FAILED",
	"The worker could not be fenced in ({what}): {error}.",
	"Der Worker ließ sich nicht einzäunen ({what}): {error}.",
	"The kernel needs seccomp filters and, from version 5.13, Landlock; containers often take them away.",
	"Der Kernel braucht seccomp-Filter und, ab Version 5.13, Landlock; Container nehmen sie oft weg.")
FAULT(SERVE_FEW_FILES, "SERVE-FEW-FILES",
	"The process may open {limit} files, which is too few for {connections} connections (connections_max of web, and twice that of mail).",
	"Der Prozess darf {limit} Dateien öffnen; für {connections} Verbindungen (connections_max von web und zweimal das von mail) ist das zu wenig.",
	"Raise LimitNOFILE= in the unit (or ulimit -n) to {wanted}, or lower connections_max.",
	"LimitNOFILE= in der Unit (oder ulimit -n) auf {wanted} erhöhen oder connections_max senken.")
FAULT(SERVE_SNAPSHOT_OLD, "SERVE-SNAPSHOT-OLD",
	"The store could not be read at the start; {domains} domains are served from the last good state.",
	"Der Speicher war beim Start nicht lesbar; {domains} Domains werden aus dem letzten guten Stand bedient.",
	"See the fault of the store; nothing else needs to be done.",
	"Den Befund zum Speicher beheben; sonst ist nichts zu tun.")
FAULT(LOG_FAILED, "LOG-FAILED",
	"The log {path} cannot be opened: {error}.",
	"Das Protokoll {path} lässt sich nicht öffnen: {error}.",
	"Make the folder, and let the user torhaus write there.",
	"Den Ordner anlegen und den Benutzer torhaus dort schreiben lassen.")
FAULT(LOG_LINES_LOST, "LOG-LINES-LOST",
	"{events} events and {lines} access lines could not be written since the start.",
	"{events} Ereignisse und {lines} Zugriffszeilen konnten seit dem Start nicht geschrieben werden.",
	"See whether the disk of the log is full (df -h) and whether its folder may be written.",
	"Nachsehen, ob die Platte des Protokolls voll ist (df -h) und ob sein Ordner beschreibbar ist.")
/* clang-format on */
